"""What a service takes is not exceeded, and what is left out is said."""

from __future__ import annotations

import html
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.adapters.messaging.fitted_card import fitted_message, markup_escaped
from scc_responder.journal.account.account_links import AccountLink
from scc_responder.journal.account.answers import AccountLine
from scc_responder.journal.account.notice_card import NoticeCard, notice_card
from tests.kits.routed_notices import routed


@given(st.text(alphabet="&<>ab;", max_size=60), st.integers(10, 60))
def test_an_escaped_text_is_as_long_as_it_may_be(text: str, most: int) -> None:
    """It has no markup left, no half of an escape, and is whole or says that it is not."""
    shown = markup_escaped(text, most)
    assert len(shown) <= most
    assert not set("<>") & {*shown}
    kept = html.unescape(shown)
    assert kept == text or (kept.endswith(" ...") and text.startswith(kept.removesuffix(" ...")))


def test_what_is_too_large_is_left_out_from_its_end() -> None:
    """The rest says how many lines that are."""
    lines = tuple(AccountLine(name=f"n{number}", text="x" * 100) for number in range(20))
    card = replace(notice_card(routed()), lines=lines)

    def make(given_card: NoticeCard) -> dict[str, Any]:
        return {"lines": [f"{line.name}: {line.text}" for line in given_card.lines]}

    whole, cut = json.loads(fitted_message(card, make, 10_000)), json.loads(fitted_message(card, make, 1_000))
    assert len(whole["lines"]) == 20
    assert len(fitted_message(card, make, 1_000)) <= 1_000
    left = 20 - (len(cut["lines"]) - 1)
    assert cut["lines"][-1] == f"Left out: {left} lines, which `case show` has"


def test_links_are_left_out_after_all_lines() -> None:
    """A few that are long would keep the whole message from being taken."""
    links = tuple(AccountLink(title=f"l{number}", url="https://example.com/" + "x" * 400) for number in range(6))
    card = replace(notice_card(routed()), links=links)

    def make(given_card: NoticeCard) -> dict[str, Any]:
        return {"lines": [line.name for line in given_card.lines], "links": [link.url for link in given_card.links]}

    told = fitted_message(card, make, 1_000)
    assert len(told) <= 1_000
    assert json.loads(told) == {"lines": ["Left out"], "links": [links[0].url, links[1].url]}
