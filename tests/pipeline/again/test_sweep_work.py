"""What one sweep may begin: so many cases, in one order, and none of a cluster that cannot take another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.domain.store import Entry
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.journal import Transition
from scc_responder.pipeline.again.sweep_work import MAX_BEGUN, SweepWork
from scc_responder.pipeline.again.unfinished_cases import QUIET
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import CLUSTER, NODE, Deployment, deployed, finding_about, policy
from tests.pipeline.again.test_by_itself import ONE, delivered, states
from tests.pipeline.test_busy_cluster import half_taken
from tests.pipeline.test_sweep import crashed, held_by_control, later, stored_before, swept

OTHER = CLUSTER.replace("prod-1", "prod-2")


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    return deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=ONE)


@pytest.fixture
def held(deployment: Deployment, pod: dict[str, Any]) -> CaseRecord:
    """A case that the kill switch held and lets go on."""
    document = finding_about(pod)
    held_by_control(deployment, document)
    deployment.turn("enforce")
    return deployment.case(document)


def take(record: CaseRecord, _is_held: bool) -> Transition:
    """The rule that takes any case."""
    return Transition(reason=Reason.RESUMED, status=204, record=record, starts=True)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cases that sweeps begin, in their order."""
    keys: list[str] = []
    go_on = SweepWork.go_on

    def noted(work: SweepWork, case: ClaimedCase) -> str:
        keys.append(case.record.finding_key)
        return go_on(work, case)

    monkeypatch.setattr(SweepWork, "go_on", noted)
    return keys


def test_what_only_a_try_can_tell_comes_last(deployment: Deployment, pod: dict[str, Any], begun: list[str]) -> None:
    """A case that was left in the middle goes first, however many refused ones stand before it: they fill the rest."""
    document = finding_about(pod)
    crashed(deployment, document, 1)
    shut = replace(deployment.case(document), state=CaseState.HELD, reason=Reason.CLUSTER_NOT_ONBOARDED, owner="")
    stored_before(deployment, shut, MAX_BEGUN)
    later(deployment, QUIET + timedelta(seconds=1))
    assert swept(deployment) == {"resumed": MAX_BEGUN, "at_rest": 1}
    assert begun[0] == deployment.case(document).finding_key


def test_what_time_held_comes_behind_what_its_cluster_held(
    deployment: Deployment, cluster: SimulatedCluster, begun: list[str]
) -> None:
    """Wherever their keys stand: both are tries."""
    documents = delivered(deployment, cluster.objects("Pod", "shop"))
    assert states(deployment, documents)[1] == ("held", "limit_namespace")
    waits = deployment.case(documents[1])
    paused = replace(waits, finding_key="f" * 64, reason=Reason.CLUSTER_PAUSED)
    deployment.services.store.create(f"case/{paused.finding_key}", encode(paused), unfinished=True)
    later(deployment, timedelta(minutes=16))
    assert swept(deployment)["resumed"] == 2
    assert begun == [paused.finding_key, waits.finding_key]


def test_a_busy_cluster_is_left_out_and_the_others_go_on(deployment: Deployment, cluster: SimulatedCluster) -> None:
    """Also where time alone held its cases: nobody waits for it, and it is told."""
    here = delivered(deployment, cluster.objects("Pod", "shop"))
    cluster.create(objects.namespace("billing"))
    cluster.create(objects.deployment("api", "billing", NODE, replicas=2))
    pods = cluster.objects("Pod", "billing")
    there = [finding_about(each, finding_id=f"{number:031x}f", cluster=OTHER) for number, each in enumerate(pods)]
    for number, document in enumerate(there):
        deployment.list_finding(document, f"there-{number}")
        deployment.deliver(document)
    assert [states(deployment, documents)[1][0] for documents in (here, there)] == ["held", "held"]
    later(deployment, timedelta(minutes=16))
    asked = deployment.case(here[1]).attempts
    with half_taken(deployment, CLUSTER):
        met = swept(deployment)
    assert (met["cluster_busy"], met["resumed"]) == (1, 1)
    assert deployment.case(here[1]).attempts == asked
    assert states(deployment, there)[1][0] == "done"


def test_a_cluster_that_gave_no_answer_is_not_asked_again(deployment: Deployment, held: CaseRecord) -> None:
    """The first case waits for it, and no other of the same sweep."""

    class Silent:
        def connect(self, ref: ClusterRef) -> Any:
            raise ApiError(Reason.TIMEOUT, ref.path)

        describe = connect

    deployment.services.clusters = Silent()
    work = SweepWork(deployment.services, utc_now(), "sweep")
    _, case = work.take(held, take)
    assert case is not None
    work.go_on(case)
    assert deployment.line["by"] == "sweep"
    assert work.take(held, take) == (Reason.CLUSTER_BUSY, None)
    assert work.begun == 1


def test_no_more_than_one_limit_for_all(deployment: Deployment, held: CaseRecord) -> None:
    """Whatever the reason was for which the others were begun."""
    work = SweepWork(deployment.services, utc_now(), "sweep")
    work.begun = MAX_BEGUN
    assert (work.goes_on, work.take(held, take)) == (False, (Reason.OUT_OF_TIME, None))


def test_nothing_begins_when_the_time_is_over(deployment: Deployment, held: CaseRecord) -> None:
    """The rest of the request's time is for the last case that began."""
    work = SweepWork(deployment.services, utc_now() - timedelta(hours=1), "look")
    assert work.take(held, take) == (Reason.OUT_OF_TIME, None)


def test_the_kill_switch_is_asked_once_for_each_cluster(deployment: Deployment, held: CaseRecord) -> None:
    """Ten thousand held cases of one cluster cost one read."""
    reads: list[str] = []
    store = deployment.services.store

    class Counted(type(store)):  # type: ignore[misc]
        def get_many(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
            reads.extend(key for key in keys if key.startswith("control/"))
            return super().get_many(keys)  # type: ignore[no-any-return]

    deployment.services.store = Counted(deployment.folder / "journal.db")
    work = SweepWork(deployment.services, utc_now(), "sweep")
    assert [work.is_let(held) for _ in range(100)] == [True] * 100
    once = len(reads)
    assert work.is_let(replace(held, cluster=OTHER))
    assert 0 < once < len(reads) < 10


@pytest.mark.parametrize(
    ("mode", "reason", "expected"),
    [
        ("enforce", "control_disabled", True),
        ("approve", "control_disabled", True),
        ("dry_run", "control_disabled", False),
        ("disabled", "cluster_access_lost", False),
        ("dry_run", "cluster_access_lost", True),
        ("dry_run", "cluster_paused", False),
    ],
)
def test_what_the_kill_switch_lets_a_sweep_begin(
    deployment: Deployment, held: CaseRecord, mode: str, reason: str, expected: bool
) -> None:
    """Acts, or the evidence of a cluster that refused to be read, which a rehearsal keeps too."""
    deployment.turn(mode)
    assert SweepWork(deployment.services, utc_now(), "sweep").is_let(replace(held, reason=reason)) == expected
