"""Several findings about one pod: what cannot be undone is done for one of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import case_id
from scc_responder.domain.ports import KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.cluster.polling import wait_until
from tests.kits.compromised_pod import is_gone, small
from tests.kits.responder import NODE, Deployment, Interposed, api_of, crashing, finding_about, policy, write_policies

STEPS = ("capture_evidence", "delete_pod")


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[SimulatedCluster]:
    """As `compromised_pod.cluster`, but an object stays for a moment once its pod has ended, as kubelets leave it."""
    lingers = 0.0 if request.function is test_nothing_more_is_made_for_what_another_deleted else 0.3
    with SimulatedCluster(stop_seconds=0, linger_seconds=lingers) as running:
        yield small(running)


def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A responder that deletes for either of two threats."""
    policies = (
        policy(*STEPS, name="one", when="threat: reverse_shell"),
        policy(*STEPS, name="two", when="threat: modified_malicious_library_loaded"),
    )
    return Deployment(tmp_path, api_of(cluster), write_policies(tmp_path / "policies", *policies))


def test_the_other_waits(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """While one finding's deletion is under way, another's message comes again; then nothing is left to delete."""
    made = deployment(tmp_path, cluster)
    first = finding_about(pod, finding_id="first")
    second = finding_about(pod, "modified_malicious_library_loaded", finding_id="second")
    delete = made.services.clusters.api.delete
    endings = []

    def second_arrives_first(*arguments: Any, **options: Any) -> Any:
        made.services.clusters.api.delete = delete
        made.list_finding(second, "second")
        endings.append(made.deliver(second))
        return delete(*arguments, **options)

    made.services.clusters.api.delete = second_arrives_first
    made.list_finding(first, "first")
    endings.append(made.deliver(first))
    endings.append(made.deliver(second))

    assert [(ending.status, ending.reason) for ending in endings] == [
        (503, "reserved_by_open_finding"),
        (204, "done"),
        (204, "done"),
    ]
    assert "delete_pod: deleted_meanwhile" in made.outcomes(second)
    assert len([event for event in cluster.audit if event.verb == "delete"]) == 1
    assert made.published.messages == [], "to wait for another finding is ordinary: nobody is told"


def test_an_unused_reservation_passes_on(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A finding whose deletion was refused does not keep another one from deleting."""
    made = deployment(tmp_path, cluster)
    first = finding_about(pod, finding_id="first")
    second = finding_about(pod, "modified_malicious_library_loaded", finding_id="second")
    delete = made.services.clusters.api.delete

    def forbidden(*_arguments: Any, **_options: Any) -> Any:
        raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="pods: delete in namespace shop")

    made.services.clusters.api.delete = forbidden
    made.list_finding(first, "first")
    made.deliver(first)
    made.services.clusters.api.delete = delete
    made.list_finding(second, "second")
    made.deliver(second)

    assert made.outcomes(first)[-1].startswith("notify") or "kubernetes_forbidden" in made.outcomes(first)[-1]
    assert "delete_pod: processes_ended" in made.outcomes(second)


def test_a_used_reservation_holds(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Where a finalizer keeps the pod that one finding deleted, nothing is left to do for another one."""
    cluster.create(objects.held_pod("lonely", "shop", NODE))
    pod = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["name"] == "lonely")
    steps = ("capture_evidence", "delete_pod {allow_standalone: true, grace_period_seconds: 1}")
    policies = (
        policy("capture_evidence", "delete_pod {allow_standalone: true}", name="one", when="threat: reverse_shell"),
        policy(*steps, name="two", when="threat: modified_malicious_library_loaded"),
    )
    made = Deployment(tmp_path, api_of(cluster), write_policies(tmp_path / "policies", *policies))
    first = finding_about(pod, finding_id="first")
    second = finding_about(pod, "modified_malicious_library_loaded", finding_id="second")
    for name, document in (("first", first), ("second", second)):
        made.list_finding(document, name)
        made.deliver(document)

    assert "delete_pod: processes_ended" in made.outcomes(first)
    told = [item for item in made.outcomes(second) if item.startswith("delete_pod")]
    assert told == ["delete_pod: deleted_meanwhile", "delete_pod: deleted_meanwhile"]
    assert len([event for event in cluster.audit if event.verb == "delete"]) == 1


class Distant:
    """An API server that is some milliseconds away."""

    def __init__(self, api: KubernetesApi, seconds: float) -> None:
        self._api, self._seconds = api, seconds

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._api, name)

        def asked(*arguments: Any, **options: Any) -> Any:
            time.sleep(self._seconds)
            try:
                return method(*arguments, **options)
            finally:
                time.sleep(self._seconds)

        return asked


