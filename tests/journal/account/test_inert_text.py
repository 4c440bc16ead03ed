"""Text for outlets that act on what they show: nothing in it acts, and all of it is there."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given

from scc_responder.domain.text import TRUNCATED, visible
from scc_responder.journal.account.inert_text import inert
from tests.kits.hostile_accounts import MARKUP, TEXT, THOUSAND, hidden_in, links_in, mentions_in


def restored_text(text: str) -> str:
    """The text without any brackets around what they break: a text may have had some itself."""
    before, text = "", text.replace(r"\u0060", "`")
    while text != before:
        before, text = text, re.sub(r"\[([.:@<(\u3002\uff0e\uff61])\]", r"\1", text)
    return text


@THOUSAND
@given(TEXT)
@example("https://evil.example")
@example("\u00a2.KW a\u00a2.co")
@example("a.b.c.d.e.f.g.h.i.j.example")
@example("\U00013430 \U0001bca0 \U0001d173")
def test_nothing_in_it_acts_anywhere(text: str) -> None:
    """No link, mention, tag, code or control is left, whoever looks for it."""
    made = inert(text)
    assert links_in(made) == set()
    assert mentions_in(made) == []
    assert hidden_in(made) == []
    assert "`" not in made


@THOUSAND
@given(TEXT)
def test_all_of_it_is_there(text: str) -> None:
    """What was put into brackets is read without them; what is too long says that it was cut."""
    assert restored_text(inert(text)) == restored_text(visible(text))
    assert len(visible(text)) <= 4096


@pytest.mark.parametrize(
    "text", ["/tmp/run.sh -c /etc/app.conf", "203.0.113.7:4444", "a=b c>d 1.4.2", "web@sha256:0d85"]
)
def test_what_people_read_stays_readable(text: str) -> None:
    """Paths, addresses, versions and digests are as they were."""
    assert inert(text) == text


def test_a_long_text_is_cut_and_says_so() -> None:
    """It ends with the mark of that."""
    assert inert(MARKUP[-3], 100).endswith(TRUNCATED)
