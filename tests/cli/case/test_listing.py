"""`case list`: of many cases those that are asked for, and never fewer than it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli.case.listing import MOST_LISTED
from scc_responder.cli.main import main
from scc_responder.domain.status import CaseState
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from tests.cli.commands import Terminal, called


def stored(folder: Path, ages: dict[str, timedelta]) -> list[str]:
    """The option that names a store with one held case for each name, changed so long ago."""
    store = SqliteStore(folder / "journal.db")
    now = datetime.now(UTC)
    for name, age in ages.items():
        key = name * (64 // len(name))
        held = CaseRecord(
            finding_key=key, finding_name="f", event_time=now, state=CaseState.HELD, digest="d", updated_at=now - age
        )
        store.create(f"case/{key}", encode(held))
    store.close()
    return ["--store", str(folder / "journal.db")]


def test_since_lists_what_changed_lately(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case that was left alone for longer is not listed, whatever its state."""
    store = stored(tmp_path, {"a": timedelta(minutes=90), "b": timedelta(hours=3)})
    assert main(["case", "list", "--since", "2h", *store]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["a" * 12]
    assert main(["case", "list", "--since", "1h", *store]) == 0
    assert capsys.readouterr().out == "There are no such cases.\n"


@pytest.mark.parametrize("option", [["--since", "2 hours"], ["--limit", "-1"], ["--limit", "few"]])
def test_a_wrong_option_says_what_to_write(
    option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong use ends with 2, and names the option and an example."""
    with pytest.raises(SystemExit) as ended:
        main(["case", "list", *option, *stored(tmp_path, {})])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert option[0] in told
    assert "write" in told


def test_a_long_list_is_cut_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest are listed, and the line below says how many are not and how to see them; JSON has all."""
    names = {f"{number:016x}": timedelta(minutes=number) for number in range(MOST_LISTED + 3)}
    store = stored(tmp_path, names)
    assert main(["case", "list", *store]) == 0
    *listed, last = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == [name[:12] for name in [*names][:MOST_LISTED]]
    assert last.startswith("3 more are not listed: ")
    assert main(["case", "list", "--limit", "0", *store]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(names)
    assert main(["case", "list", "--format", "json", *store]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(names)
    assert main(["case", "list", "--limit", "2", "--format", "json", *store]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2


def test_show_needs_one_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Digits that begin two cases, or none, are refused with a sentence."""
    store = stored(tmp_path, {"ab": timedelta(0), "ac": timedelta(0)})
    assert main(["case", "show", "a", *store]) == 1
    assert "2 cases begin with it: give more digits" in capsys.readouterr().err
    assert main(["case", "show", "b", *store]) == 1
    assert "there is none" in capsys.readouterr().err
    assert main(["case", "show", "ab", *store]) == 0


def test_a_watched_list_shows_what_came_since(tmp_path: Path) -> None:
    """On a terminal, until Ctrl-C; as JSON it is refused."""
    store = stored(tmp_path, {"a": timedelta(hours=1)})
    watching = Terminal("case", "list", "--watch", *store)
    watching.wait_for("\x1b[H\x1b[2J")
    watching.wait_for("a" * 12)
    watching.interrupt()
    assert watching.ended() == 0
    assert "Traceback" not in watching.shown
    refused = called("case", "list", "--watch", "--format", "json", *store)
    assert (refused.returncode, "--watch shows text" in refused.stderr) == (2, True)
