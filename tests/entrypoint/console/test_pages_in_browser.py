"""The pages in Chromium: hostile cases stay text, everybody can read them, and the pictures of the docs are taken."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from scc_responder.cli.console.page_server import served_console
from scc_responder.domain.clock import utc_now
from scc_responder.domain.status import CaseState
from scc_responder.domain.store import CasStore
from scc_responder.entrypoint.console import case_rows
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from scc_responder.journal.listed_cases import Cases
from scc_responder.journal.plan import Plan, PlanStep
from tests.browser import Page, page
from tests.counts import Count
from tests.entrypoint.console.pictures import FOLDER, MAX_BYTES, NAMES, pictures
from tests.kits.console_pages import Browser, KeptAnswers
from tests.kits.desk_console import desk_console
from tests.kits.hostile_accounts import hidden_in, hostile_records, links_in, mentions_in
from tests.kits.journal_worlds import START

HOSTILE = Count("hostile cases on the console's pages", 60, 1000)
SHOWN = Count("hostile cases in Chromium", 6, 60)
ELEMENTS = "script,img,svg,iframe,object,embed,[onerror],[onload],[onclick]"
FOREIGN = "[...document.querySelectorAll('a')].map(a => a.href).filter(href => !href.startsWith('https://'))"


def with_plan(record: CaseRecord, texts: list[str]) -> CaseRecord:
    """The case with a plan that waits, in which each text is hostile, too."""
    a, b, c = texts[:3]
    step = PlanStep(policy=a, action=b, changes=({"change": c, a: b, "labels": {b: c}},))
    long = START.replace(year=9000)
    plan = Plan(digest="ab" * 32, policy_digest=c, steps=(step,), created_at=START, expires_at=long, after=b)
    return replace(record, state=CaseState.WAITING, plan=plan, word=None)


class OneCase(Journal):
    """A journal with one case, also one that no version would write."""

    def __init__(self) -> None:
        super().__init__(cast("CasStore", None), utc_now)
        self.record = CaseRecord(finding_key="0a" * 32, finding_name="f", event_time=START, digest="d")

    def put(self, record: CaseRecord) -> str:
        """Have this case; its page."""
        self.record = record
        return f"/case/{record.finding_key[:12]}"

    def read(self, finding_key: str) -> CaseRecord | None:
        return self.record

    def find(self, case: str) -> str | None:
        return self.record.finding_key

    def cases(self, *_: Any, **__: Any) -> Any:
        return Cases(records=(self.record,))


@pytest.fixture
def listed_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list shows the records of such a journal: it has no entries to read them from."""
    monkeypatch.setattr(case_rows, "cases_of", lambda cases: cases)


@pytest.mark.usefixtures("listed_as_they_are")
@settings(max_examples=HOSTILE.number, deadline=None, suppress_health_check=list(HealthCheck))
@given(hostile_records())
def test_hostile_cases_are_inert_on_every_page(made: tuple[CaseRecord, list[str]]) -> None:
    """List, case, plan, undo, and what comes of a click: no element of theirs, no link, no mention, nothing hidden."""
    record, texts = made
    journal = OneCase()
    path = journal.put(with_plan(record, texts))
    seen = Browser(journal)
    answered = seen.click(f"{path}/plan", "approve", said=texts[0])
    for shown in (answered, *map(seen.get, ("/", path, f"{path}/plan", f"{path}/undo"))):
        assert shown.status_code == 200, shown.text
        inside = _text(shown.text)
        assert "<script" not in shown.text
        assert "<img" not in shown.text
        assert links_in(inside) == set()
        assert mentions_in(inside) == []
        assert hidden_in(inside) == []


def _text(markup: str) -> str:
    """The page's text, as a browser shows it."""
    from html.parser import HTMLParser

    class Text(HTMLParser):
        said, is_style = "", False

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.is_style = tag == "style"
            self.said += "\n"

        def handle_endtag(self, tag: str) -> None:
            self.is_style = False

        def handle_data(self, data: str) -> None:
            self.said += "" if self.is_style else data

    parser = Text()
    parser.feed(markup)
    return parser.said


