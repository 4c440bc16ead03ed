"""The demonstration's console: every case is listed, and at a terminal one plan waits until Enter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scc_responder.cli.console.page_server import served_console
from scc_responder.cli.demo.console_scene import listed_page
from tests.cli.commands import Terminal
from tests.kits.account_cases import waiting_case
from tests.kits.console_pages import KeptAnswers


def test_a_browser_that_opens_the_address_sees_the_cases(tmp_path: Path) -> None:
    """It signs in by the form of the address."""
    told: list[str] = []
    with waiting_case(tmp_path) as case, served_console(case.deployment.services.journal, KeptAnswers(), told.append):
        assert f"/case/{case.record.finding_key[:12]}" in listed_page(told[-1])
        assert f"/case/{case.record.finding_key[:12]}" not in listed_page(told[0])


@pytest.mark.parametrize("ci", ["", "true"])
def test_it_stays_until_enter_at_a_terminal_alone(tmp_path: Path, ci: str) -> None:
    """At a terminal one more plan waits, and the page is there until a person presses Enter; in CI it ends."""
    shown = Terminal("demo", cwd=tmp_path, CI=ci)
    if ci:
        assert shown.ended(100) == 0
        assert "/enter?token=" in shown.shown
        assert "Enter ends the demonstration" not in shown.shown
        return
    shown.wait_for("Enter ends the demonstration", 100)
    (address,) = re.findall(r"http://127\.0\.0\.1:\d+/enter\?token=[\w-]+", shown.shown)
    assert "a plan waits for an answer" in listed_page(address)
    shown.press_enter()
    assert shown.ended() == 0
