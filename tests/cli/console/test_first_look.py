"""A newcomer's first look: a browser, from the printed address to a containment that was approved and taken back."""

from __future__ import annotations

import time
from pathlib import Path

from scc_responder.domain.status import CaseState
from scc_responder.journal.case import WordKind
from scc_responder.journal.contained import containment
from tests.browser import page
from tests.kits.desk_console import desk_console


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

        shown.click(".acts a")
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