@contextmanager
def served(shown: Page) -> Iterator[tuple[OneCase, str]]:
    """A journal whose case the browser sees, signed in; and the console's address."""
    journal = OneCase()
    addresses: list[str] = []
    with served_console(journal, KeptAnswers(), addresses.append) as base:
        shown.open(addresses[0])
        shown.click("main button")
        yield journal, base


@pytest.mark.usefixtures("listed_as_they_are")
def test_chromium_runs_and_loads_nothing_of_a_hostile_case(tmp_path: Path) -> None:
    """On a phone, whatever they write: no request but the console's, no error, nothing wider than the screen."""
    with page(tmp_path / "profile") as shown, served(shown) as (journal, base):
        shown.sized(360)

        @settings(max_examples=SHOWN.number, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(hostile_records())
        def look(made: tuple[CaseRecord, list[str]]) -> None:
            path = journal.put(with_plan(*made))
            for where in ("/", path, f"{path}/plan", f"{path}/undo"):
                shown.open(f"{base}{where}")
                assert shown.value(f"document.querySelectorAll('{ELEMENTS}').length") == 0
                assert shown.value("document.documentElement.scrollWidth") <= 360
                assert [href for href in shown.value(FOREIGN) if not href.startswith(base)] == []

        look()
    assert [url for url in shown.requests if not url.startswith((base, "data:"))] == []
    assert shown.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(tmp_path: Path, scheme: str) -> None:
    """Contrast, labels, order, targets: on every page, by day and by night, on a phone and on a desk."""
    with desk_console(tmp_path) as desk, page(tmp_path / "profile") as shown:
        base = desk.addresses[0].partition("/enter")[0]
        path = f"{base}/case/{desk.record.finding_key[:12]}"
        shown.open(desk.addresses[0])
        shown.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        found = shown.faults()
        shown.click("main button")
        for width in (360, 1280):
            shown.sized(width)
            for where in (f"{base}/", path, f"{path}/plan", f"{path}/undo", f"{base}/nothing"):
                shown.open(where)
                found += shown.faults()
                assert shown.value("document.documentElement.scrollWidth") <= width
        shown.open(f"{path}/plan")
        shown.click("form[action$='/approve'] button")
        found += shown.faults()
    assert found == []


def test_axe_finds_a_fault_where_there_is_one(tmp_path: Path) -> None:
    """The check above can fail: grey on white, and a field without a label."""
    file = tmp_path / "bad.html"
    file.write_text("<html lang=en><title>x</title><body style='color:#ccc;background:#fff'><p>grey</p><input>")
    with page(tmp_path / "profile") as shown:
        shown.open(file)
        rules = {fault.partition(":")[0] for fault in shown.faults()}
    assert {"color-contrast", "label"} <= rules


def test_a_page_is_printed_without_its_forms(tmp_path: Path) -> None:
    """Black on white, and nothing to click."""
    with desk_console(tmp_path) as desk, page(tmp_path / "profile") as shown:
        shown.open(desk.addresses[0])
        shown.click("main button")
        shown.click(".cases .needs a")
        shown.send("Emulation.setEmulatedMedia", media="print")
        assert shown.value("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert shown.value("getComputedStyle(document.querySelector('form')).display") == "none"


def test_the_pictures_of_the_docs_are_taken(tmp_path: Path) -> None:
    """Each is a page of today's console, in the size of the one in docs/pictures, which is small."""
    taken = dict(pictures(tmp_path))
    assert tuple(taken) == NAMES
    for name, picture in taken.items():
        kept = (FOLDER / f"{name}.png").read_bytes()
        assert _size(picture) == _size(kept)
        assert len(picture) > 10_000
        assert len(kept) < MAX_BYTES


def _size(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG. Source: PNG (ISO 15948), 11.2.1."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height
