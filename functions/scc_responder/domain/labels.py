"""The labels and annotations by which the responder's work is recognised."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from scc_responder.domain.finding import case_id

PREFIX = "scc-responder/"
"""Every label and annotation the responder writes starts with this; the only place it is spelt."""

CASE_LABEL = PREFIX + "case"
POD_LABEL = PREFIX + "pod-uid"
FINDING = PREFIX + "finding"
THREAT = PREFIX + "threat"
PRIOR_UNSCHEDULABLE = PREFIX + "prior-unschedulable"
ARMED_BY = PREFIX + "armed-by"
ACTION_ID = PREFIX + "action-id"

_OWN = frozenset({CASE_LABEL, POD_LABEL, ARMED_BY, ACTION_ID, FINDING, PRIOR_UNSCHEDULABLE})
_KEY = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", re.ASCII)
_LABEL_VALUE = re.compile(rf"(?:{_KEY.pattern})?", re.ASCII)


def case_label(finding_key: str) -> dict[str, str]:
    """The label by which people find the pod of a case; of several findings on one pod, the last one stands there."""
    return {CASE_LABEL: case_id(finding_key)}


def pod_label(pod_uid: str) -> dict[str, str]:
    """The label by which a NetworkPolicy selects this one pod: the same for every finding on it.

    Its value is known only once the pod is made, so no template can put it on a pod's siblings.
    """
    return {POD_LABEL: pod_uid}


def refused_keys(wanted: Mapping[str, str], allowed: Iterable[str], field: str, own: Iterable[str] = ()) -> str:
    """Which of the keys may not be written, as a sentence for the policy's author; empty if all may.

    Keys that the responder writes itself (`scc-responder/case`, `.../armed-by`, and those in `own`) are refused too.
    """
    listed, reserved = set(allowed), _OWN | set(own)
    for key in wanted:
        if key in reserved:
            return f"{field}: {key!r} is written by the responder itself; choose another key"
        if not key.startswith(PREFIX) and key not in listed:
            return f"{field}: {key!r} does not start with {PREFIX!r}; rename it, or list it in guardrails.yaml"
        if not _KEY.fullmatch(key.rpartition("/")[2]):
            return f"{field}: {key!r} is no key that Kubernetes accepts; use letters, digits, '-', '_' and '.'"
    return ""


def refused_values(labels: Mapping[str, str]) -> str:
    """Which label's value Kubernetes would refuse, as a sentence for the policy's author; empty if none."""
    for key, value in labels.items():
        if not _LABEL_VALUE.fullmatch(value):
            return f"labels: {key!r}: {value!r} is no label value; use at most 63 letters, digits, '-', '_' and '.'"
    return ""
