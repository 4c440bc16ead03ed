"""The kill switch during a response: what it stops, when, and what becomes of the case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import StoreUnavailable
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore, Entry
from scc_responder.guard.kill_switch import key_of
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import answered, plan_of
from tests.kits.journal_worlds import FaultyStore
from tests.kits.responder import (
    ALL,
    CLUSTER,
    CONTAINED,
    Deployment,
    Interposed,
    deployed,
    finding_about,
    mutations,
    policy,
)
from tests.pipeline.test_sweep import swept

WRITES = {"patch", "create", "delete"}
OTHER = CLUSTER.replace("prod-1", "prod-2")
LOWERED = "mode_lowered_by:control"


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A deployment whose one policy does everything."""
    return deployed(tmp_path, cluster, policy(*ALL))


def without_document(deployment: Deployment) -> None:
    store = deployment.services.store
    entry = store.get(key_of(""))
    assert entry is not None
    store.delete(entry.key, entry.version)


def real_writes(cluster: SimulatedCluster) -> list[str]:
    """The writes that were no dry run."""
    return list(mutations(event for event in cluster.audit if not event.dry_run))


def test_a_disabled_switch_asks_no_cluster(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """Nobody asks a cluster anything; the case says why, and a copy of the message is settled as any other."""
    deployment.turn("disabled")
    document = finding_about(pod)

    ending = deployment.respond_to(document)
    again = deployment.deliver(document)

    assert (ending.status, ending.reason, ending.severity) == (204, "control_disabled", "WARNING")
    assert (deployment.case(document).state, deployment.case(document).reason) == ("held", "control_disabled")
    assert again.reason == "duplicate"
    assert (deployment.clusters.asked, list(cluster.audit)) == (0, [])
    assert deployment.lines[0]["finding"]["cluster"] == CLUSTER


def test_a_fresh_store(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Without the document everything is tried and nothing changed; every policy says what lowered it."""
    without_document(deployment)
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    assert (ending.status, ending.reason) == (204, "dry_run")
    assert real_writes(cluster) == []
    assert [event.dry_run for event in cluster.audit if event.verb in WRITES] != []
    (told,) = deployment.case(document).decision["policies"]
    assert (told["mode"], told["mode_reason"]) == ("dry_run", LOWERED)


SCOPES = [
    pytest.param(("disabled", CLUSTER), "control_disabled", id="this-cluster-disabled"),
    pytest.param(("dry_run", CLUSTER), "dry_run", id="this-cluster-dry-run"),
    pytest.param(("disabled", OTHER), "done", id="another-cluster"),
    pytest.param(("enforce", CLUSTER), "done", id="no-more-than-everywhere"),
]


@pytest.mark.parametrize(("turned", "reason"), SCOPES)
def test_a_switch_stops_one_cluster_alone(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], turned: tuple[str, str], reason: str
) -> None:
    """One cluster's switch is for that cluster alone."""
    deployment.turn(*turned)
    assert deployment.respond_to(finding_about(pod)).reason == reason
    assert (real_writes(cluster) != []) == (reason == "done")


def test_a_cluster_cannot_be_raised(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A cluster that is let enforce still does not where everywhere is `dry_run`."""
    deployment.turn("dry_run")
    deployment.turn("enforce", CLUSTER)
    deployment.respond_to(finding_about(pod))
    assert real_writes(cluster) == []


def flipped(deployment: Deployment, number: int, turn: Callable[[], object]) -> list[str]:
    """Let the switch be turned right after the write of this number: the calls that follow, as `verb path`."""
    after: list[str] = []
    count = {"writes": 0, "turned": 0}

    def turned(_number: int, verb: str, _path: str) -> None:
        count["writes"] += verb in WRITES
        if count["writes"] == number and not count["turned"]:
            count["turned"] = 1
            turn()

    def noted(_number: int, verb: str, path: str) -> None:
        if count["turned"]:
            after.append(f"{verb} {path}")

    deployment.clusters.api = Interposed(deployment.clusters.api, before=noted, after=turned)
    return after


@pytest.mark.parametrize("number", range(1, 8))
@pytest.mark.parametrize("mode", ["disabled", "dry_run"])
def test_flipped_between_two_steps(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], number: int, mode: str
) -> None:
    """Whichever step was the last, nothing is written after it: by the cluster's own audit log."""
    after = flipped(deployment, number, lambda: deployment.turn(mode))
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    written = real_writes(cluster)
    assert len(written) == number
    assert [call for call in after if call.split()[0] in WRITES] == []
    assert ending.status == 204
    record = deployment.case(document)
    assert all(step.is_settled for step in record.steps)
    if mode == "disabled" and number < 7:
        assert (ending.reason, record.state, record.reason) == ("control_disabled", "held", "control_disabled")
    if mode == "dry_run" and number < 7:
        assert record.state == "partial"
        assert {step.reason for step in record.steps if step.status == "held"} >= {LOWERED}
        assert deployment.published.messages[-1]["case"]


def test_disabled_is_told_once_a_case(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Where nothing at all may be done, a person is told that a finding waits, and the policies tell nothing."""
    flipped(deployment, 2, lambda: deployment.turn("disabled"))
    document = finding_about(pod)
    deployment.respond_to(document)
    deployment.deliver(document)
    assert [message["reason"] for message in deployment.published.messages] == ["control_disabled"]


def test_disabled_from_the_start_keeps_the_finding(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """No cluster is asked anything; the case is held and says what was found, and one notice is sent."""
    deployment.turn("disabled")
    document = finding_about(pod)
    ending = deployment.respond_to(document)

    record = deployment.case(document)
    assert (ending.status, record.state, record.reason) == (204, "held", "control_disabled")
    assert (record.decision["finding"]["category"], record.steps) == ("Reverse Shell", ())
    assert (deployment.clusters.asked, len(deployment.published.messages)) == (0, 1)
    assert list(deployment.folder.glob("evidence/**/*.json")) == []


def test_lowered_to_approve_between_two_steps(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """What is left waits for nobody in this delivery: it is held; evidence is still kept."""
    flipped(deployment, 1, lambda: deployment.turn("approve"))
    document = finding_about(pod)

    deployment.respond_to(document)

    assert len(real_writes(cluster)) == 1
    found = {f"{step.action}: {step.reason}" for step in deployment.case(document).steps}
    assert {"capture_evidence: captured", f"cordon_node: {LOWERED}"} <= found


def test_a_switch_at_approve_makes_plans_wait(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """With the switch at `approve`, what a policy enforces waits for a person, and is done once approved."""
    deployment.turn("approve")
    document = finding_about(pod)

    waiting = deployment.respond_to(document)
    before = real_writes(cluster)
    approved = answered(deployment, document)

    assert (waiting.reason, before) == ("waiting_for_approval", [])
    assert (approved.status, deployment.case(document).state) == (204, "done")
    assert "delete pods" in real_writes(cluster)


def test_approved_while_disabled(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """An approval does not go above the switch: the plan is void, and its answer says why."""
    deployment.turn("approve")
    document = finding_about(pod)
    deployment.respond_to(document)
    deployment.turn("disabled")

    ending = answered(deployment, document)

    assert (ending.status, ending.reason) == (409, "control_disabled")
    assert plan_of(deployment, document).reason == "control_disabled"
    assert real_writes(cluster) == []


@pytest.mark.parametrize("place", ["", CLUSTER])
def test_approved_while_only_rehearsed(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], place: str
) -> None:
    """The approval is not used up: each step says what holds it, and the next sweep after the switch goes on."""
    deployment.turn("approve")
    document = finding_about(pod)
    deployment.respond_to(document)
    deployment.turn("dry_run", place)

    ending = answered(deployment, document)
    swept(deployment)

    record = deployment.case(document)
    waiting = {step.action for step in plan_of(deployment, document).steps}
    assert (ending.status, ending.reason, record.state, record.reason) == (204, LOWERED, "held", LOWERED)
    assert {step.action for step in record.current_steps if step.reason == LOWERED} == waiting
    assert (plan_of(deployment, document).state, real_writes(cluster)) == ("approved", [])

    deployment.turn("enforce", place)
    swept(deployment)
    assert (deployment.case(document).state, plan_of(deployment, document).state) == ("done", "used")
    assert "delete pods" in real_writes(cluster)


@pytest.mark.parametrize("number", range(1, 6))
def test_a_plan_that_the_switch_stopped_in_the_middle_goes_on(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], number: int
) -> None:
    """What was made of it stays, and is made once; the rest is done by the same approval."""
    deployment.turn("approve")
    document = finding_about(pod)
    deployment.respond_to(document)
    flipped(deployment, number, lambda: deployment.turn("dry_run"))
    answered(deployment, document)
    swept(deployment)
    before = real_writes(cluster)
    assert "delete pods" not in before
    assert deployment.case(document).reason == LOWERED

    deployment.turn("enforce")
    swept(deployment)
    writes = real_writes(cluster)
    assert (deployment.case(document).state, deployment.case(document).plan.state) == ("done", "used")  # type: ignore[union-attr]
    assert writes.count("delete pods") == 1
    assert writes[: len(before)] == before


class Failing(FaultyStore):
    """A store that does not answer about the switch from its read of a number on."""

    def __init__(self, store: CasStore, first: int) -> None:
        super().__init__(store)
        self.first = first

    def get_many(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        if keys[0].startswith("control/"):
            self.reads += 1
            if self.reads >= self.first:
                raise StoreUnavailable(Reason.STORE_UNAVAILABLE, keys[0])
        return self.store.get_many(keys)


@pytest.mark.parametrize("first", range(1, 10))
def test_an_unreadable_switch_stops_all_writes(
    tmp_path: Path, deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], first: int
) -> None:
    """Nothing is written once the switch cannot be read; the message comes again, and all is done once it can be."""
    store = SqliteStore(tmp_path / "journal.db")
    deployment.services.store = Failing(store, first)
    document = finding_about(pod)

    ending = deployment.respond_to(document)
    written = len(real_writes(cluster))
    deployment.services.store = store
    again = deployment.deliver(document)

    assert (ending.status, ending.reason) == (503, "control_unreadable")
    assert written <= max(0, first - 2)
    assert (again.reason, sorted(deployment.outcomes(document))) == ("done", sorted(CONTAINED))
    assert len(real_writes(cluster)) == 7


def test_the_switch_is_read_before_each_intent(tmp_path: Path, deployment: Deployment, pod: dict[str, Any]) -> None:
    """The switch is read in one request for the decision, and in one before each of nine intents."""
    store = Failing(SqliteStore(tmp_path / "journal.db"), first=1000)
    deployment.services.store = store
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document) == CONTAINED
    assert store.reads == 10


def test_forged_ones_are_rejected_all_the_same(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """What is not listed in Security Command Center is not kept as something to go on with."""
    deployment.turn("disabled")
    document = finding_about(pod)
    deployment.deliver(document)
    now = deployment.services.clock() + timedelta(minutes=11)
    deployment.set_clock(lambda: now)
    assert deployment.deliver(document).reason == "unknown_finding"