THREATS = ("reverse_shell", "modified_malicious_library_loaded", "added_binary_executed")
MARKS = (
    "label_pod {{labels: {{scc-responder/threat: {0}}}}}",
    "annotate_pod {{annotations: {{scc-responder/note: {0}}}}}",
)
ANSWER = ("isolate_pod", "capture_evidence")
SHORT = set(StepStatus) - {StepStatus.DONE, StepStatus.SKIPPED}
ENDS = {CaseState.DONE, CaseState.TARGET_ABSENT}


def arrived_together(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], milliseconds: int, *last: str
) -> tuple[Deployment, list[dict[str, Any]]]:
    """Three findings about the pod, delivered side by side until each is settled, as Pub/Sub does."""
    policies = [
        policy(*(mark.format(threat) for mark in MARKS), *ANSWER, *last, name=f"on-{number}", when=f"threat: {threat}")
        for number, threat in enumerate(THREATS)
    ]
    made = Deployment(tmp_path, api_of(cluster), write_policies(tmp_path / "policies", *policies))
    made.clusters.api = Distant(made.clusters.api, milliseconds / 2000)  # type: ignore[assignment]
    made.services.wait = time.sleep
    documents = [finding_about(pod, threat, finding_id=threat.replace("_", "")) for threat in THREATS]
    for threat, document in zip(THREATS, documents, strict=True):
        made.list_finding(document, threat)

    def delivered(document: dict[str, Any]) -> list[int]:
        statuses = [made.deliver(document).status]
        until = time.monotonic() + 60
        # The third of them finds its cluster's half of the instance taken, and comes again.
        while statuses[-1] == 503 and time.monotonic() < until:
            time.sleep(0.05)
            statuses.append(made.deliver(document).status)
        return statuses

    with ThreadPoolExecutor(len(documents)) as threads:
        assert {statuses[-1] for statuses in threads.map(delivered, documents)} == {204}
    return made, documents


def ended_well(made: Deployment, documents: list[dict[str, Any]]) -> None:
    """No step of a case fell short, or is called another's doing, and each keeps evidence of its own."""
    for document in documents:
        record = made.case(document)
        short = [(step.action, step.status, step.reason) for step in record.steps if step.status in SHORT]
        assert (record.state in ENDS, short) == (True, []), record.state
        assert "capture_evidence: captured" in made.outcomes(document)
        (manifest,) = (made.folder / "evidence").rglob(f"*{record.finding_key[:12]}*/manifest*.json")
        assert manifest.stat().st_size


def gone_and_told(
    made: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], documents: list[dict[str, Any]]
) -> None:
    """What became of a deletion may not be known yet on a slow machine: then a later delivery tells."""
    wait_until(lambda: is_gone(cluster, pod), what="the pod is gone")
    assert {made.deliver(document).status for document in documents} == {204}


def with_two_findings(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], *policies: str
) -> tuple[Deployment, dict[str, Any], dict[str, Any]]:
    """A deployment of these policies, and two listed findings about the pod, each of another threat."""
    made = Deployment(tmp_path, api_of(cluster), write_policies(tmp_path / "policies", *policies))
    first = finding_about(pod, finding_id="first")
    second = finding_about(pod, THREATS[1], finding_id="second")
    made.list_finding(first, "first")
    made.list_finding(second, "second")
    return made, first, second


CALLS = 21
"""Requests to the API server of a finding whose pod is marked, isolated and deleted."""


@pytest.mark.parametrize("crashes", [False, True])
@pytest.mark.parametrize("number", range(1, CALLS + 1))
def test_the_other_deletes_at_any_moment(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], number: int, *, crashes: bool
) -> None:
    """Before whichever request of one finding another's deletion comes: nothing is missed, and nobody is blamed.

    It may end its process, too, before it is known what became of it.
    """
    marks = "label_pod {labels: {scc-responder/threat: t}}"
    needing = policy(marks, "isolate_pod", "capture_evidence", "delete_pod", name="two", when=f"threat: {THREATS[1]}")
    policies = (
        policy("capture_evidence", "delete_pod", name="one", when="threat: reverse_shell"),
        needing.replace("- action: delete_pod", "- action: delete_pod\n    needs: [isolate_pod]"),
    )
    made, first, second = with_two_findings(tmp_path, cluster, pod, *policies)
    api = made.clusters.api

    def the_first_comes(count: int, _verb: str, _path: str) -> None:
        if count == number:
            made.clusters.api = crashing(api, "delete", sent=True) if crashes else api
            made.deliver(first)
            made.clusters.api = api

    made.clusters.api = Interposed(api, before=the_first_comes)
    made.deliver(second)
    assert [made.deliver(document).status for document in (first, second)] == [204, 204]
    gone_and_told(made, cluster, pod, [first, second])

    ended_well(made, [first, second])
    assert len([event for event in cluster.audit if event.verb == "delete"]) == 1


