"""A record that no command can show is told as one that nobody can read, by its name and what is odd in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.journal.step import Step
from tests.cli.commands import called

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
RUN = {"kind": "service", "name": "projects/p/locations/l/services/s", "meant": "", "uid": "u-1"}
ACTING = {"name": "contain", "mode": "enforce", "matched": True}
RETIRED = Step(
    action_id="1", action="cut_ingress", status=StepStatus.DONE, containment="retired", epoch=1, settled_at=AT
)
ODD: dict[str, dict[str, Any]] = {
    "an empty service": {"cloud_run": {"kind": "service"}},
    "a service of numbers": {"cloud_run": {"kind": 3, "name": 4, "meant": 5, "uid": 6}},
    "executions that are none": {"cloud_run": {**RUN, "running": 7}},
    "a policy without a name": {"policies": [{"matched": True, "mode": "enforce", "actions": [{}]}]},
    "an action without changes": {"policies": [{**ACTING, "actions": [{"action": "cut_ingress"}]}]},
    "changes that are none": {"policies": [{**ACTING, "actions": [{"action": "cut_ingress", "changes": 7}]}]},
}


def record(key: str = "a", **fields: Any) -> CaseRecord:
    """A held case with this key."""
    named = {"finding_key": key * 64, "finding_name": "f", "event_time": AT, "digest": "d"}
    return CaseRecord(**{**named, "state": CaseState.HELD, **fields})


def store_of(folder: Path, *records: CaseRecord) -> Path:
    """A store with these cases."""
    store = SqliteStore(folder / "journal.db")
    for item in records:
        store.create(f"case/{item.finding_key}", encode(item))
    store.close()
    return folder / "journal.db"


@pytest.mark.parametrize("name", ODD)
def test_a_record_that_cannot_be_shown_is_told_and_hides_no_other(tmp_path: Path, name: str) -> None:
    """Whoever may write the store could put it there: it is named with what is odd, in `list` and in `show`."""
    path = store_of(tmp_path, record(decision=ODD[name], steps=(RETIRED,)), record("b"))
    for words in (("show", "a" * 12), ("list",), ("list", "--format", "json"), ("show", "a" * 12, "--format", "json")):
        done = called("case", *words, "--store", path)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert "aaaaaaaaaaaa cannot be read: record_unreadable: the record has a part that no version" in done.stderr
    assert "b" * 12 in called("case", "list", "--store", path).stdout
    assert called("case", "show", "b" * 12, "--store", path).returncode == 0
