"""Words that tell patterns apart: none is missing, and each is what it says."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from scc_responder.domain.errors import PolicyError
from scc_responder.domain.wildcards import matches
from scc_responder.workbench.proof.pattern_words import glob, some, very_text, words

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
