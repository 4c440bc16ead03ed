"""A cluster that answers nothing but refusals: the finding is held and kept, people are told, and it is tried again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.pipeline.again.unfinished_cases import QUIET
from scc_responder.pipeline.refused_cluster import TOKEN_TRIES
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE
from tests.kits.responder import Deployment, Interposed, deployed, finding_about, policy

OTHER = {"finding_id": "b" * 32}


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A deployment whose one policy marks the pod and keeps evidence."""
    return deployed(tmp_path, cluster, policy("label_pod", "capture_evidence"))


def refusing(deployment: Deployment, status: int = 403, only: str = "") -> Callable[[], None]:
    """Let the cluster refuse each request whose path holds `only`; the answer lets it answer again."""
    reason = Reason.KUBERNETES_FORBIDDEN if status == 403 else Reason.KUBERNETES_UNAUTHENTICATED
    api = deployment.clusters.api

    def refuse(_number: int, verb: str, path: str) -> None:
        if only in path:
            raise ApiError(reason, f"HTTP {status}", status=status, permission=f"{path.split('/')[-2]}: {verb}")

    def let_in() -> None:
        deployment.clusters.api = api

    deployment.clusters.api = Interposed(api, refuse)
    return let_in


def evidence_of(deployment: Deployment) -> set[str]:
    """The names of what is kept, without their hashes."""
    stored = (deployment.folder / "evidence").rglob("*.json")
    return {path.name.split("-")[0].removesuffix(".json") for path in stored}


def notices(deployment: Deployment) -> list[tuple[str, str]]:
    """The reasons and cases of what was told."""
    return [(item["attributes"]["reason"], item["attributes"]["case"]) for item in deployment.published.messages]


def test_a_cluster_not_handed_over_is_held(deployment: Deployment, pod: dict[str, Any]) -> None:
    """The finding and its related ones are kept; two findings are one notice; nothing comes again by itself."""
    refusing(deployment)
    first, second = finding_about(pod), finding_about(pod, **OTHER)

    endings = [deployment.respond_to(first)]
    deployment.list_finding(second, "second")
    endings.append(deployment.deliver(second))

    assert {(end.status, end.reason, end.severity) for end in endings} == {(204, "cluster_not_onboarded", "WARNING")}
    case = deployment.case(first)
    assert (case.state, case.reason) == ("held", "cluster_not_onboarded")
    assert case.decision["finding"]["name"] == first["finding"]["name"]
    assert deployment.outcomes(first) == ["capture_evidence: captured"]
    assert {"finding", "related", "manifest"} <= evidence_of(deployment)
    assert [reason for reason, _ in notices(deployment)] == ["cluster_not_onboarded"]


def test_a_cluster_taken_away_is_told_at_once(deployment: Deployment, pod: dict[str, Any]) -> None:
    """Who takes our roles away after a cluster was read gets no silence: an error, and a notice for each case."""
    first, second = finding_about(pod), finding_about(pod, **OTHER)
    assert deployment.respond_to(first).status == 204
    deployment.published.messages.clear()
    refusing(deployment)
    deployment.list_finding(second, "second")

    ending = deployment.deliver(second)

    assert (ending.status, ending.reason, ending.severity) == (204, "cluster_access_lost", "ERROR")
    assert notices(deployment) == [("cluster_access_lost", deployment.lines[-1]["case"])]
    assert "missing permission" in deployment.line["error"]


def test_one_refused_read_is_no_lost_cluster(deployment: Deployment, pod: dict[str, Any]) -> None:
    """A cluster that answers anything was handed over: what is missing there is asked for again."""
    refusing(deployment, only="/pods/")
    assert deployment.respond_to(finding_about(pod)).status == 503


def test_a_refused_token_is_tried_again_first(deployment: Deployment, pod: dict[str, Any]) -> None:
    """A token may run out at any moment: only after some deliveries is it the cluster's answer."""
    refusing(deployment, status=401)
    document = finding_about(pod)
    deployment.list_finding(document)
    statuses = [deployment.deliver(document).status for _ in range(TOKEN_TRIES + 1)]
    assert statuses == [503] * (TOKEN_TRIES - 1) + [204] * 2


def at(deployment: Deployment, now: datetime) -> None:
    """Let it be this time."""
    deployment.set_clock(lambda: now)


def test_a_held_case_is_taken_up_again(deployment: Deployment, pod: dict[str, Any]) -> None:
    """A sweep tries after a while: the case is finished once the cluster lets us in, and that it was read is known."""
    let_in = refusing(deployment)
    document, began = finding_about(pod), utc_now()
    deployment.respond_to(document)

    at(deployment, began + QUIET / 2)
    sweep(HERE, "127.0.0.1", deployment.services)
    assert deployment.case(document).epoch == 1
    at(deployment, began + QUIET + timedelta(minutes=1))
    sweep(HERE, "127.0.0.1", deployment.services)
    assert (deployment.case(document).epoch, deployment.case(document).state) == (2, "held")
    days = {began.date(), deployment.services.clock().date()}
    assert len(notices(deployment)) == len(days), "told once a day"
    assert deployment.case(document).steps[0].epoch == 1, "evidence is kept once"
    let_in()
    at(deployment, began + 2 * QUIET + timedelta(minutes=2))
    sweep(HERE, "127.0.0.1", deployment.services)
    assert deployment.case(document).state == "done"

    refusing(deployment)
    later = finding_about(pod, **OTHER)
    deployment.list_finding(later, "second")
    assert deployment.deliver(later).reason == "cluster_access_lost"


def test_an_answer_in_between_is_remembered(deployment: Deployment, pod: dict[str, Any]) -> None:
    """Who hands a cluster over and takes our roles away on one day gets no silence, though its first case waits."""
    first, second, third = (finding_about(pod, finding_id=letter * 32) for letter in "abc")
    let_in = refusing(deployment)
    assert deployment.respond_to(first).reason == "cluster_not_onboarded"
    let_in()
    deployment.list_finding(second, "second")
    assert deployment.deliver(second).reason == "done"
    refusing(deployment)
    deployment.list_finding(third, "third")
    assert deployment.deliver(third).reason == "cluster_access_lost"


@pytest.mark.parametrize(("mode", "epoch"), [("dry_run", 2), ("approve", 2), ("disabled", 1)])
def test_a_rehearsing_deployment_tries_again(
    deployment: Deployment, pod: dict[str, Any], mode: str, epoch: int
) -> None:
    """A rehearsal keeps evidence: the case is taken up again wherever the switch lets anything be read."""
    let_in = refusing(deployment)
    document, later = finding_about(pod), utc_now() + QUIET + timedelta(minutes=1)
    deployment.turn("dry_run")
    deployment.respond_to(document)
    let_in()
    deployment.turn(mode)
    at(deployment, later)
    sweep(HERE, "127.0.0.1", deployment.services)
    assert deployment.case(document).epoch == epoch
