"""Patterns walked together: the words that tell them apart, and whether all that fits some fits others as well. Pure.

A pattern is a chain of links, each a set of characters, taken once or any number of times. All patterns are walked at
once, with the form that every text must have: what is found is all there is.
"""

from __future__ import annotations

import string
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from scc_responder.domain.errors import PolicyError
from scc_responder.domain.wildcards import DEEP

MOST_WALKED = 60_000
"""More than these are not walked: a few patterns with many wildcards each would take hours."""


class Link(NamedTuple):
    """The characters that may stand at a place of a text, once, or as often as one likes and not at all."""

    takes: Callable[[str], bool]
    repeats: bool = False


Chain = tuple[Link, ...]
LOWER = frozenset(string.ascii_lowercase + string.digits)
_OTHER = "\0"
"""Stands for every character that no pattern names."""
_ALPHABET = (*string.ascii_lowercase, *string.digits, *"-./:@_ ", *string.ascii_uppercase)


def very_text(word: str) -> Chain:
    """This very text."""
    return tuple(Link(sign.__eq__) for sign in word)


def some(signs: Iterable[str], *, repeats: bool = False) -> Link:
    """One of these characters, or any number of them."""
    return Link(frozenset(signs).__contains__, repeats)


def glob(pattern: str) -> Chain:
    """A pattern as people write it in policies, as `domain.wildcards` reads it."""
    links: list[Link] = []
    for place, segment in enumerate(pattern.split("/")):
        links += [Link("/".__eq__)] if place else []
        links += [Link(_any, repeats=True)] if segment == DEEP else [_of_segment(sign) for sign in segment]
    return tuple(links)


def _any(_sign: str) -> bool:
    return True


def _of_segment(sign: str) -> Link:
    if sign in "*?":
        return Link("/".__ne__, repeats=sign == "*")
    return Link(sign.__eq__)


def words(
    patterns: Sequence[Chain], forms: Iterable[Sequence[Chain]], preferred: Iterable[str] = ()
) -> tuple[str, ...]:
    """One text for each set of patterns that fit together. Raises PolicyError `too_many_patterns`.

    `forms` are what a text may look like, the most usual ones first: of several texts the first one is taken.
    `preferred` are texts to take where they do as well.
    """
    found: dict[int, str] = {}
    for number, form in enumerate(forms):
        walk = _Walk(patterns, form)
        if number == 0:
            for word in preferred:
                found.setdefault(walk.fitting(word), word)
        for fitting, word in walk.all():
            found.setdefault(fitting, word)
    return tuple(found.values())


def all_within(narrow: Iterable[str], wide: Iterable[str]) -> bool:
    """Whether whatever fits one of the first patterns fits one of the others. No, where that takes too long to tell.

    >>> all_within(["team-a-*"], ["team-*"]), all_within(["team-*"], ["team-a-*"]), all_within(["a/**"], ["a/*"])
    (True, False, False)
    >>> all_within(["a?"], ["a*"]), all_within(["*"], ["a*", "b*"]), all_within(["x/*/y"], ["x/**"])
    (True, False, True)
    """
    known = tuple(wide)
    return all(pattern in known or (bool(known) and _is_within(pattern, known)) for pattern in narrow)


def may_share(one: str, other: str) -> bool:
    """Whether some text fits both patterns. Yes, where that takes too long to tell.

    >>> may_share("team-*", "*-a"), may_share("team-*", "shop-*")
    (True, False)
    """
    signs = dict.fromkeys((*one, *other, "/", _OTHER))
    try:
        return any(fitting for fitting, _ in _Walk([glob(other)], [glob(one)], tuple(signs)).all())
    except PolicyError:
        return True


@lru_cache(maxsize=4096)
def _is_within(pattern: str, bounds: tuple[str, ...]) -> bool:
    """Whether every text that fits the pattern fits one of the bounds."""
    signs = dict.fromkeys((*"".join((pattern, *bounds)), "/", _OTHER))
    walk = _Walk([*map(glob, bounds)], [glob(pattern)], tuple(signs))
    try:
        return all(fitting for fitting, _ in walk.all())
    except PolicyError:
        return False


class _Walk:
    """All patterns as one number: a bit for each place in each of them, set while a text may be there."""

    def __init__(self, patterns: Sequence[Chain], form: Sequence[Chain], alphabet: Sequence[str] = _ALPHABET) -> None:
        self._alphabet = alphabet
        self._chains = [*patterns, *form]
        starts = [sum(len(chain) + 1 for chain in self._chains[:place]) for place in range(len(self._chains))]
        ends = [start + len(chain) for start, chain in zip(starts, self._chains, strict=True)]
        self._loops = sum(1 << at for at, link in self._places(starts) if link.repeats)
        self._ends = sum(1 << at for at in ends[: len(patterns)])
        self._of_form = sum(1 << at for at in ends[len(patterns) :])
        self._form = sum(
            ((1 << len(c) + 1) - 1) << s for c, s in list(zip(self._chains, starts, strict=True))[len(patterns) :]
        )
        self._start = self._skipped(sum(1 << start for start in starts))
        self._at = list(self._places(starts))
        self._moves: dict[str, tuple[int, int]] = {}

    def _places(self, starts: Sequence[int]) -> Iterator[tuple[int, Link]]:
        for start, chain in zip(starts, self._chains, strict=True):
            yield from ((start + place, link) for place, link in enumerate(chain))

    def _skipped(self, state: int) -> int:
        """The state, and what lies behind each link that may stand for nothing."""
        while True:
            more = state | (state & self._loops) << 1
            if more == state:
                return state
            state = more

    def _move(self, sign: str) -> tuple[int, int]:
        if sign not in self._moves:
            taken = [(at, link.repeats) for at, link in self._at if link.takes(sign)]
            self._moves[sign] = (
                sum(1 << at for at, repeats in taken if not repeats),
                sum(1 << at for at, repeats in taken if repeats),
            )
        return self._moves[sign]

    def _after(self, state: int, sign: str) -> int:
        onward, stays = self._move(sign)
        return self._skipped((state & onward) << 1 | (state & stays))

    def fitting(self, word: str) -> int:
        """The patterns that a text fits."""
        state = self._start
        for sign in word:
            state = self._after(state, sign)
        return state & self._ends

    def all(self) -> Iterator[tuple[int, str]]:
        """Every set of patterns that fit together, with a shortest text of the form."""
        signs = list({self._move(sign): sign for sign in reversed(self._alphabet)}.values())[::-1]
        seen, waiting = {self._start}, deque([(self._start, "")])
        while waiting:
            state, word = waiting.popleft()
            if state & self._of_form:
                yield state & self._ends, word
            for sign in signs:
                after = self._after(state, sign)
                if after & self._form and after not in seen:
                    seen.add(after)
                    waiting.append((after, word + sign))
            if len(seen) > MOST_WALKED:
                raise PolicyError(
                    "too_many_patterns",
                    "patterns with many wildcards cannot all be told apart; write fewer * in one field",
                )
