"""A cluster whose owner lets nothing be changed: evidence is kept, the rest is held, and goes on once it may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.pipeline.again.unfinished_cases import QUIET
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE
from tests.kits.responder import Deployment, Interposed, deployed, finding_about, policy

STEPS = ("label_pod", "isolate_pod", "capture_evidence", "cordon_node", "delete_pod {allow_last_replica: true}")


def paused(deployment: Deployment, refused_by: str = "scc-responder-mode") -> Callable[[], None]:
    """Let an admission policy of the cluster refuse each write; the answer lets them through."""
    api = deployment.clusters.api

    def refuse(_number: int, verb: str, _path: str) -> None:
        if verb in {"create", "patch", "delete"}:
            raise ApiError(Reason.ADMISSION_DENIED, "is disabled", status=403, refused_by=refused_by)

    def let_through() -> None:
        deployment.clusters.api = api

    deployment.clusters.api = Interposed(api, refuse)
    return let_through


def reasons(deployment: Deployment, document: dict[str, Any]) -> dict[str, set[str]]:
    """The reasons of the steps by their action."""
    answers: dict[str, set[str]] = {}
    for step in deployment.case(document).steps:
        answers.setdefault(step.action, set()).add(f"{step.status} {step.reason}")
    return answers


def told(deployment: Deployment) -> list[str]:
    """The reasons of the notices."""
    return [item["attributes"].get("reason", "") for item in deployment.published.messages]


def test_a_paused_cluster_keeps_all_evidence(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Every change is held, none failed; the evidence is whole; each severe finding is told; nothing comes again."""
    deployment = deployed(tmp_path, cluster, policy(*STEPS))
    paused(deployment)
    document = finding_about(pod)
    again = finding_about(pod, finding_id="b" * 32)

    ending = deployment.respond_to(document)
    deployment.list_finding(again, "second")
    second = deployment.deliver(again)

    assert (ending.status, ending.reason, ending.severity) == (204, "cluster_paused", "WARNING")
    assert (deployment.case(document).state, deployment.case(document).reason) == ("held", "cluster_paused")
    answers = reasons(deployment, document)
    assert answers.pop("capture_evidence") == {"done captured"}
    assert set.union(*answers.values()) <= {"held cluster_paused", "held needs:isolate_pod", "done already_labeled"}
    assert {"held cluster_paused"} <= answers["label_pod"] & answers["isolate_pod"] & answers["cordon_node"]
    assert second.reason == "cluster_paused"
    assert told(deployment) == ["cluster_paused"] * 2


def test_a_rehearsal_in_a_paused_cluster(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """The case is a rehearsal as ever, with its evidence."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", "capture_evidence", mode="dry_run"))
    paused(deployment)
    document = finding_about(pod)
    assert deployment.respond_to(document).status == 204
    assert deployment.case(document).state == "rehearsed"
    assert deployment.outcomes(document) == ["label_pod: cluster_paused", "capture_evidence: captured"]


def test_another_admission_policy_pauses_nothing(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """What is no act of the responder's is a failure."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))
    paused(deployment, "scc-responder-acts")
    document = finding_about(pod)
    deployment.respond_to(document)
    assert (deployment.case(document).state, deployment.outcomes(document)[0]) == (
        "partial",
        "label_pod: admission_denied",
    )


@pytest.mark.parametrize(("minutes", "state"), [(5, "held"), (16, "done")])
def test_a_cluster_that_goes_on(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], minutes: int, state: str
) -> None:
    """A sweep carries out what was held, a while after it was."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", "capture_evidence"))
    let_through = paused(deployment)
    document = finding_about(pod)
    deployment.respond_to(document)
    let_through()
    now = utc_now() + timedelta(minutes=minutes)
    deployment.set_clock(lambda: now)

    sweep(HERE, "127.0.0.1", deployment.services)

    assert deployment.case(document).state == state
    assert timedelta(minutes=5) < QUIET < timedelta(minutes=16)
