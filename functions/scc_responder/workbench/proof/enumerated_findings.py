"""The findings that there may be: every threat of the catalogue and what it does not know. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from scc_responder.domain.finding import Confidence, Surface
from scc_responder.domain.value import Value
from scc_responder.intake.threats import CONFIDENCES, DETECTORS, Row, catalogue, fold
from scc_responder.policy.match import Match, Severity, as_tuple
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.policy_files.pattern_words import LOWER, glob, some, words
from scc_responder.workbench.proof.possible_targets import matches_of

NEWER = "Execution: Newer Than This Catalogue"
"""A category that no row has."""


class Beside(StrEnum):
    """What was found near the target within the hour."""

    NOTHING = "nothing"
    LIKELY = "likely"
    """A threat that makes this one likely."""
    CONFIRMED = "confirmed"
    """One that makes it confirmed."""
    UNREAD = "unread"
    """Nobody knows."""


class EnumeratedFinding(Value, frozen=True, kw_only=True):
    """One kind of finding: like that of the row `like`, with these words in it."""

    like: str
    category: str
    detector: str
    severity: str
    beside: Beside


def enumerated_findings(packs: Sequence[PolicySet]) -> Iterator[EnumeratedFinding]:
    """Every kind of finding that these policies and guardrails may tell apart. Raises PolicyError."""
    asked = list(matches_of(packs))
    severities = tuple(map(str, Severity)) if any(match.severity for match in asked) else ()
    near = tuple(Beside) if any(match.confidence for match in asked) else (Beside.NOTHING,)
    for row in catalogue():
        for spelling in (row.category, *(row.aliases if any(match.category for match in asked) else ())):
            yield from _of_row(row, spelling, severities, near)
    yield from _newer(asked, severities)


def _of_row(
    row: Row, category: str, severities: tuple[str, ...], near: tuple[Beside, ...]
) -> Iterator[EnumeratedFinding]:
    """A finding's own severity counts before its row's; a confidence is only ever raised."""
    rank = CONFIDENCES.index(row.confidence)
    raises = {Beside.LIKELY: Confidence.LIKELY, Beside.CONFIRMED: Confidence.CONFIRMED}
    for severity in dict.fromkeys((row.severity, *severities)):
        for beside in near:
            if beside not in raises or CONFIDENCES.index(raises[beside]) > rank:
                yield EnumeratedFinding(
                    like=row.name, category=category, detector=row.detector, severity=severity, beside=beside
                )


def _newer(asked: Sequence[Match], severities: tuple[str, ...]) -> Iterator[EnumeratedFinding]:
    """What the catalogue does not know: any category, of any detector, about any surface."""
    known = {fold(text) for row in catalogue() for text in (row.category, *row.aliases)}
    patterns = dict.fromkeys(fold(pattern) for match in asked for pattern in as_tuple(match.category or ()))
    signs = LOWER | set(" :-/()'.,")
    found = words([glob(item) for item in patterns], [[(some(LOWER), some(signs, repeats=True))]], [fold(NEWER)])
    categories = [NEWER if word == fold(NEWER) else word for word in found if fold(word) not in known]
    detectors = dict.fromkeys((*DETECTORS, *(word for match in asked for word in as_tuple(match.detector or ()))))
    plain = [word for word in detectors if not set("*?") & set(word)]
    for surface in (Surface.POD, Surface.NODE, Surface.CLUSTER, Surface.CLOUD_RUN, Surface.AGENT):
        like = next(row for row in catalogue() if row.surface == surface)
        for category in categories:
            for detector in plain if any(match.detector for match in asked) else [like.detector]:
                for severity in ("", *severities):
                    yield EnumeratedFinding(
                        like=like.name, category=category, detector=detector, severity=severity, beside=Beside.NOTHING
                    )
