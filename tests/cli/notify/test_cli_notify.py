"""`notify` sends a message that says it is a test, and lists what waits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli.main import main
from scc_responder.journal.outbox import outbox
from tests.kits.notices import NOON, mount, told
from tests.kits.responder import write_policies
from tests.kits.web_service import Says, web_service

ROUTES = "routes:\n  ops: {receiver: signed_webhook, address: ops-hook}\nfallback: [ops]\n"


@pytest.fixture
def policies(tmp_path: Path) -> str:
    folder = write_policies(tmp_path / "policies")
    (folder / "routes.yaml").write_text(ROUTES)
    return str(folder)


def test_a_test_is_shown_and_sent(policies: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run only shows it; a receiver that refuses it is a problem. The address is never shown."""
    asked = ["notify", "test", "--route", "ops", "--policies", policies]
    assert main([*asked, "--dry-run"]) == 0
    assert "this is a test" in capsys.readouterr().out
    answers = iter([Says(), Says(403)])
    with web_service(lambda _: next(answers)) as hook:
        secrets = str(mount(tmp_path / "secrets", {"ops": f"{hook.url}/s3cr3t"}))
        assert main([*asked, "--secrets", secrets]) == 0
        assert "\nsent\n" in capsys.readouterr().out
        assert main([*asked, "--secrets", secrets, "--format", "json"]) == 1
    answer = capsys.readouterr().out
    assert json.loads(answer)["result"] == "refused: receiver_status_403"
    assert "s3cr3t" not in answer
    assert len(hook.posted) == 2


def test_an_unknown_route_is_wrong_use(policies: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The known ones are named; without a folder of addresses nothing can be sent."""
    assert main(["notify", "test", "--route", "op", "--policies", policies]) == 2
    assert "did you mean 'ops'?" in capsys.readouterr().err
    assert main(["notify", "test", "--route", "ops", "--policies", policies]) == 2
    assert "--secrets" in capsys.readouterr().err


def test_what_waits_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its case and why; what was given up is a problem."""
    path = str(tmp_path / "store.db")
    store = SqliteStore(path)
    assert main(["notify", "list", "--store", path]) == 0
    item = outbox.put(store, "ops", told(1), NOON)
    assert item
    assert main(["notify", "list", "--store", path]) == 0
    assert "not tried yet" in capsys.readouterr().out
    outbox.not_taken(store, item, "receiver_status_400", NOON, after=0, lasts=True)
    assert main(["notify", "list", "--store", path, "--format", "json"]) == 1
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["refused"], listed["given_up"]) == ("receiver_status_400", True)
