"""Characters that are not what they look like: named by number, and the text as it was meant."""

from __future__ import annotations

import pytest

from scc_responder.workbench.policies.meaning.odd_characters import (
    disguised_character,
    named_character,
    odd_character,
    plain,
)

ODD = [
    ("sh\u043ep", "U+043E, CYRILLIC SMALL LETTER O; write 'shop'"),
    ("kube\u2011system", "U+2011, NON-BREAKING HYPHEN; write 'kube-system'"),
    ("sh\u200bop", "U+200B, ZERO WIDTH SPACE; write 'shop'"),
    ("shop\u00a0", "U+00A0, NO-BREAK SPACE; write 'shop'"),
    ("\uff53hop", "U+FF53, FULLWIDTH LATIN SMALL LETTER S; write 'shop'"),
    ("shop\u202e", "U+202E, RIGHT-TO-LEFT OVERRIDE; write 'shop'"),
    ("shop\x07", "U+0007, a control character; write 'shop'"),
    ("kube-system ", "ends with a blank; write 'kube-system'"),
    ("\u65e5\u672c", "U+65E5, CJK UNIFIED IDEOGRAPH-65E5; write it in letters of ASCII"),
    (" shop", "begins with a blank; write 'shop'"),
]


@pytest.mark.parametrize(("text", "told"), ODD)
def test_an_odd_character_is_named(text: str, told: str) -> None:
    """By its number and name, with the text beside it in which nothing hides."""
    said = odd_character(text)
    assert said.endswith(told)
    assert said.isascii()


@pytest.mark.parametrize("text", ["shop", "*@example.com", "projects/*/locations/*", "a b", ""])
def test_plain_text_is_left_alone(text: str) -> None:
    """What stands on a keyboard is what it looks like."""
    assert odd_character(text) == ""
    assert plain(text) == text


@pytest.mark.parametrize(
    "text", ["\u043c\u0438\u0440", "Gr\u00fc\u00dfe", "curl \u043f\u0440\u0438\u0432\u0435\u0442", "\u2192", "a\nb"]
)
def test_other_alphabets_are_welcome_in_free_text(text: str) -> None:
    """A word in one alphabet is a word."""
    assert disguised_character(text) == ""


@pytest.mark.parametrize("text", ["xmr\u0456g", "/tmp/\u0430b", "sh\u200bop"])
def test_a_word_of_two_alphabets_is_named(text: str) -> None:
    """In free text, what was typed to look like another word."""
    assert "U+" in disguised_character(text)


def test_a_character_without_a_name() -> None:
    """Unicode gives controls no name."""
    assert (named_character("\x00"), named_character("a")) == (
        "U+0000, a control character",
        "U+0061, LATIN SMALL LETTER A",
    )
