"""Cut and frozen in the middle of a case: what is said of it, and what a person's thaw takes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.journal.contained import contained_fields
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.one_change import IMAGE
from tests.kits.responder import (
    NODE,
    RAILS,
    Deployment,
    Interposed,
    api_of,
    deployed,
    finding_about,
    policy,
    write_policies,
)
from tests.kits.scripted_collector import obedient

Object = dict[str, Any]
BINARY = {"binary": {"path": "/tmp/x", "sha256": "a" * 64, "size": "9", "hashedSize": "9"}, "args": ["/tmp/x"]}
NAMING = {"processes": [BINARY]}
STEPS = ("isolate_pod", "sever_connections", "freeze_process")


def obeyed(folder: Path, cluster: SimulatedCluster, *policies: str) -> Deployment:
    """A deployment whose collector does what it is asked to."""
    policies_folder = write_policies(folder / "policies", *policies, guardrails=RAILS)
    return Deployment(folder, obedient(api_of(cluster)), policies_folder, collector=IMAGE)


def insertions(cluster: SimulatedCluster) -> list[bool]:
    """The patches of ephemeral containers, each whether it was a rehearsal."""
    return [event.dry_run for event in cluster.audit if event.subresource == "ephemeralcontainers"]


def stored_keys(deployment: Deployment) -> list[Object]:
    """What the store has of the keys of cases."""
    return [json.loads(entry.value) for entry in deployment.services.store.scan("collector-key/").entries]


def test_a_pod_is_cut_and_frozen(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """By two containers of ours: one cuts, the other freezes."""
    deployment = obeyed(tmp_path, cluster, policy(*STEPS))
    document = finding_about(pod, finding=NAMING)
    deployment.respond_to(document)
    assert deployment.outcomes(document) == [
        "isolate_pod: patched",
        "isolate_pod: isolated",
        "sever_connections: severed",
        "freeze_process: frozen",
    ]
    assert insertions(cluster) == [True, False, False]
    fields = contained_fields(deployment.case(document))
    assert fields["containment"] == "frozen"
    assert fields["contained_seconds"] >= 0
    (case,) = (step for step in deployment.case(document).steps if step.action == "freeze_process")
    assert [(item.pid, item.start_ticks) for item in case.frozen] == [(43, 8043)]
    assert stored_keys(deployment) == [{"private": None}]


def test_a_plan_that_freezes_keeps_the_key_until_it_is_over(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object
) -> None:
    """What the cut told is read; what a person lets follow reads with the same key, unless the finding ends before."""
    asks = policy("freeze_process", name="asks", mode="approve")
    deployment = obeyed(tmp_path, cluster, policy("isolate_pod", "sever_connections"), asks)
    document = finding_about(pod, finding=NAMING)
    deployment.respond_to(document)
    assert deployment.case(document).state == "waiting"
    assert [key["private"] is not None for key in stored_keys(deployment)] == [True]
    deployment.respond_to(finding_about(pod, finding={**NAMING, "mute": "MUTED"}))
    assert deployment.case(document).state == "superseded"
    assert stored_keys(deployment) == [{"private": None}]


@pytest.mark.parametrize(("security", "requests"), [({}, 25), ({"runAsUser": 1000}, 23)], ids=["root", "another user"])
def test_a_whole_ladder_asks_little_of_the_api_server(
    tmp_path: Path, cluster: SimulatedCluster, security: Object, requests: int
) -> None:
    """Everything from marks to files, where the containers begin at once and no further kinds of policy are served."""
    containers = [{"name": "app", "image": "app:1", "securityContext": security}]
    cluster.create(objects.deployment("app", "shop", NODE, replicas=2, containers=containers))
    pod = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["labels"]["app"] == "app")
    captures, looks = ("label_pod", "isolate_pod", "capture_evidence", "capture_logs"), ("inspect_container", "notify")
    deployment = deployed(tmp_path, cluster, policy(*captures, *STEPS[1:], *looks), collector=IMAGE)
    document = finding_about(pod, finding=NAMING)
    before = len(cluster.audit)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[-1] == "notify: published"
    assert len(cluster.audit) - before == requests


@pytest.mark.parametrize("action", ["sever_connections", "freeze_process", "thaw_process"])
def test_without_an_image_nothing_is_put_in(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, action: str
) -> None:
    """The reason says that the deployment has none: beside the isolation the case falls short of nothing."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", action))
    document = finding_about(pod, finding=NAMING)
    deployment.respond_to(document)
    reason = "nothing_frozen" if action == "thaw_process" else "no_collector_image"
    assert deployment.outcomes(document)[-1] == f"{action}: {reason}"
    assert insertions(cluster) == []


def test_what_a_thaw_lets_go_on_is_not_frozen(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """By the processes that the case itself stopped."""
    policies = (policy("freeze_process"), policy("thaw_process", name="let-go-on"))
    deployment = obeyed(tmp_path, cluster, *policies)
    document = finding_about(pod, finding=NAMING)
    deployment.respond_to(document)
    assert deployment.outcomes(document) == ["freeze_process: frozen", "thaw_process: thawed"]
    assert contained_fields(deployment.case(document)) == {}


def test_a_rehearsal_puts_no_container_in(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Each form is asked for with `dryRun=All`, and nothing else."""
    deployment = obeyed(tmp_path, cluster, policy(*STEPS, mode="dry_run"))
    document = finding_about(pod, finding=NAMING)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[-2:] == ["sever_connections: would_insert", "freeze_process: would_insert"]
    assert insertions(cluster) == [True, True]


@pytest.mark.parametrize("action", ["sever_connections", "freeze_process", "inspect_container"])
def test_a_missing_right_is_named(tmp_path: Path, cluster: SimulatedCluster, pod: Object, action: str) -> None:
    """It is not possible there, which is no failure of ours: the step says who refused, and what has to be granted."""

    def refuse(_number: int, verb: str, path: str) -> None:
        if path.endswith("/ephemeralcontainers"):
            right = f"pods/ephemeralcontainers: {verb} in namespace shop"
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission=right)

    deployment = deployed(tmp_path, cluster, policy("isolate_pod", action), collector=IMAGE)
    deployment.clusters.api = Interposed(deployment.clusters.api, refuse)
    document = finding_about(pod, finding=NAMING)
    assert deployment.respond_to(document).status == 204
    step = deployment.case(document).steps[-1]
    assert (step.action, step.status, step.reason) == (action, "not_possible", "kubernetes_forbidden")
    assert "RBAC: missing permission: pods/ephemeralcontainers: patch in namespace shop" in step.detail
    assert stored_keys(deployment) == []
