"""A card says in a minute what happened and what to do first, and nothing in it is active but its links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.notices.routed_notice import NoticeContent, RoutedNotice
from scc_responder.domain.reasons import Reason
from scc_responder.journal.account.notice_card import MOST_CARD_LINES, MOST_CARD_LINKS, notice_card
from scc_responder.journal.notices import breaker_notice
from tests.kits.account_cases import CASES
from tests.kits.hostile_accounts import THOUSAND
from tests.kits.notices import NOON
from tests.kits.routed_notices import CONSOLE, FINDING_LINK, NOTICE, active_in, hostile_notices, is_own, largest, routed


def test_a_card_says_what_to_do_first() -> None:
    """Title and footer in our words; answers as lines; links of addresses that were checked, the console first."""
    card = notice_card(routed())
    assert card.title == "WARNING: a plan waits for approval"
    assert card.about == "HIGH reverse_shell - Execution: Reverse [<]Shell>"
    assert card.first == "read the plan, then approve or reject it in the console"
    assert [(line.name, line.text) for line in card.lines] == [
        ("State", "waiting_for_approval: a person has to approve it"),
        ("What ran", "program: /tmp/run & co"),
        ("Who owns it", "not known: no label"),
    ]
    assert [link.url for link in card.links] == [
        f"{CONSOLE}/case/0a0a0a0a0a0a/plan",
        f"{CONSOLE}/case/0a0a0a0a0a0a",
        FINDING_LINK,
    ]
    assert card.footer == "case 0a0a0a0a0a0a - outcome - scc-responder case show 0a0a0a0a0a0a"


@pytest.mark.parametrize("kind", NoticeKind)
def test_each_kind_of_notice_has_a_title(kind: NoticeKind) -> None:
    """One that is added to the kinds needs its words."""
    notice = Notice(kind=kind, severity=NoticeSeverity.NOTICE, facts={})
    assert notice_card(RoutedNotice(id="n", thread="t", notice=notice)).title.startswith("NOTICE: ")


def test_minimal_content_has_nothing_of_the_finding() -> None:
    """Case, threat, severity, state and link; without a console a command."""
    card = notice_card(routed(content=NoticeContent.MINIMAL))
    assert card.about == "HIGH reverse_shell"
    assert [line.name for line in card.lines] == ["State"]
    assert [link.url for link in card.links] == [f"{CONSOLE}/case/0a0a0a0a0a0a{page}" for page in ("/plan", "")]
    alone = notice_card(routed(content=NoticeContent.MINIMAL, console_url=""))
    assert alone.links == ()
    assert "scc-responder case show 0a0a0a0a0a0a" in alone.footer


def test_a_plan_that_waits_leads_to_its_page() -> None:
    """What is to be read is one click away, and the case the next; without a console it is a command."""
    waits = {"approval": {"to_approve": "scc-responder case approve 0a0a0a0a0a0a --plan 0a"}}
    notice = Notice(kind=NoticeKind.OUTCOME, severity=NoticeSeverity.WARNING, case="0a0a0a0a0a0a", facts=waits)
    there = notice_card(RoutedNotice(id="n", thread="t", notice=notice, console_url=CONSOLE))
    assert there.first == "read the plan, then approve or reject it in the console"
    assert [link.url for link in there.links] == [f"{CONSOLE}/case/0a0a0a0a0a0a{page}" for page in ("/plan", "")]
    alone = notice_card(RoutedNotice(id="n", thread="t", notice=notice))
    assert alone.first == "read the plan, then approve or reject it: scc-responder case show 0a0a0a0a0a0a"
    done = replace(notice, facts={})
    assert notice_card(RoutedNotice(id="n", thread="t", notice=done, console_url=CONSOLE)).first == (
        "look at the case in the console"
    )


FIRST: dict[str, tuple[dict[str, Any], NoticeSeverity, str]] = {
    "a-command": ({"to_do": ["scc-responder case do 0a x"]}, NoticeSeverity.WARNING, "scc-responder case do 0a x"),
    "a-remedy": ({"remedy": "find out why"}, NoticeSeverity.ERROR, "find out why"),
    "nothing": ({}, NoticeSeverity.NOTICE, "nothing has to be done at once"),
    "a-look": ({}, NoticeSeverity.WARNING, "look at the case: scc-responder case show 0a0a0a0a0a0a"),
}


@pytest.mark.parametrize(("facts", "severity", "first"), FIRST.values(), ids=FIRST)
def test_what_comes_first_is_the_nearest_act(facts: dict[str, Any], severity: NoticeSeverity, first: str) -> None:
    """A command that gets on with it, what mends it, a look; or nothing."""
    notice = Notice(kind=NoticeKind.OUTCOME, severity=severity, case="0a0a0a0a0a0a", facts=facts)
    assert notice_card(RoutedNotice(id="n", thread="t", notice=notice)).first == first


def test_a_command_is_shown_as_it_is_typed() -> None:
    """With the address of the store, which no outlet opens; any other address is broken there, too."""
    store = "firestore://example-project/scc-responder-journal"
    notice = breaker_notice("projects/p/locations/l/clusters/c", NOON, "6 denials", store=store)
    card = notice_card(RoutedNotice(id="n", thread="t", notice=notice))
    assert card.first.endswith(
        f"breaker reset --cluster projects/p/locations/l/clusters/c --reason 'WHY' --store {store}"
    )
    other = replace(notice, facts={"remedy": "xfirestore://example-project/cases firestore://evil.example/"})
    shown = notice_card(RoutedNotice(id="n", thread="t", notice=other)).first
    assert shown == "xfirestore[:]//example-project/cases firestore://evil[.]example/"


def test_a_notice_without_answers_shows_its_facts() -> None:
    """A breaker, a policy: each plain fact is a line, with what to do first."""
    facts = {"cluster": "projects/p", "count": 3, "cases": ["0a"], "remedy": "find out why, then: x", "empty": ""}
    notice = Notice(kind=NoticeKind.BREAKER, severity=NoticeSeverity.ERROR, reason=Reason.STORM_BREAKER, facts=facts)
    card = notice_card(RoutedNotice(id="n", thread="t", notice=notice))
    assert [(line.name, line.text) for line in card.lines[1:]] == [("cluster", "projects/p"), ("count", "3")]
    assert card.lines[0].text.startswith("storm_breaker: ")
    assert card.footer == "breaker"
    assert card.text.splitlines()[0] == "ERROR: a storm breaker tripped"


@pytest.mark.parametrize("name", CASES)
def test_a_card_of_a_real_case_has_the_twelve_answers(name: str, tmp_path: Path) -> None:
    """As the pipeline tells it."""
    with CASES[name](tmp_path) as case:
        message = case.deployment.published.messages[-1]
    card = notice_card(routed(notice=replace(NOTICE, facts=message)))
    titles = [line.name for line in card.lines]
    assert len(titles) == 13
    assert titles[1] == "What ran"
    assert titles[-1] == "What is left to do, and how to undo it"
    assert len(card.links) > 2


@THOUSAND
@given(hostile_notices())
def test_a_thousand_hostile_notices_make_inert_cards(made: RoutedNotice) -> None:
    """No text links, mentions or hides; the links are those that are made of checked parts; all is bounded."""
    card = notice_card(made)
    texts = [card.title, card.about, card.first, card.footer]
    texts += [text for line in card.lines for text in (line.name, line.text)] + [link.title for link in card.links]
    assert active_in(texts) == []
    assert [link.url for link in card.links if not is_own(link.url)] == []
    assert len(card.lines) <= MOST_CARD_LINES + 1
    assert len(card.links) <= MOST_CARD_LINKS
    assert max(map(len, texts)) < 3_000


def test_the_largest_card_has_so_much_and_no_more() -> None:
    """Lines, links, and the letters of each."""
    card = notice_card(largest())
    assert (len(card.lines), len(card.links)) == (21, 10)
    texts = [card.about, card.first, *(line.text for line in card.lines), *(link.title for link in card.links)]
    assert max(len(text.encode()) for text in texts) <= 704


def test_a_digest_says_how_many_of_what() -> None:
    """The count also where nothing of a finding may be said."""
    facts = {"count": 480, "by_threat": {"reverse_shell": 470, "other": 10}, "cases": ["0a0a0a0a0a0a", "0b0b0b0b0b0b"]}
    notice = Notice(
        kind=NoticeKind.DIGEST, severity=NoticeSeverity.WARNING, labels={"count": "480"}, reason="gathered", facts=facts
    )
    full, minimal = (
        notice_card(RoutedNotice(id="1", thread="1", content=content, notice=notice)) for content in NoticeContent
    )
    assert [card.about for card in (full, minimal)] == ["480 notices"] * 2
    lines = {line.name: line.text for line in full.lines}
    assert lines["by_threat"] == "reverse_shell: 470, other: 10"
    assert "reverse_shell" not in minimal.text
