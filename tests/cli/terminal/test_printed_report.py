"""A report goes to the screen, or to a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.cli.terminal.printed_report import print_report
from scc_responder.domain.errors import SettingsError


@pytest.mark.parametrize("shown", ["all is well", "all is well\n"])
def test_a_report_ends_with_one_line_break(tmp_path: Path, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On the screen as in the file; beside the file the summary is told, where it disturbs no pipe."""
    print_report(shown, None, "1 policy")
    print_report(shown, tmp_path / "report.txt", "1 policy")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("all is well\n", f"{tmp_path / 'report.txt'}: 1 policy\n")
    assert (tmp_path / "report.txt").read_text() == "all is well\n"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With what the system says of it."""
    with pytest.raises(SettingsError, match="none/report: No such file"):
        print_report("", tmp_path / "none" / "report", "")
