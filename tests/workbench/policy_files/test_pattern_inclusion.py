"""Whether patterns are within others: exact, by all short texts, and never yes where it is no."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scc_responder.domain.wildcards import matches
from scc_responder.workbench.policy_files import pattern_inclusion
from scc_responder.workbench.policy_files.pattern_inclusion import all_within

TEXTS = ["".join(signs) for length in range(6) for signs in product("ab/", repeat=length)]
PATTERNS = st.text("ab/*?", max_size=5)


@given(st.lists(PATTERNS, min_size=1, max_size=2), st.lists(PATTERNS, min_size=1, max_size=3))
@settings(max_examples=400, deadline=None)
@example(["a/**"], ["a/*"])
@example(["**"], ["*"])
@example(["*"], ["a*", "b*", "?*", ""])
def test_no_text_is_overlooked(narrow: list[str], wide: list[str]) -> None:
    """Where the answer is yes, each text that fits one of the first patterns fits one of the others."""
    fitting = [text for text in TEXTS if any(matches(pattern, text) for pattern in narrow)]
    if all_within(narrow, wide):
        assert [text for text in fitting if not any(matches(pattern, text) for pattern in wide)] == []


@pytest.mark.parametrize(
    ("narrow", "wide", "within"),
    [
        (["shop"], ["shop", "bank"], True),
        (["shop", "bank"], ["shop"], False),
        (["team-a-*"], ["team-*"], True),
        (["team-*"], ["team-a-*"], False),
        (["*"], ["?*"], False),
        (["?*"], ["*"], True),
        (["a*b"], ["a*"], True),
        (["ab*", "a?"], ["a?*"], True),
        (["projects/*/clusters/c"], ["projects/**"], True),
        (["projects/**"], ["projects/*/clusters/c"], False),
        (["*"], ["**"], True),
        (["**"], ["*", "*/**"], True),
        (["a.b"], ["a?b"], True),
        (["[ab]"], ["a"], False),
        (["a/b"], ["*"], False),
        (["a/b"], ["*/b"], True),
        (["?"], ["*"], True),
        (["*"], ["?"], False),
        (["/"], ["?"], False),
        ([""], ["*"], True),
        (["a"], [""], False),
        ([], ["a"], True),
        (["a"], [], False),
    ],
)
def test_what_is_within(narrow: list[str], wide: list[str], within: bool) -> None:
    """The forms that people write."""
    assert all_within(iter(narrow), iter(wide)) is within


@given(PATTERNS)
def test_a_pattern_is_within_itself(pattern: str) -> None:
    """A policy may reach exactly what its scope names."""
    assert all_within([pattern], [pattern, "b"])


def test_what_takes_too_long_is_not_within(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit is then said to widen, rather than nothing said for an hour."""
    monkeypatch.setattr(pattern_inclusion, "MOST_STATES", 3)
    assert not all_within(["abcd*"], ["abc*"])
