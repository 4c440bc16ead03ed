"""What is wrong with conditions and limits as people wrote them: found at lint, not by the function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from scc_responder.domain.duration import parse_duration
from scc_responder.domain.wildcards import matches
from scc_responder.intake.threats import CONFIDENCES, DETECTORS, SURFACES, THREAT_KINDS, UNKNOWN, catalogue
from scc_responder.policy.limits import Limit
from scc_responder.policy.match import Match, as_tuple
from scc_responder.policy.mistakes import DocumentPath, Mistake, did_you_mean, expected

MAX_WORDS_LISTED = 30
"""More words than these are not listed in an error."""


VOCABULARIES: dict[str, Callable[[], tuple[str, ...]]] = {
    "threat": lambda: (*(row.name for row in catalogue()), UNKNOWN),
    "detector": lambda: DETECTORS,
    "kind": lambda: THREAT_KINDS,
    "confidence": lambda: CONFIDENCES,
    "surface": lambda: (*SURFACES, UNKNOWN),
}
"""The only values that these fields can have: a pattern that fits none of them would never match."""


def match_mistakes(match: Match, path: DocumentPath) -> Iterator[Mistake]:
    """Every condition that can never hold or is likely a mistake: an empty list matches nothing, no labels all."""
    for name, value in match.given().items():
        patterns = value.values() if isinstance(value, dict) else (value,)
        if not value or not all(patterns):
            yield Mistake(path=(*path, name), text="empty; give a pattern or remove it")
        elif name in VOCABULARIES:
            for index, pattern in enumerate(as_tuple(value)):
                place = (*path, name) if isinstance(value, str) else (*path, name, index)
                yield from _unmatchable(name, pattern, place)


def _unmatchable(name: str, pattern: str, path: DocumentPath) -> Iterator[Mistake]:
    words = VOCABULARIES[name]()
    if pattern in words or (("*" in pattern or "?" in pattern) and any(matches(pattern, word) for word in words)):
        return
    if len(words) > MAX_WORDS_LISTED:
        told = f"scc-responder {name}s lists them{did_you_mean(pattern, words)}"
    else:
        told = expected(pattern, words)
    yield Mistake(path=path, text=f"unknown {name} {pattern!r}; {told}")


def limit_mistakes(limit: Limit, path: DocumentPath) -> Iterator[Mistake]:
    """What is wrong with one limit, of guardrails or of a policy."""
    most = limit.most
    if isinstance(most, str) and not SHARE.fullmatch(most):
        yield Mistake(path=(*path, "most"), text=f"{most!r} is no share; write a number, or 1% to 100%")
    if isinstance(most, int) and most < 1:
        yield Mistake(path=(*path, "most"), text=f"{most} would allow nothing; to allow nothing, use mode: disabled")
    yield from duration_mistakes(limit.within, (*path, "within"))


def duration_mistakes(text: str, path: DocumentPath) -> Iterator[Mistake]:
    """What is wrong with a length of time."""
    try:
        length = parse_duration(text)
    except ValueError as error:
        yield Mistake(path=path, text=str(error))
    else:
        if not length:
            yield Mistake(path=path, text=f"{text!r} is no time at all; write a longer one, such as 10m")


SHARE = re.compile(r"(?:[1-9][0-9]?|100)%", re.ASCII)
