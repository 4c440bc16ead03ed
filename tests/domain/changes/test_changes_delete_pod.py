"""A deletion: armed before, on condition of the very pod, and its processes seen to end."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from scc_responder.domain.changes import StepRun
from scc_responder.domain.changes.delete_pod import DeletePod
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.labels import ARMED_BY
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus
from tests.kits.one_change import one_cluster, pod_target, step_run


def test_an_armed_pod_is_deleted() -> None:
    """And its processes are seen to end; a second attempt of the same action knows that it may have been its own."""
    with one_cluster() as (cluster, means):
        target = pod_target(cluster)
        change = DeletePod(**target, grace_period_seconds=1)
        unarmed = change.carry_out(step_run(), means)
        PatchObject(kind="Pod", **target, marker=ARMED_BY, versioned=True).carry_out(step_run(), means)
        rehearsed = change.carry_out(step_run(dry_run=True), means)
        deleted = change.carry_out(step_run(), means)
        again = [change.carry_out(step_run(intended=intended), means) for intended in (True, False)]
        left = {pod["metadata"]["uid"] for pod in cluster.objects("Pod", "shop")}
    assert (unarmed.status, unarmed.reason) == (StepStatus.FAILED, "not_armed")
    assert (rehearsed.status, rehearsed.reason) == (StepStatus.DRY_RUN, "would_delete")
    assert (deleted.status, deleted.reason) == (StepStatus.DONE, "processes_ended")
    assert (deleted.containment, deleted.contained_at is not None) == ("processes_ended", True)
    assert [result.reason for result in again] == ["gone_after_intent", "gone_by_other"]
    assert target["uid"] not in left


def pod(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"uid": "u", "resourceVersion": "7", **metadata}}


CHANGE = DeletePod(namespace="shop", name="web-1", uid="u", grace_period_seconds=30)
ARMED = {"labels": {ARMED_BY: "a1"}}
ARMED_BEFORE = {"annotations": {ARMED_BY: "a1"}}
"""As version 0.1.0 armed pods."""

PROBES: list[Any] = [
    (pod(**ARMED), False, None),
    (pod(**ARMED_BEFORE), False, None),
    (pod(labels={ARMED_BY: "another"}, annotations={ARMED_BY: "another"}), False, "not_armed"),
    (pod(), False, "not_armed"),
    (pod(deletionTimestamp="t", **ARMED), False, "terminating"),
    (pod(deletionTimestamp="t", deletionGracePeriodSeconds=31, **ARMED), False, None),
    (None, True, "gone_after_intent"),
    (None, False, "gone_by_other"),
    (pod(uid="other"), False, "target_replaced"),
]


@pytest.mark.parametrize(("read", "sent", "reason"), PROBES)
def test_a_probe_says_what_is_left_to_do(read: Any, sent: bool, reason: str | None) -> None:
    """Nothing, where the pod is gone or on its way out as fast as we ask for."""
    result = CHANGE.probe(step_run(), read, sent=sent)
    assert (result and result.reason) == reason


def test_the_request_is_conditional() -> None:
    """On UID and version; a dry run was not armed, so that its version is not known."""
    assert CHANGE.options(step_run(), pod()) == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "u", "resourceVersion": "7"},
        "gracePeriodSeconds": 30,
    }
    assert CHANGE.options(step_run(dry_run=True), pod())["preconditions"] == {"uid": "u"}


@pytest.mark.parametrize(
    ("asked", "own", "sent"), [(0, 30, 1), (None, 0, 1), (None, 30, None), (None, None, None), (1, 0, 1), (5, 0, 5)]
)
def test_no_grace_period_is_zero(asked: int | None, own: int | None, sent: int | None) -> None:
    """With 0 the object goes while the process lives: also a stored step, and a pod's own 0, is carried out with 1."""
    read = {**pod(), "spec": {} if own is None else {"terminationGracePeriodSeconds": own}}
    options = msgspec.structs.replace(CHANGE, grace_period_seconds=asked).options(step_run(), read)
    assert options.get("gracePeriodSeconds") == sent


def test_a_raised_grace_period_is_said() -> None:
    """Whoever reads the case learns that its 0 was carried out as 1."""
    with one_cluster() as (cluster, means):
        target = pod_target(cluster)
        means.api.patch(f"/api/v1/namespaces/shop/pods/{target['name']}", {"metadata": ARMED})
        result = DeletePod(**target, grace_period_seconds=0).carry_out(step_run(), means)
    assert (result.reason, result.detail.split(":")[0]) == (
        "processes_ended",
        "carried out with grace_period_seconds 1",
    )


