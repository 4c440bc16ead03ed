"""A newcomer's first look: a browser, from the printed address to a containment that was approved and taken back."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from scc_responder.adapters.messaging.card_page import card_page
from scc_responder.adapters.notifiers import open_receiver
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.status import CaseState
from scc_responder.journal.account.notice_card import notice_card
from scc_responder.journal.case import WordKind
from scc_responder.journal.contained import containment
from tests.browser import Page, page
from tests.kits.desk_console import DeskConsole, desk_console
from tests.kits.notice_services import CHAT_KEY, CHAT_TOKEN, SLACK_CHANNEL, SLACK_TOKEN
from tests.kits.notice_services import slack as slack_service
from tests.kits.web_service import web_service

_PLAN_LINK = re.compile(r"http://127\.0\.0\.1:[0-9]+/case/[0-9a-f]{12}/plan")
_FOCUSED = "document.activeElement && document.activeElement.matches({0!r})"


def test_each_outlet_leads_to_the_plan(tmp_path: Path) -> None:
    """From a notice as it arrives by Slack, Chat and mail, one click is on the page that answers it."""
    with desk_console(tmp_path) as desk:
        told, place = notice_of(desk), f"{base_of(desk)}/case/{desk.record.finding_key[:12]}/plan"
        with web_service(slack_service) as service:
            secret = {"token": SLACK_TOKEN, "channel": SLACK_CHANNEL, "url": f"{service.url}/api/chat.postMessage"}
            open_receiver("slack", json.dumps(secret)).send(told)
            slack = service.posted[0].body.decode()
        with web_service() as service:
            query = f"key={CHAT_KEY}&token={CHAT_TOKEN}"
            open_receiver("google_chat", f"{service.url}/v1/spaces/A/messages?{query}").send(told)
            chat = service.posted[0].body.decode()
        mail = card_page(notice_card(told))
    assert [set(_PLAN_LINK.findall(text)) for text in (slack, chat, mail)] == [{place}] * 3
    assert notice_card(told).first == "read the plan, then approve or reject it in the console"


def test_the_keyboard_is_enough_also_at_twice_the_size(tmp_path: Path) -> None:
    """From a notice's link to approved and taken back by Tab, Enter and words alone, in under two minutes."""
    with desk_console(tmp_path) as desk, page(tmp_path / "profile") as shown:
        shown.open(desk.addresses[0])
        shown.sized(640)  # 1280 px at 200 %
        by_keyboard(shown, "main button")
        (link,) = {link.url for link in notice_card(notice_of(desk)).links if link.url.endswith("/plan")}
        began = time.monotonic()
        shown.open(link)
        by_keyboard(shown, "form[action$='/approve'] button")
        assert str(containment(desk.record.current_steps)) == "isolated"
        by_keyboard(shown, ".acts a[href$='/undo']")
        to(shown, "#said-undo")
        shown.send("Input.insertText", text="a load test")
        shown.press("Enter", leads_on=True)
        assert shown.value("document.querySelector('h1').textContent").startswith("Taken back.")
        assert shown.value("document.documentElement.scrollWidth") <= 640
        assert desk.cluster.objects("NetworkPolicy", "shop") == []
    assert time.monotonic() - began < 120


def to(shown: Page, selector: str) -> None:
    """Press Tab until this is in focus."""
    for _ in range(40):
        if shown.value(_FOCUSED.format(selector)):
            return
        shown.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def by_keyboard(shown: Page, selector: str) -> None:
    """Reach it by Tab, and press Enter."""
    to(shown, selector)
    shown.press("Enter", leads_on=True)


def base_of(desk: DeskConsole) -> str:
    return desk.addresses[0].partition("/enter")[0]


def notice_of(desk: DeskConsole) -> RoutedNotice:
    """The notice of the case, as a route takes it."""
    message = desk.deployment.published.messages[0]
    case = desk.record.finding_key[:12]
    notice = Notice(kind=NoticeKind.OUTCOME, severity=NoticeSeverity.WARNING, case=case, facts=message)
    return RoutedNotice(id="n", thread=case, notice=notice, console_url=base_of(desk))


def test_a_person_approves_and_takes_back_in_under_two_minutes(tmp_path: Path) -> None:
    """Address, list, case, plan, approved, verified, taken back: by clicks, with nothing loaded and no error."""
    began = time.monotonic()
    with desk_console(tmp_path) as desk, page(tmp_path / "profile") as shown:
        shown.open(desk.addresses[0])
        shown.sized(360)
        shown.click("main button")
        assert shown.value("document.querySelector('h1').textContent") == "Cases"
        shown.click(".cases .needs a")
        assert "What ran" in shown.value("document.body.textContent")
        shown.click(".acts .go")
        assert "isolate_pod" in shown.value("document.body.textContent")
        shown.write("#said-approve", "the shell is real")
        shown.click("form[action$='/approve'] button")
        told = shown.value("document.body.textContent")
        assert shown.value("document.querySelector('h1').textContent").startswith("Approved.")
        assert "no new connection is possible" in told
        assert str(containment(desk.record.current_steps)) == "isolated"
        assert len(desk.cluster.objects("NetworkPolicy", "shop")) == 1

        shown.click(".acts a[href$='/undo']")
        shown.click("form[action$='/rehearse_undo'] button")
        assert "Nothing was changed" in shown.value("document.querySelector('h1').textContent")
        assert len(desk.cluster.objects("NetworkPolicy", "shop")) == 1
        shown.write("#said-undo", "a load test")
        shown.click("form[action$='/undo'] button")
        assert shown.value("document.querySelector('h1').textContent").startswith("Taken back.")
        assert desk.cluster.objects("NetworkPolicy", "shop") == []
        word = desk.record.word
        assert word is not None
        assert (word.kind, word.said) == (WordKind.UNDONE, "a load test")
        own = desk.addresses[0].partition("/enter")[0]
    assert desk.record.state is not CaseState.WAITING
    assert [url for url in shown.requests if not url.startswith((own, "data:"))] == []
    assert shown.errors == []
    assert time.monotonic() - began < 120
