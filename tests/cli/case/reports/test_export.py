"""`case export`: a case as lines that other programs read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.cli.case.reports.export import EXPORTS
from scc_responder.cli.main import main
from scc_responder.domain.finding import case_id
from tests.journal.account.test_ocsf_events import faults
from tests.kits.account_cases import contained_case


@pytest.mark.parametrize("form", EXPORTS)
def test_a_case_is_exported_in_each_form(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object a line, on the screen or in a file; of OCSF each is an event of its schema."""
    with contained_case(tmp_path) as case:
        name = case_id(case.record.finding_key)
    asked = ["case", "export", name, "--format", form, "--store", str(tmp_path / "journal.db")]
    assert main(asked) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) > 2
    if form == "ocsf":
        assert [fault for line in lines for fault in faults(line)] == []
        assert lines[0]["class_uid"] == 2005
    file = tmp_path / "exported"
    assert main([*asked, "--output", str(file)]) == 0
    assert [json.loads(line) for line in file.read_text().splitlines()] == lines
    assert f"{len(lines)} " in capsys.readouterr().err


def test_a_case_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says how to find the others."""
    with contained_case(tmp_path):
        pass
    assert main(["case", "export", "ffffffffffff", "--store", str(tmp_path / "journal.db")]) == 2
    assert "see `case list`" in capsys.readouterr().err
