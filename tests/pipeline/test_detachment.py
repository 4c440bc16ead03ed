"""A pod that is detached: counted, never twice, and finished after a crash at any request."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import Interposed, deployed, finding_about, policy

STEPS = ("isolate_pod", "detach_pod", "notify")
CALLS = 20
DETACHED = ["isolate_pod: patched", "isolate_pod: isolated", "detach_pod: detached", "notify: published"]


def own_pod(cluster: SimulatedCluster, pod: dict[str, Any]) -> dict[str, Any]:
    return next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["uid"] == pod["metadata"]["uid"])


def detachments(cluster: SimulatedCluster) -> list[Any]:
    patches = (event for event in cluster.audit if event.verb == "patch" and event.code == 200)
    return [event for event in patches if "scc-responder/detached" in str(event.request)]


def test_a_detached_pod_runs_on(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Isolated still, out of its workload, which has as many pods as before; the case is done."""
    before = len(cluster.objects("Pod", "shop"))
    made = deployed(tmp_path, cluster, policy(*STEPS))
    document = finding_about(pod)
    assert made.respond_to(document).reason == "done"
    assert made.outcomes(document) == DETACHED
    left = own_pod(cluster, pod)["metadata"]
    assert left["labels"] == {"scc-responder/isolated-pod": left["uid"]}
    assert left["ownerReferences"] == []
    assert len(cluster.objects("Pod", "shop")) == before + 1
    assert len([event for event in cluster.audit if event.user == "responder"]) <= CALLS


def test_a_second_finding_has_nothing_to_do(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """The pod has left its workload: that is so already, and no hold for a pod without an owner."""
    made = deployed(tmp_path, cluster, policy("detach_pod"))
    first, second = (finding_about(pod, finding_id=name) for name in ("first", "second"))
    for name, document in (("first", first), ("second", second)):
        made.list_finding(document, name)
        made.deliver(document)
    assert made.outcomes(first) == ["detach_pod: detached"]
    assert made.outcomes(second) == ["detach_pod: already_detached"]
    assert [str(made.case(document).state) for document in (first, second)] == ["done", "done"]
    assert len(detachments(cluster)) == 1


def test_it_counts_against_limits(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """As a disruption of pods, like a deletion: the second pod is held, and nothing of it is changed."""
    own = policy("detach_pod {allow_last_replica: true}") + "limits:\n  - {most: 1, within: 1h}\n"
    made = deployed(tmp_path, cluster, own)
    first = finding_about(pod, finding_id="first")
    made.list_finding(first, "first")
    made.deliver(first)
    other = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["uid"] != pod["metadata"]["uid"])
    second = finding_about(other, finding_id="second")
    made.list_finding(second, "second")
    made.deliver(second)
    assert made.outcomes(first) == ["detach_pod: detached"]
    assert made.outcomes(second)[0].startswith("detach_pod: limit_")
    assert len(detachments(cluster)) == 1


class Killed(BaseException):
    """The process ends: nothing catches it."""


@pytest.mark.parametrize("number", range(1, CALLS + 1))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_request_is_made_up_for(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], number: int, when: str
) -> None:
    """The next delivery finishes it: the labels are taken once, and what came of it is told."""
    made = deployed(tmp_path, cluster, policy(*STEPS), LEASE_SECONDS="0")
    document, api = finding_about(pod), made.clusters.api

    def crash(call: int, _verb: str, _path: str) -> None:
        if call >= number:
            raise Killed

    made.clusters.api = Interposed(api, **{when: crash})
    with suppress(Killed):
        made.respond_to(document)
    made.clusters.api = api
    made.deliver(document)
    reasons = [step.reason for step in made.case(document).steps if step.action == "detach_pod"]
    assert reasons in (["detached"], ["done_before"])
    assert len(detachments(cluster)) == 1
    assert "app" not in own_pod(cluster, pod)["metadata"]["labels"]
