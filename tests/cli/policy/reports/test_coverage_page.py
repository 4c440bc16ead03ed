"""The page of threats and policies: one file that asks nobody."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from msgspec.structs import replace

from scc_responder.cli.policy.reports.coverage_page import html
from scc_responder.domain.finding import Confidence
from scc_responder.domain.mode import Mode
from scc_responder.intake.threats import catalogue
from scc_responder.workbench.policies.answers_by_mode import AnsweredStep, ModeAnswer, StepAnswer
from scc_responder.workbench.policies.threat_coverage import Coverage


class Tags(HTMLParser):
    """The elements of a page that are open at its end, and all that were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it; void elements are never open."""
        self.seen.append(tag)
        if tag not in {"meta", "input", "link", "br", "col", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It ends the last one that was opened."""
        assert self.open.pop() == tag


def test_every_element_is_closed(found: Coverage) -> None:
    """A row for each threat, and no script that is not the page's own."""
    tags = Tags()
    tags.feed(html(found))
    assert tags.open == []
    assert tags.seen.count("tr") > len(catalogue())


def test_the_page_asks_nobody(found: Coverage) -> None:
    """No style, script or picture is loaded; its own are allowed by their hashes."""
    page = html(found)
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=(?!\"data:)", page)
    assert "Content-Security-Policy" in page
    assert "sha256-" in page


def test_names_are_text(found: Coverage) -> None:
    """Policies and what they come to are there, and nothing of them is markup."""
    page = html(found)
    assert "isolate_pod" in page
    assert "pods" in page
    assert "idle" in page


def test_what_happens_at_each_mode_is_folded_away(found: Coverage) -> None:
    """Every threat says it where it was asked for, alone and raised, and its text is no markup."""
    step = AnsweredStep(action="isolate_pod", answer=StepAnswer.HELD, reason="<b>")
    alone = ModeAnswer(mode=Mode.ENFORCE, confidence=Confidence.LIKELY, raised=False, steps=(step,))
    both = (alone, replace(alone, raised=True, steps=()))
    page = html(replace(found, by_mode={"reverse_shell": both}))
    assert page.count("<details>") == 1
    assert "alone: held: isolate_pod (&lt;b&gt;)" in page
    assert "raised to likely: recorded only" in page
