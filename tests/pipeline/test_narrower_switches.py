"""One policy, namespace or workload lowered for a while, one threat exempt: what is still done, and when it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.mode import Mode
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.persons_levers import exempt
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope
from scc_responder.guard.timed.timed_exemptions import TimedExemption
from scc_responder.guard.timed.timed_levers import limit
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import answered
from tests.kits.responder import (
    ALL,
    CLUSTER,
    RAILS,
    Deployment,
    Interposed,
    deployed,
    finding_about,
    mutations,
    policy,
)
from tests.pipeline.test_sweep import swept

WRITES = {"patch", "create", "delete"}
HOURS = RAILS + "approval: {expires: 4h}\n"


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A deployment whose one policy does everything."""
    return deployed(tmp_path, cluster, policy(*ALL))


def lower(deployment: Deployment, scope: str, name: str, *, place: str = CLUSTER, hours: int = 1) -> None:
    now = datetime.now(UTC)
    item = TimedCeiling(
        scope=TimedScope(scope),
        name=name,
        place=place,
        mode=Mode.DRY_RUN,
        reason="INC-1",
        by="secops@example.com",
        at=now,
        until=now + timedelta(hours=hours),
    )
    limit(SwitchDocuments(deployment.services.store), item)


def real_writes(cluster: SimulatedCluster) -> list[str]:
    """The writes that were no dry run."""
    return list(mutations(event for event in cluster.audit if not event.dry_run))


def workload_of(pod: dict[str, Any]) -> str:
    """A name of the pod that is of itself alone."""
    return f"{pod['metadata']['namespace']}/Pod/{pod['metadata']['name']}"


def scopes(pod: dict[str, Any]) -> dict[str, str]:
    return {"policy": "contain", "namespace": pod["metadata"]["namespace"], "workload": workload_of(pod)}


@pytest.mark.parametrize("scope", ["policy", "namespace", "workload"])
def test_what_is_lowered_is_only_rehearsed(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], scope: str
) -> None:
    """Nothing is changed, everything is rehearsed, and the decision says which ceiling it was."""
    lower(deployment, scope, scopes(pod)[scope])
    document = finding_about(pod)
    assert deployment.respond_to(document).reason == "dry_run"
    assert real_writes(cluster) == []
    assert {"capture_evidence: captured"} <= set(deployment.outcomes(document))
    (told,) = deployment.case(document).decision["policies"]
    assert told["mode_reason"] == f"mode_lowered_by:control_{scope}"


@pytest.mark.parametrize("scope", ["policy", "namespace", "workload"])
def test_what_is_approved_waits_until_it_ends(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], scope: str
) -> None:
    """The approval stays: a sweep looks each quarter of an hour, and goes on with it as it is."""
    deployment = deployed(tmp_path, cluster, policy(*ALL, mode="approve"), guardrails=HOURS)
    document = finding_about(pod)
    deployment.respond_to(document)
    lower(deployment, scope, scopes(pod)[scope])
    assert answered(deployment, document).reason == f"mode_lowered_by:control_{scope}"
    at = datetime.now(UTC) + timedelta(minutes=16)
    deployment.set_clock(lambda: at)
    swept(deployment)
    assert (deployment.case(document).state, real_writes(cluster)) == ("held", [])
    lower(deployment, scope, scopes(pod)[scope], hours=-1)
    swept(deployment)
    assert real_writes(cluster) == []
    at += timedelta(minutes=16)
    swept(deployment)
    assert deployment.case(document).state == "done"


@pytest.mark.parametrize("scope", ["policy", "namespace", "workload"])
def test_what_is_not_meant_is_done(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], scope: str
) -> None:
    """Another name, another cluster and a time that is over hold nothing."""
    lower(deployment, scope, f"{scopes(pod)[scope]}x")
    lower(deployment, scope, scopes(pod)[scope], place=CLUSTER.replace("prod-1", "prod-2"))
    lower(deployment, scope, scopes(pod)[scope], hours=-1)
    assert deployment.respond_to(finding_about(pod)).reason == "done"
    assert real_writes(cluster) != []


@pytest.mark.parametrize("number", range(1, 6))
def test_a_ceiling_stops_what_is_under_way(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], number: int
) -> None:
    """Set between two steps, it stops the next one, whichever that is."""
    calls = {"writes": 0, "after": 0}

    def turned(_number: int, verb: str, _path: str) -> None:
        calls["writes"] += verb in WRITES
        calls["after"] += verb in WRITES and calls["writes"] > number
        if calls["writes"] == number and verb in WRITES:
            lower(deployment, "workload", workload_of(pod))

    deployment.clusters.api = Interposed(deployment.clusters.api, after=turned)
    document = finding_about(pod)
    deployment.respond_to(document)
    assert calls["after"] == 0
    reasons = {step.reason for step in deployment.case(document).steps if step.status == "held"}
    assert calls["writes"] < number or "mode_lowered_by:control_workload" in reasons


def test_an_exempt_threat_is_told_and_not_acted_upon(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """Evidence is kept and a message goes out; each change is held, and names the case that exempts it."""
    now = datetime.now(UTC)
    document = finding_about(pod)
    exempt(
        SwitchDocuments(deployment.services.store),
        TimedExemption(
            threat="reverse_shell",
            uid=pod["metadata"]["uid"],
            case="0123456789ab",
            reason="a load test",
            by="secops@example.com",
            at=now,
            until=now + timedelta(hours=1),
        ),
    )
    ending = deployment.respond_to(document)
    assert (ending.status, real_writes(cluster)) == (204, [])
    steps = deployment.case(document).steps
    assert {step.action for step in steps if step.reason == "exempt:0123456789ab"} >= {"isolate_pod", "delete_pod"}
    assert {"capture_evidence: captured", "notify: published"} <= set(deployment.outcomes(document))
