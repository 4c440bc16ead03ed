"""Patterns of paths that reach less deep than they look: `*` never crosses a `/`."""

from __future__ import annotations

from collections.abc import Iterator

from scc_responder.domain.wildcards import DEEP
from scc_responder.policy.guardrails import Acceptable
from scc_responder.policy.match import Match, as_tuple
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake

_ARTIFACT_REGISTRY = "-docker.pkg.dev"
_PARTS_THERE = 4
"""Host, project, repository and image: none of its images has fewer."""


def shallow_patterns(match: Match, path: DocumentPath) -> Iterator[Mistake]:
    """Patterns of images that fit fewer than they seem to, and `**` where it is the same as `*`."""
    for field, value in match.given().items():
        for pattern in as_tuple(value) if isinstance(value, str | tuple) else ():
            text = _shallow(pattern) if field == "image" else ""
            if any(DEEP in part and part != DEEP for part in pattern.split("/")):
                text = f"** stands for any depth alone between slashes; in {pattern!r} it is the same as *"
            if text:
                yield Mistake(path=(*path, field), text=text, reason=Acceptable.SHALLOW_PATTERN)


def _shallow(pattern: str) -> str:
    parts = pattern.split("/")
    if not pattern.endswith("*") or DEEP in parts:
        return ""
    if len(parts) == 1:
        text = f"{pattern!r} fits only images that are named without a registry: * never crosses a /"
        return (
            f"{text}; write ** for every image, or **/{pattern} for any registry"
            if pattern != "*"
            else f"{text}; write **"
        )
    if parts[0].endswith(_ARTIFACT_REGISTRY) and len(parts) < _PARTS_THERE:
        return f"{pattern!r} fits no image there: * never crosses a /; write {pattern.rpartition('/')[0]}/{DEEP}"
    return ""
