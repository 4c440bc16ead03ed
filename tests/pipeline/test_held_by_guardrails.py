"""Guardrails on the way from a delivery to its record: what they hold is held, and the record says by which of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import CLUSTER, deployed, finding_about, mutations, policy

PROD = "projects/example-project/locations/*/clusters/prod-*"
STEPS = ("isolate_pod", "cordon_node", "delete_pod")
EXEMPTION = (
    "{name: load-test, when: {namespace: shop}, actions: [delete_pod], expires: 2099-12-31, "
    "owner: o@example.com, reason: r, ticket: T-1}"
)
HELD = [
    pytest.param("protected: {workloads: [shop/Deployment/web]}", set(STEPS), "workload_protected", id="workload"),
    pytest.param("protected: {nodes: [gke-prod-1-*]}", {"cordon_node"}, "node_protected", id="node"),
    pytest.param(f"protected: {{clusters: ['{CLUSTER}']}}", set(STEPS), "cluster_protected", id="cluster"),
    pytest.param(f"protected: {{}}\nexemptions: [{EXEMPTION}]", {"delete_pod"}, "exempt:load-test", id="exemption"),
]


@pytest.mark.parametrize(("rails", "actions", "reason"), HELD)
def test_a_protected_target_is_not_touched(
    tmp_path: Path, cluster: SimulatedCluster, rails: str, actions: set[str], reason: str
) -> None:
    """What is protected or exempt is not touched, the rest is done, and the case names what held it."""
    deployment = deployed(tmp_path, cluster, policy(*STEPS), guardrails=rails)
    document = finding_about(cluster.objects("Pod", "shop")[0])
    deployment.respond_to(document)
    held = {step.action for step in deployment.case(document).steps if step.reason == reason}
    done = {step.action for step in deployment.case(document).steps if step.status == "done"} - {"notify"}
    assert (held, held | done) == (actions, set(STEPS))
    assert bool(mutations(cluster.audit)) == bool(done)


@pytest.mark.parametrize(("mode", "ending"), [("dry_run", "dry_run"), ("approve", "waiting_for_approval")])
def test_a_ceiling_keeps_the_cluster_unchanged(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], mode: str, ending: str
) -> None:
    """Under a ceiling an enforcing policy changes nothing, and the case says which ceiling it was."""
    rails = f"protected: {{}}\nceilings: [{{name: production, max_mode: {mode}, clusters: ['{PROD}']}}]"
    deployment = deployed(tmp_path, cluster, policy(*STEPS), guardrails=rails)
    document = finding_about(pod)
    came = deployment.respond_to(document)
    answer = deployment.case(document).decision["policies"][0]
    assert came.reason == ending
    assert (answer["mode"], answer["mode_reason"]) == (mode, "mode_lowered_by:production")
    assert all(event.dry_run for event in cluster.audit if event.verb in {"patch", "create", "delete"})
