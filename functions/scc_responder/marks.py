"""The labels and annotations by which the responder's work is recognised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scc_responder.case import case_id
from scc_responder.changes import CASE_LABEL, PREFIX


def case_label(finding_key: str) -> dict[str, str]:
    """The label that only this case's pod carries."""
    return {CASE_LABEL: case_id(finding_key)}


def refused_keys(wanted: Mapping[str, str], allowed: Iterable[str], field: str) -> str:
    """Which of the keys may not be written, as a sentence for the policy's author; empty if all may.

    Keys that drive the protocol (`scc-responder/case`, `.../armed-by`) are refused too.
    """
    listed = set(allowed)
    for key in wanted:
        if key in {CASE_LABEL, PREFIX + "armed-by", PREFIX + "action-id"}:
            return f"{field}: {key!r} is written by the responder itself; choose another key"
        if not key.startswith(PREFIX) and key not in listed:
            return f"{field}: {key!r} does not start with {PREFIX!r}; rename it, or list it in guardrails.yaml"
    return ""
