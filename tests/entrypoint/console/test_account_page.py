"""An account as a page: no script, nothing loaded, nothing of an attacker active; for a phone and for paper."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given

from scc_responder.cli.case.report import desk_account
from scc_responder.entrypoint.console.account_page import account_page
from scc_responder.journal.account.account import account_of
from scc_responder.journal.account.answers import QUESTIONS
from scc_responder.journal.case import CaseRecord
from tests.browser import page
from tests.kits.account_cases import contained_case
from tests.kits.hostile_accounts import (
    MARKUP,
    THOUSAND,
    account_and_texts,
    addresses,
    hidden_in,
    hostile_records,
    links_in,
    mentions_in,
    missing_from,
)
from tests.kits.journal_worlds import START

TAGS = {"html", "head", "meta", "link", "title", "style", "body", "main", "h1", "h2", "dl", "dt", "dd", "section", "p"}
TAGS |= {"ul", "li", "a", "pre", "div", "nav", "span"}
JUMPS = {"#what_ran", "#done", "#left_to_do", "#links", "#commands"}
ATTRIBUTES = {"aria-label", "lang", "charset", "content", "name", "http-equiv", "rel", "href", "class", "id"}


class Parsed(HTMLParser):
    """The tags and attributes of a page, where its links lead to, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.text = ""
        self._is_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.text += "\n"
        self._is_style = tag == "style"
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if tag == "a" and name == "href"}

    def handle_endtag(self, tag: str) -> None:
        self._is_style = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._is_style else data


@THOUSAND
@given(hostile_records())
def test_a_thousand_hostile_cases_are_inert_as_a_page(made: tuple[CaseRecord, list[str]]) -> None:
    """It has the template's tags and attributes alone, and leads where the account does; mail adds no link."""
    account, texts = account_and_texts(made)
    parsed = Parsed(account_page(account))
    assert parsed.tags <= TAGS
    assert parsed.attributes <= ATTRIBUTES
    assert parsed.links - JUMPS <= addresses(account)
    assert links_in(parsed.text) == set()
    assert mentions_in(parsed.text) == []
    assert hidden_in(parsed.text) == []
    assert missing_from(parsed.text, texts) == []


HOSTILE = CaseRecord(
    finding_key="0a" * 32,
    finding_name=MARKUP[0],
    category=" ".join(MARKUP[:-3]),
    event_time=START,
    digest="d",
    decision={
        "facts": {
            "programs": [{"command": " ".join(MARKUP), "files": []}],
            "contacts": list(MARKUP),
            "labels": ["x" * 4000],
        }
    },
)


@pytest.mark.parametrize("width", [360, 1280], ids=["phone", "desk"])
def test_a_browser_runs_and_loads_nothing_of_it(tmp_path: Path, width: int) -> None:
    """Chromium: no request but the file's own, no error, no element too many, and nothing is wider than the screen."""
    file = tmp_path / "case.html"
    file.write_text(account_page(account_of(HOSTILE)), encoding="utf-8")
    with page(tmp_path / "profile") as shown:
        shown.open(file)
        shown.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=740, deviceScaleFactor=1, mobile=width < 500
        )
        assert shown.value("document.documentElement.scrollWidth") <= width
        assert shown.value("document.querySelectorAll('script,img,svg,iframe,form,[onerror],[onload]').length") == 0
        assert shown.value("document.querySelectorAll('section').length") == len(QUESTIONS) + 2
        size = shown.value("parseFloat(getComputedStyle(document.querySelector('dd')).fontSize)")
        assert size >= 16
    assert [url for url in shown.requests if not url.startswith(("file:", "data:"))] == []
    assert shown.errors == []


def test_a_real_case_is_printed_with_its_addresses(tmp_path: Path) -> None:
    """On paper the text is black on white, and each link is followed by where it leads."""
    with contained_case(tmp_path) as case:
        account = desk_account(case.record)
    file = tmp_path / "case.html"
    file.write_text(account_page(account), encoding="utf-8")
    with page(tmp_path / "profile") as shown:
        shown.open(file)
        shown.send("Emulation.setEmulatedMedia", media="print")
        after = "getComputedStyle(document.querySelector('#links a'), '::after').content"
        assert "console.cloud.google.com" in shown.value(after)
        assert shown.value("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        printed = base64.b64decode(shown.send("Page.printToPDF", printBackground=False)["data"])
    assert printed.startswith(b"%PDF")
    assert shown.errors == []
