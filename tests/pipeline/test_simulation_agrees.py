"""What `simulate` says of a snapshot is what the responder then does in the cluster: on the same real parts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.context import Cluster
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.status import StepStatus
from scc_responder.guard.guard import guard
from scc_responder.intake.notification import parse_notification
from scc_responder.policy.decide import decide
from scc_responder.workbench.cluster_snapshot import Snapshot, take_snapshot
from scc_responder.workbench.explanation import context_of
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulation.replayed_limits import ReplayedLimits
from tests.cluster import objects
from tests.kits.responder import (
    ALL,
    CLUSTER,
    NODE,
    RAILS,
    SPARE_NODE,
    Deployment,
    api_of,
    deployed,
    finding_about,
    policy,
)

REF = ClusterRef.parse(CLUSTER)
assert REF is not None
DESCRIBED = Cluster(ref=REF, autopilot=False, enforces_network_policy=True)
CALM = "storm_breaker: {targets: 99, denials: 99}\n"
NEEDY = policy("isolate_pod", "capture_evidence", "delete_pod").replace(
    "delete_pod\n", "delete_pod\n    needs: [isolate_pod]\n"
)
ONE = "limits:\n  - {most: 1, within: 1h}\n"

SCENES = [
    pytest.param((policy(*ALL),), RAILS, id="the-defaults"),
    pytest.param((policy("isolate_pod", "delete_pod"),), RAILS + "limits: {owner: []}\n" + CALM, id="namespace"),
    pytest.param(
        (NEEDY,), RAILS + "limits: {owner: [], namespace: [{most: 1, within: 10m}]}\n" + CALM, id="what-needs-it"
    ),
    pytest.param(
        (policy("label_pod", "isolate_pod", "delete_pod", "notify"),),
        RAILS + "limits: {owner: []}\nstorm_breaker: {targets: 2}\n",
        id="storm",
    ),
    pytest.param(
        (policy("isolate_pod", name="a") + ONE, policy("isolate_pod", "cordon_node", name="b")),
        RAILS + "limits: {owner: [], organization: [{most: 3, within: 1h}]}\n" + CALM,
        id="of-a-policy",
    ),
]


@pytest.fixture
def findings(cluster: SimulatedCluster) -> list[dict[str, Any]]:
    """A finding about each of six pods of two workloads, on two nodes of a pool that has others to spare."""
    for number in range(8):
        cluster.create(objects.node(f"gke-prod-1-pool-1-3f2a1b0c-{number}"))
    for name, node in (("api", SPARE_NODE), ("shop", NODE)):
        cluster.create(objects.deployment(name, "shop", node, replicas=3))
    pods = [item for item in cluster.objects("Pod", "shop") if not item["metadata"]["name"].startswith("web-")]
    return [finding_about(pod, finding_id=f"f{number}") for number, pod in enumerate(pods)]


def foretold(snapshot: Snapshot, policies: Path, documents: list[dict[str, Any]]) -> list[dict[str, str]]:
    """What each finding's actions come to by the snapshot: `acts`, or why they are held."""
    loaded = load_policies(policies)
    limits = ReplayedLimits(loaded.guardrails)
    told = []
    for document in documents:
        finding = parse_notification(document)
        context = context_of(finding, snapshot.facts(finding))
        guarded = guard(context, decide(context, loaded.policies), loaded.guardrails, finding.event_time)
        limited = limits.limited(context, guarded, finding.event_time)
        told.append(
            {
                f"{one.name} {item.action}": "acts" if item.result == "planned" else item.reason
                for one in limited.policies
                for item in one.actions
            }
        )
    return told


def done(deployment: Deployment, document: dict[str, Any]) -> dict[str, str]:
    """What they came to in the cluster."""
    deployment.list_finding(document, parse_notification(document).finding_id)
    deployment.deliver(document)
    return {
        f"{step.policy} {step.action}": step.reason if step.status is StepStatus.HELD else "acts"
        for step in deployment.case(document).steps
        if step.policy
    }


@pytest.mark.parametrize(("policies", "rails"), SCENES)
def test_what_is_foretold_happens(
    tmp_path: Path,
    cluster: SimulatedCluster,
    findings: list[dict[str, Any]],
    policies: tuple[str, ...],
    rails: str,
) -> None:
    """For every finding of a flood each action acts, or is held for the same reason, as the simulation said."""
    deployment = deployed(tmp_path, cluster, *policies, guardrails=rails)
    snapshot = Snapshot(take_snapshot(api_of(cluster, "admin"), DESCRIBED, datetime.now(UTC), progress=lambda *_: None))
    told = foretold(snapshot, tmp_path / "policies", findings)
    happened = [done(deployment, document) for document in findings]
    for number, (expected, found) in enumerate(zip(told, happened, strict=True)):
        # What another policy did already stands in the case under the name of that one.
        assert {name: expected[name] for name in found} == found, number
    assert any(reason not in {"acts", "last_ready_replica"} for found in happened for reason in found.values())
