"""Patterns as people write them in policies: `*` and `?` within one path segment, `**` for any depth."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from functools import lru_cache

DEEP = "**"
"""Alone between slashes: one segment or more."""
MOST_KEPT = 256
"""Answers about longer texts are not remembered."""


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits the pattern. `*` stands for any characters but `/`, `?` for one, `**` for any depth.

    >>> matches("gke-*", "gke-managed-system"), matches("projects/*/clusters/c", "projects/a/b/clusters/c")
    (True, False)
    >>> matches("registry.example.com/**", "registry.example.com/shop/web"), matches("**/web", "web")
    (True, False)
    """
    if pattern == text or ("*" not in pattern and "?" not in pattern):
        return pattern == text
    # Many policies ask the same of one finding; what an attacker made long is not kept.
    return _fits(pattern, text) if len(text) <= MOST_KEPT else _fits.__wrapped__(pattern, text)


@lru_cache(maxsize=4096)
def _fits(pattern: str, text: str) -> bool:
    parts = text.split("/")
    reached = {0}
    for fits in _segments(pattern):
        if fits is None:
            reached = set(range(min(reached) + 1, len(parts) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(parts) and fits(parts[at])}
        if not reached:
            return False
    return len(parts) in reached


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """A test of whether a text fits any of the patterns, made once for many texts.

    >>> [matcher(["team-*", "shop"])(text) for text in ("team-a", "team-a/b", "shop", "shops")]
    [True, False, True, False]
    """
    given = tuple(patterns)
    words = frozenset(pattern for pattern in given if "*" not in pattern and "?" not in pattern)
    starts = tuple(pattern[:-1] for pattern in given if _is_start(pattern))
    others = tuple(pattern for pattern in given if pattern not in words and not _is_start(pattern))

    def fits(text: str) -> bool:
        if text in words:
            return True
        if text.startswith(starts) and any(
            text.startswith(start) and "/" not in text[len(start) :] for start in starts
        ):
            return True
        return any(matches(pattern, text) for pattern in others)

    return fits


def _is_start(pattern: str) -> bool:
    """Whether it is plain text and a `*` at its end, as most are."""
    return pattern.endswith("*") and pattern.count("*") == 1 and "?" not in pattern


@lru_cache(maxsize=8192)
def _segments(pattern: str) -> tuple[Callable[[str], object] | None, ...]:
    """Each segment's test, None for `**`. `[` is no wildcard; fnmatch's translation keeps many `*` from exploding."""
    escaped = pattern.replace("[", "[[]").split("/")
    return tuple(None if segment == DEEP else re.compile(fnmatch.translate(segment)).match for segment in escaped)
