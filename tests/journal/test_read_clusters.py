"""Which cases show that a cluster was read, and how long an answer holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.journal import read_clusters
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.journal.read_clusters import ASK_AGAIN_AFTER, forget_refusal, was_ever_read
from scc_responder.journal.step import Step

CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOUCHED = Step(action_id="a", policy="mark", action="label_pod", expected_uid="uid", epoch=1)
KEPT = Step(action_id="a", policy="", action="capture_evidence", epoch=1)


def stored(store: SqliteStore, **fields: Any) -> None:
    """Store one case about the cluster."""
    record = CaseRecord(
        finding_key="key",
        finding_name="name",
        category="c",
        event_time=NOW,
        digest="d",
        owner="",
        opened_at=NOW,
        **{"cluster": CLUSTER, **fields},
    )
    store.create("case/key", encode(record))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"decision": {"pod": {"uid": "u"}}}, True, id="a-pod"),
        pytest.param({"decision": {"pod": None, "missing": {"pod": "target_absent"}}}, True, id="an-absent-pod"),
        pytest.param({"steps": (TOUCHED,)}, True, id="a-step"),
        pytest.param({"steps": (KEPT,)}, False, id="evidence-alone"),
        pytest.param({"decision": {"pod": None, "missing": {"pod": "pod_unreadable"}}}, False, id="unreadable"),
        pytest.param({"decision": {"pod": {"uid": "u"}}, "cluster": CLUSTER + "0"}, False, id="another-cluster"),
        pytest.param({}, False, id="undecided"),
    ],
)
def test_a_case_shows_what_was_read(tmp_path: Path, fields: dict[str, Any], *, expected: bool) -> None:
    """A pod, its proved absence, or a step on an object; also beside a case that cannot be read."""
    store = SqliteStore(tmp_path / "journal.db")
    store.create("case/broken", b"no case")
    stored(store, **fields)
    assert was_ever_read(store, CLUSTER, NOW) is expected


def test_a_no_is_looked_up_again(tmp_path: Path) -> None:
    """It holds for a day, or until the cluster has answered; a yes holds for good, also without its case."""
    store = SqliteStore(tmp_path / "journal.db")
    assert not was_ever_read(store, CLUSTER, NOW)
    stored(store, steps=(TOUCHED,))
    assert not was_ever_read(store, CLUSTER, NOW)
    assert was_ever_read(store, CLUSTER, NOW + ASK_AGAIN_AFTER)
    entry = store.get("case/key")
    assert entry is not None
    store.delete(entry.key, entry.version)
    assert was_ever_read(store, CLUSTER, NOW + 2 * ASK_AGAIN_AFTER)
    forget_refusal(store, CLUSTER)
    assert not was_ever_read(store, CLUSTER, NOW)


def test_a_look_goes_on_where_the_last_one_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Among more cases than one look takes the cluster is found by a later one, without waiting for a day."""
    monkeypatch.setattr(read_clusters, "CASES_LOOKED_AT", 400)
    store = SqliteStore(tmp_path / "journal.db")
    for number in range(900):
        store.create(f"case/{number:04}", b"no case")
    stored(store, steps=(TOUCHED,))
    assert [was_ever_read(store, CLUSTER, NOW) for _ in range(4)] == [False, False, True, True]
