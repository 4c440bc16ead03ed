"""The reference for on-call: what to type about each reason, made from the one table that has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.remedies import REMEDIES, remedies
from tests.docs import remedies as page
from tests.docs.command_lines import mistakes
from tests.docs.test_guides import ON_CALL, quoted, rows

TOLD = re.compile(r"`((?:scc-responder (?:case|breaker|control) \w+|kubectl \w+)[^`]*)`")


def test_the_table_is_what_the_module_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing has drifted since it was written, and the table is there."""
    assert page.main([]) == 0, capsys.readouterr().err
    assert page.table() in ON_CALL


def test_a_table_that_has_drifted_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told with the command that writes it anew."""
    other = tmp_path / "page.md"
    other.write_text(ON_CALL.replace("`storm_breaker` |", "`storm_braker` |"))
    monkeypatch.setattr(page, "PAGE", other)
    assert page.main([]) == 1
    assert page.COMMAND in capsys.readouterr().err
    assert page.main(["--write"]) == 0


def test_every_reason_with_a_remedy_is_in_it() -> None:
    """Once, with commands that their parsers take."""
    told = [word for first, *_ in rows(ON_CALL, "What to type") for word in quoted(first)]
    wanted = {str(reason).partition("{}")[0] for reason, commands in REMEDIES.items() if commands}
    wanted |= {str(reason).partition("{}")[0] for reason in Reason if reason.is_by_hand}
    assert sorted(told) == sorted(wanted)
    typed = [line for *_, last in rows(ON_CALL, "What to type") for line in quoted(last)]
    assert [(line, mistake) for line in typed for mistake in mistakes(line)] == []


def test_no_row_of_a_reason_says_another_command() -> None:
    """What stands beside a reason in words names the commands of the table, or such as only look."""
    looks = {"case show", "control show", "annotate namespace"}
    for first, text, *_ in rows(ON_CALL, "Reasons"):
        words = [Reason.read(word) or Reason.read(f"{word}x") for word in quoted(first)]
        known = {_verb(remedy.typed()) for word in words if word for remedy in remedies(word)}
        assert {_verb(line) for line in TOLD.findall(text)} <= known | looks, first


def _verb(command: str) -> str:
    return " ".join(command.split()[1:3])