def test_a_period_without_end_ends_nothing_of_ours() -> None:
    """Its owner deleted a pod whose processes had ended, with as long a grace period as a number can be."""

    class Kept:
        def get(self, _path: str) -> dict[str, Any]:
            doomed = pod(deletionTimestamp="2026-03-02T09:00:00Z", deletionGracePeriodSeconds=2**63 - 1, **ARMED)
            return {**doomed, "spec": {}, "status": {"phase": "Succeeded"}}

    session: Any = ClusterSession(Kept(), {}, lambda _seconds: None, ThreadPoolExecutor(1))  # type: ignore[arg-type]
    means: Any = dataclasses.make_dataclass("Means", [])()
    means.in_cluster = lambda change: change(session)
    result = CHANGE.carry_out(step_run(), means)
    assert (result.status, result.reason) == (StepStatus.DONE, "processes_ended")


def test_a_finalizer_keeps_the_object_alone() -> None:
    """That the processes have ended is the containment; what keeps the object is told."""
    with one_cluster() as (cluster, means):
        target = pod_target(cluster)
        patch = {"metadata": {"finalizers": ["example.com/keep"], **ARMED}}
        means.api.patch(f"/api/v1/namespaces/shop/pods/{target['name']}", patch)
        result = DeletePod(**target, grace_period_seconds=5).carry_out(step_run(), means)
    assert (result.status, result.reason) == (StepStatus.DONE, "processes_ended")
    assert result.detail == "kept by example.com/keep"


NOW = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
DUE = NOW + timedelta(seconds=40)
LEAVING = {"deletionTimestamp": "2026-03-02T09:00:30Z", "deletionGracePeriodSeconds": 30}
GONE = None


