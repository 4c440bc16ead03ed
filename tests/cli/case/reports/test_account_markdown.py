"""An account as Markdown: a renderer makes no link, image, tag or mention of what an attacker wrote."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from markdown_it import MarkdownIt

from scc_responder.cli.case.reports.account_markdown import account_markdown
from scc_responder.journal.account.answers import QUESTIONS
from scc_responder.journal.case import CaseRecord
from tests.kits.hostile_accounts import (
    THOUSAND,
    account_and_texts,
    addresses,
    hidden_in,
    hostile_records,
    mentions_in,
    missing_from,
)

TAGS = {"h1", "h2", "p", "ul", "li", "code", "pre", "a"}
RENDERER = MarkdownIt("gfm-like", {"html": True, "linkify": True})


class Rendered(HTMLParser):
    """The tags of a page, where its links lead to, and its text outside of code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.prose = ""
        self._code = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._code += tag == "code"
        self.links |= {value or "" for name, value in attrs if name in {"href", "src"}}

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        self.prose += "" if self._code else data


@THOUSAND
@given(hostile_records())
def test_a_thousand_hostile_cases_are_inert_as_markdown(made: tuple[CaseRecord, list[str]]) -> None:
    """As GitHub renders it, with HTML let through and links found: the only ones are the account's own."""
    account, texts = account_and_texts(made)
    source = "\n".join(account_markdown(account))
    page = Rendered(RENDERER.render(source))
    assert page.tags <= TAGS
    assert page.links <= addresses(account)
    assert mentions_in(page.prose) == []
    assert mentions_in(source) == []
    assert hidden_in(source) == []
    assert missing_from(source, texts) == []
    assert [title for title in QUESTIONS.values() if f"\n## {title}\n" not in source] == []
