"""Changes of Cloud Run and of processes taken back at a desk, by a case's stored steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.changes import Change, stored
from scc_responder.domain.changes.freeze_process import FreezeProcess
from scc_responder.domain.status import CaseState, FrozenProcess, StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.journal.contained import frozen_processes
from scc_responder.journal.step import Step
from scc_responder.pipeline.undo.undo import Undo, Undone
from scc_responder.settings import read_settings
from scc_responder.workbench.undo.undo_services import UndoServices
from tests.domain.changes.cloud_run.test_set_invokers import members, removal
from tests.domain.changes.cloud_run.test_shift_traffic import move_half
from tests.kits.one_change import IMAGE, one_cluster, pod_target
from tests.kits.one_run_change import SERVICE, OneCloudRun, one_cloud_run, planned_on_run, roll_back
from tests.kits.responder import CLUSTER, SOURCE, OneCluster, api_of

KEY = "a" * 64


def desk(folder: Path, *changes: Change, **fields: Any) -> UndoServices:
    """The services of a desk, whose store has one case in which these changes were made."""
    store = SqliteStore(folder / "journal.db")
    steps = tuple(
        Step(
            action_id="a1" * 16,
            index=number,
            action="isolate_pod",
            status=StepStatus.DONE,
            change=stored(change),
            expected_uid=change.target.uid if change.target else "",
            **fields,
        )
        for number, change in enumerate(changes)
    )
    time = datetime(2026, 3, 2, tzinfo=UTC)
    known = {"state": CaseState.DONE, "steps": steps, "cluster": CLUSTER, "event_time": time}
    store.create(f"case/{KEY}", encode(CaseRecord(finding_key=KEY, finding_name="f", digest="d", **known)))
    given = {"CLUSTERS": CLUSTER, "SOURCES": SOURCE, "STORE": f"sqlite:///{folder / 'journal.db'}", "COLLECTOR": IMAGE}
    settings = read_settings({f"SCC_RESPONDER_{name}": value for name, value in given.items()}, Path("policies"))
    services = UndoServices(settings, store)
    services.wait = lambda _seconds: None
    return services


def said(undone: Sequence[Undone]) -> list[str]:
    return [str(each.result.reason) for each in undone]


def on_run(folder: Path, run: OneCloudRun, *changes: Change) -> UndoServices:
    services = desk(folder, *changes)
    services.run = run.api
    services.wait = run._wait
    return services


def test_cloud_run_is_as_before(tmp_path: Path) -> None:
    """Traffic, ingress and invokers, the last change first; a look changes nothing."""
    with one_cloud_run() as run:
        removed = removal(run)
        before = run.api.get_service(SERVICE).value, members(run)
        changes = [roll_back(run), *planned_on_run(run, "cut_ingress"), removed]
        assert {str(run.carried_out(change).status) for change in changes} == {"done"}
        services = on_run(tmp_path, run, *changes)
        cut = run.api.get_service(SERVICE).value
        looked = Undo(services, KEY).look()
        assert {each.result.status for each in looked} == {StepStatus.DRY_RUN}
        assert run.api.get_service(SERVICE).value.traffic == cut.traffic != before[0].traffic
        undone = Undo(services, KEY).apply()
        after = run.api.get_service(SERVICE).value, members(run)
    assert said(undone) == ["access_restored", "access_restored", "traffic_restored"]
    assert {str(each.result.status) for each in undone} == {"done"}
    assert (after[0].traffic, after[0].ingress, after[1]) == (before[0].traffic, before[0].ingress, before[1])
    services.store.close()


def test_a_service_that_somebody_changed_is_left_alone(tmp_path: Path) -> None:
    """Requests that somebody sent elsewhere since stay there, and it is said so."""
    with one_cloud_run() as run:
        change = roll_back(run)
        run.carried_out(change)
        move_half(run)
        services = on_run(tmp_path, run, change)
        undone = Undo(services, KEY).apply()
    assert said(undone) == ["undo_refused"]
    assert "service_changed" in undone[0].result.detail
    services.store.close()


def test_what_was_frozen_goes_on(tmp_path: Path) -> None:
    """By a container of ours, with the processes that the case stopped; its key is destroyed again."""
    with one_cluster() as (cluster, _means):
        name = cluster.objects("Pod", "shop")[0]["spec"]["containers"][0]["name"]
        change = FreezeProcess(**pod_target(cluster), container=name, request="e30")
        frozen = (FrozenProcess(pid=43, start_ticks=8043),)
        services = desk(tmp_path, change, frozen=frozen)
        services.clusters = OneCluster(api_of(cluster, "undo"))
        undone = Undo(services, KEY).apply()
        record = services.journal.read(KEY)
    assert said(undone) == ["thawed"]
    assert record is not None
    assert frozen_processes(record.steps, change.uid) == ()
    entry = services.store.get(f"collector-key/{KEY[:12]}")
    assert entry is not None
    assert b"null" in entry.value
    services.store.close()