def seen(state: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    statuses = {"containerStatuses": [{"name": "app", "containerID": "containerd://1", "state": state}]}
    spec = {"nodeName": "n", "containers": [{"name": "app"}]}
    return {**pod(**ARMED, **metadata), "spec": spec, "status": statuses}


RUNS = seen({"running": {}})
STAYS = seen({"running": {}}, **LEAVING)
ENDED = seen({"terminated": {"exitCode": 143, "finishedAt": "2026-03-02T09:00:02Z"}}, **LEAVING)
HELD = seen({"running": {}}, **LEAVING, finalizers=["example.com/keep"])
REPLACED = {**RUNS, "metadata": {"uid": "another"}}


class Scripted:
    """`changes.Means` whose pod is read as these answers say, one after the other; the last one stays."""

    def __init__(self, *answers: Any) -> None:
        self.answers = [*answers]
        self.deleted: list[Any] = []
        self.waited: list[float] = []
        self.reads = 0

    def get(self, _path: str) -> Any:
        self.reads += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if answer is GONE:
            raise ApiError(Reason.NOT_FOUND, "gone", status=404)
        return answer

    def delete(self, _path: str, options: Any, *, dry_run: bool = False) -> Any:
        self.deleted.append(options)
        return {}

    def in_cluster(self, change: Any) -> Result:
        with ThreadPoolExecutor(1) as pool:
            result: Result = change(ClusterSession(self, {}, self.waited.append, pool))  # type: ignore[arg-type]
            return result


def run(now: datetime = NOW, due: datetime | None = None) -> StepRun:
    return dataclasses.replace(step_run(), clock=lambda: now, due_at=due)


def shown(result: Result) -> tuple[str, str]:
    return str(result.status), str(result.reason)


ENDINGS: list[Any] = [
    pytest.param([RUNS, STAYS, ENDED], ("done", "processes_ended"), 3, id="seen to end"),
    pytest.param([RUNS, STAYS, STAYS], ("terminating", "deletion_awaited"), 10, id="does not end in 4 s"),
    pytest.param([RUNS, HELD], ("terminating", "deletion_awaited"), 10, id="runs on behind a finalizer"),
    pytest.param([RUNS, GONE], ("terminating", "deletion_awaited"), 2, id="gone, and not seen to end"),
    pytest.param([RUNS, REPLACED], ("terminating", "deletion_awaited"), 2, id="replaced, and not seen to end"),
    pytest.param([STAYS, ENDED], ("done", "processes_ended"), 2, id="another deleted it"),
    pytest.param([{**RUNS, "spec": {}}, GONE], ("done", "deleted"), 2, id="it never was on a node: nothing ran"),
]


@pytest.mark.parametrize(("answers", "ending", "reads"), ENDINGS)
def test_a_deletion_says_what_was_seen(answers: Sequence[Any], ending: tuple[str, str], reads: int) -> None:
    """Not what was asked for: an object that goes is not a process that ended. It reads until then, and not again."""
    means = Scripted(*answers)
    result = CHANGE.carry_out(run(), means)
    assert (shown(result), means.reads) == (ending, reads)
    assert len(means.deleted) == (0 if answers[0] is STAYS else 1)
    assert result.due_at == (DUE if ending[0] == "terminating" else None)


def test_the_wait_ends_after_four_seconds() -> None:
    """It waits between its reads, by the waiter that it is given."""
    means = Scripted(RUNS, STAYS)
    CHANGE.carry_out(run(), means)
    assert (sum(means.waited), min(means.waited)) == (pytest.approx(4.0), 0.1)


def test_a_read_that_fails_does_not_prove_an_end() -> None:
    """Also where the pod is gone when it is read again."""
    means = Scripted(RUNS, ApiError(Reason.CONFLICT, "again", status=409), GONE)
    assert shown(CHANGE.carry_out(run(), means)) == ("terminating", "deletion_awaited")
    assert len(means.deleted) == 1


EARLY, LATE = DUE - timedelta(seconds=1), DUE
LOOKS: list[Any] = [
    pytest.param(EARLY, ENDED, ("done", "processes_ended"), "", id="ended before it is due"),
    pytest.param(EARLY, STAYS, ("terminating", "deletion_awaited"), "within its grace period", id="not due yet"),
    pytest.param(EARLY, GONE, ("terminating", "deletion_awaited"), "the pod is gone", id="gone too early to tell"),
    pytest.param(LATE, GONE, ("done", "deleted"), "the pod is gone; nothing told", id="gone"),
    pytest.param(LATE, REPLACED, ("done", "deleted"), "the pod is gone; nothing told", id="gone, and its name taken"),
    pytest.param(LATE, STAYS, ("terminating", "terminating"), "", id="it does not end"),
    pytest.param(LATE, HELD, ("terminating", "terminating"), "kept by example.com/keep", id="nor behind a finalizer"),
]


@pytest.mark.parametrize(("now", "read", "ending", "detail"), LOOKS)
def test_a_later_look_only_reads(now: datetime, read: Any, ending: tuple[str, str], detail: str) -> None:
    """What is awaited ends once the grace period and ten seconds are over; no request is sent again."""
    means = Scripted(read)
    result = CHANGE.carry_out(run(now, DUE), means)
    assert (shown(result), means.reads, means.deleted, means.waited) == (ending, 1, [], [])
    assert result.detail.startswith(detail)
    assert result.due_at == (DUE if ending[0] == "terminating" else None)
    assert (result.containment or "") == (ending[1] if ending[0] == "done" else "")


def ended(at: str) -> dict[str, Any]:
    """Ended for good, whatever the node's clock says."""
    read = seen({"terminated": {"exitCode": 143, "finishedAt": f"2026-03-02T{at}Z"}}, **LEAVING)
    return {**read, "status": {**read["status"], "phase": "Failed"}}


TIMES: list[Any] = [
    pytest.param("09:00:00", timedelta(seconds=0.1), id="cut to the second: no earlier than the read before"),
    pytest.param("08:59:00", timedelta(seconds=0.5), id="a clock that is slow"),
    pytest.param("10:00:00", timedelta(seconds=0.5), id="a clock that is fast"),
]


@pytest.mark.parametrize(("finished", "after"), TIMES)
def test_two_reads_bound_the_end(finished: str, after: timedelta) -> None:
    """A node's clock may be wrong: the pod ran at the read before, and had ended at this one."""
    means = Scripted(RUNS, STAYS, ended(finished))
    # Reads take no time here: the pod ran after 0.1 s, and had ended after 0.5 s.
    clocked = dataclasses.replace(step_run(), clock=lambda: NOW + timedelta(seconds=sum(means.waited)))
    assert CHANGE.carry_out(clocked, means).contained_at == NOW + after


SWEPT: list[Any] = [
    pytest.param("09:00:20", NOW + timedelta(seconds=20), id="between the delivery and the sweep"),
    pytest.param("09:00:04", NOW + timedelta(seconds=4.5), id="within the second of the delivery's last read"),
    pytest.param("08:00:00", None, id="a clock that is slow"),
    pytest.param("12:00:00", None, id="a clock that is fast"),
]


@pytest.mark.parametrize(("finished", "at"), SWEPT)
def test_a_sweep_has_no_time_of_its_own(finished: str, at: datetime | None) -> None:
    """Where the node's clock contradicts what was read, nobody knows when the processes ended: only that they did."""
    swept = dataclasses.replace(run(NOW + timedelta(hours=1), DUE), ran_at=NOW + timedelta(seconds=4.5))
    result = CHANGE.carry_out(swept, Scripted(ended(finished)))
    assert (shown(result), result.contained_at) == (("done", "processes_ended"), at)
