"""Whether all that fits some patterns fits other patterns as well: exact, for the wildcards of policies. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scc_responder.domain.wildcards import DEEP

MOST_STATES = 20_000
"""A comparison that needs more steps than these is given up: the answer is then no."""

_OTHER = "\0"
"""Stands for every character that no pattern names."""

_Tokens = tuple[str, ...]
"""A pattern by its characters, with `**` as one of them."""


def all_within(narrow: Iterable[str], wide: Iterable[str]) -> bool:
    """Whether whatever fits one of the first patterns fits one of the others. No, where that takes too long to tell.

    >>> all_within(["team-a-*"], ["team-*"]), all_within(["team-*"], ["team-a-*"]), all_within(["a/**"], ["a/*"])
    (True, False, False)
    >>> all_within(["a?"], ["a*"]), all_within(["*"], ["a*", "b*"]), all_within(["x/*/y"], ["x/**"])
    (True, False, True)
    """
    known = tuple(wide)
    bounds = tuple(map(_tokens, known))
    return all(pattern in known or _is_within(_tokens(pattern), bounds) for pattern in narrow)


def _tokens(pattern: str) -> _Tokens:
    parts = [(part,) if part == DEEP else tuple(part) for part in pattern.split("/")]
    found: list[str] = list(parts[0])
    for part in parts[1:]:
        found += ["/", *part]
    return tuple(found)


_Places = frozenset[tuple[int, int]]
"""Where a text may have come to, as (pattern, place in it)."""


def _is_within(pattern: _Tokens, bounds: Sequence[_Tokens]) -> bool:
    """Whether no text can end the pattern that ends none of the bounds."""
    signs = sorted({sign for tokens in (pattern, *bounds) for sign in tokens} - {"*", "?", DEEP} | {"/", _OTHER})
    start = 0, _skipped({(number, 0) for number in range(len(bounds))}, bounds)
    waiting, seen = [start], {start}
    while waiting:
        if len(seen) > MOST_STATES:
            return False
        at, places = waiting.pop()
        if at == len(pattern):
            if not any(place == len(bounds[number]) for number, place in places):
                return False
            continue
        after = [(at + 1, places)] if pattern[at] in {"*", DEEP} else []
        for sign in signs:
            if _takes(pattern[at], sign):
                stays = pattern[at] in {"*", DEEP}
                after.append((at if stays else at + 1, _stepped(places, sign, bounds)))
        waiting += [state for state in after if state not in seen]
        seen.update(after)
    return True


def _takes(token: str, sign: str) -> bool:
    return token in {DEEP, sign} or (token in {"*", "?"} and sign != "/")


def _stepped(places: _Places, sign: str, bounds: Sequence[_Tokens]) -> _Places:
    """Where the bounds come to with one more character."""
    found = set()
    for number, place in places:
        token = bounds[number][place] if place < len(bounds[number]) else ""
        if token and _takes(token, sign):
            found.add((number, place if token in {"*", DEEP} else place + 1))
    return _skipped(found, bounds)


def _skipped(places: set[tuple[int, int]], bounds: Sequence[_Tokens]) -> _Places:
    """The places, and those behind each `*` there, which may stand for nothing."""
    found = set(places)
    for number, place in places:
        while place < len(bounds[number]) and bounds[number][place] in {"*", DEEP}:
            place += 1  # noqa: PLW2901 - the way behind one place
            found.add((number, place))
    return frozenset(found)