DISTANCES = pytest.mark.parametrize("milliseconds", [10, 60])


@DISTANCES
def test_three_at_once_delete_once(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], milliseconds: int
) -> None:
    """Whichever is first deletes the pod; for the others it is gone, and nothing that they did is missed."""
    made, documents = arrived_together(tmp_path, cluster, pod, milliseconds, "delete_pod")
    gone_and_told(made, cluster, pod, documents)
    ended_well(made, documents)
    # Another's mark may come between a read and the deletion: then that is refused, and sent once more.
    assert [event.code for event in cluster.audit if event.verb == "delete" and event.code != 409] == [200]
    assert any("delete_pod: processes_ended" in made.outcomes(document) for document in documents)


MEANWHILE = [
    pytest.param(("patch", {"metadata": {"labels": {"note": "seen"}}}), [409, 200], id="marked"),
    pytest.param(("delete", {"gracePeriodSeconds": 30}), [409], id="deleted"),
]


@pytest.mark.parametrize(("request_of_another", "codes"), MEANWHILE)
def test_a_deletion_is_of_what_was_read(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], request_of_another: Any, codes: list[int]
) -> None:
    """What anybody changes between the read and the request refuses it: no pod is deleted twice, however many ask.

    A pod that was only marked is deleted by the next request; one that is on its way out is not asked to go again.
    """
    made = deployment(tmp_path, cluster)
    document = finding_about(pod)
    admin, left = api_of(cluster, "admin"), [request_of_another]

    def meanwhile(_number: int, called: str, path: str) -> None:
        if called == "delete" and left:
            verb, content = left.pop()
            getattr(admin, verb)(path, content)

    made.clusters.api = Interposed(made.clusters.api, before=meanwhile)
    made.respond_to(document)
    sent = [event for event in cluster.audit if (event.verb, event.user) == ("delete", "responder")]
    assert ([event.code for event in sent], left) == (codes, [])


@DISTANCES
def test_three_at_once_mark_side_by_side(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], milliseconds: int
) -> None:
    """Marks of one key are written over each other, which is nobody's fault; the pod carries every case."""
    made, documents = arrived_together(tmp_path, cluster, pod, milliseconds, "cordon_node")
    ended_well(made, documents)
    (left,) = (item for item in cluster.objects("Pod", "shop") if item["metadata"]["uid"] == pod["metadata"]["uid"])
    labels = left["metadata"]["labels"]
    cases = {case_id(made.case(document).finding_key) for document in documents}
    assert {key.removeprefix("scc-responder/case-") for key in labels if "/case-" in key} == cases
    assert labels["scc-responder/isolated-pod"] == pod["metadata"]["uid"]
    assert labels["scc-responder/threat"] in THREATS
    assert {made.outcomes(document).count("isolate_pod: isolated") for document in documents} == {1}


@pytest.mark.parametrize("kind", ["deployment", "stateful_set"])
@pytest.mark.parametrize("verb", ["patch", "create"])
def test_nothing_more_is_made_for_what_another_deleted(
    tmp_path: Path, cluster: SimulatedCluster, verb: str, kind: str
) -> None:
    """Also where a replacement of the same name is there already, which nothing is done to."""
    cluster.create(getattr(objects, kind)("db", "shop", NODE, replicas=2))
    pod = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["name"].startswith("db"))
    policies = (
        policy("delete_pod {identity: likely}", name="one", when="threat: reverse_shell"),
        policy("label_pod", "isolate_pod", "capture_evidence", name="two", when=f"threat: {THREATS[1]}"),
    )
    made, first, second = with_two_findings(tmp_path, cluster, pod, *policies)
    api = made.clusters.api

    def the_first_comes(_count: int, called: str, _path: str) -> None:
        if called == verb and made.clusters.api is not api:
            made.clusters.api = api
            made.deliver(first)

    made.clusters.api = Interposed(api, before=the_first_comes)
    made.deliver(second)
    ended_well(made, [second])
    assert made.case(first).state is CaseState.DONE
    created = [event for event in cluster.audit if (event.verb, event.resource) == ("create", "networkpolicies")]
    assert len(created) == (verb == "create")
    kept = [item for item in cluster.objects("Pod", "shop") if "scc-responder/case" in item["metadata"]["labels"]]
    assert kept == []
