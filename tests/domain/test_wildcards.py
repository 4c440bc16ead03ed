"""Patterns of policies and guardrails: `*` and `?` within a segment, `**` over any number of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.wildcards import MOST_KEPT, matcher, matches

CASES = [
    ("a", "a", True),
    ("a", "b", False),
    ("gke-*", "gke-managed-system", True),
    ("gke-*", "gke-a/b", False),
    ("*", "", True),
    ("?", "ab", False),
    ("w?b", "web", True),
    ("a/*/c", "a/b/c", True),
    ("a/*/c", "a/b/b/c", False),
    ("[a]", "a", False),
    ("[a]*", "[a]b", True),
    ("*-" * 20, "-" * 40, True),
    ("a*", "a" * (MOST_KEPT + 1), True),
    ("a?*", "a" * (MOST_KEPT + 1), True),
    ("A*", "a", False),
    ("a/**", "a/b", True),
    ("a/**", "a/b/c/d", True),
    ("a/**", "a", False),
    ("a/**/d", "a/b/c/d", True),
    ("a/**/d", "a/d", False),
    ("**", "a/b", True),
    ("**/c", "a/b/c", True),
    ("a/**/c/**", "a/c/c/c", True),
    ("a**", "ab", True),
    ("a**", "a/b", False),
    ("**/" * 12 + "x", "a/" * 40 + "y", False),
]


@pytest.mark.parametrize(("pattern", "text", "fits"), CASES)
def test_a_pattern_fits_the_whole_text(pattern: str, text: str, fits: bool) -> None:
    """Segment by segment; nothing else is a wildcard."""
    assert matches(pattern, text) is fits
    assert matcher([pattern])(text) is fits


PARTS = st.text("ab*?/", max_size=6)


@given(st.lists(PARTS, max_size=4), st.text("ab/", max_size=6))
def test_a_matcher_asks_like_each_pattern(patterns: list[str], text: str) -> None:
    """What is made once for many texts answers as one by one."""
    assert matcher(patterns)(text) == any(matches(pattern, text) for pattern in patterns)
