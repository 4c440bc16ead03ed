"""Words that tell patterns apart: none is missing. Whether patterns are within others: never yes where it is no."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scc_responder.domain.errors import PolicyError
from scc_responder.domain.wildcards import matches
from scc_responder.workbench.policy_files import pattern_words
from scc_responder.workbench.policy_files.pattern_words import all_within, glob, may_share, some, very_text, words

FORM = (some("ab/"), some("ab/", repeats=True))


def answers(patterns: list[str], word: str) -> tuple[bool, ...]:
    """Which patterns the word fits, as policies read them."""
    return tuple(matches(pattern, word) for pattern in patterns)


@pytest.mark.parametrize("seed", range(150))
def test_every_way_in_which_patterns_fit_together_has_a_word(seed: int) -> None:
    """Random patterns: what any text of up to five signs answers, some word answers too, and each word only once."""
    random = Random(seed)
    signs = ["a", "b", "*", "?", "/", "**"]
    patterns = ["".join(random.choices(signs, k=random.randint(1, 4))) for _ in range(random.randint(1, 4))]
    found = [answers(patterns, word) for word in words(list(map(glob, patterns)), [[FORM]])]
    texts = ("".join(text) for length in range(1, 6) for text in product("ab/", repeat=length))
    assert {answers(patterns, text) for text in texts} <= set(found)
    assert len(found) == len(set(found))


def test_a_preferred_word_is_taken_where_it_does_as_well() -> None:
    """So that a counterexample reads like a name that people use."""
    found = words([glob("shop-*")], [[(some("abcdefghijklmnopqrstuvwxyz-"),) * 9]], ["platforms"])
    assert "platforms" in found
    assert any(word.startswith("shop-") for word in found)


def test_the_first_form_comes_first() -> None:
    """A second form adds words for what no text of the first one answers."""
    forms = [[very_text("shop/Deployment/web")], [very_text("shop/Job/web")], [very_text("shop/Job/db")]]
    assert words([glob("shop/*/web"), glob("*/Job/*")], forms) == (
        "shop/Deployment/web",
        "shop/Job/web",
        "shop/Job/db",
    )


def test_what_no_text_of_the_form_fits_has_no_word() -> None:
    """A pattern with a capital letter in it fits no name of Kubernetes."""
    found = words([glob("Prod-*")], [[(some("abcprod-"), some("abcprod-", repeats=True))]])
    assert len(found) == 1


def test_patterns_that_cannot_be_told_apart_in_time_are_refused() -> None:
    """Instead of an answer after hours, or one that leaves something out."""
    patterns = [glob(f"*{sign}*{other}*{sign}*") for sign in "abcdef" for other in "ghijkl"]
    with pytest.raises(PolicyError, match="fewer"):
        words(patterns, [[(some("abcdefghijkl", repeats=True),)]])


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
    monkeypatch.setattr(pattern_words, "MOST_WALKED", 3)
    assert not all_within(["abcde*"], ["abc*"])


def test_what_takes_too_long_may_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said of two patterns of which nobody knows that no name fits both."""
    assert not may_share("abcde*", "x*")
    assert may_share("abcde*", "*e")
    monkeypatch.setattr(pattern_words, "MOST_WALKED", 1)
    assert may_share("abcde*", "x*")
