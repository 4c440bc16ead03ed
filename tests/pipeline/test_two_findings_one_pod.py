"""Two findings about one pod: what cannot be undone is done for one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import NODE, Deployment, api_of, finding_about, policy, write_policies

STEPS = ("capture_evidence", "delete_pod")


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
        (204, "target_absent"),
    ]
    assert made.outcomes(second)[-2:] == ["delete_pod: target_absent", "notify: published"]
    assert len([event for event in cluster.audit if event.verb == "delete"]) == 1


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
    assert "delete_pod: deleted" in made.outcomes(second)


def test_a_used_reservation_holds(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Where a finalizer keeps the pod that one finding deleted, another finding's deletion is held, and says so."""
    cluster.create(objects.held_pod("lonely", "shop", NODE))
    pod = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["name"] == "lonely")
    steps = ("capture_evidence", "delete_pod {allow_standalone: true, grace_period_seconds: 0}")
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

    assert "delete_pod: terminating" in made.outcomes(first)
    assert [item for item in made.outcomes(second) if item.startswith("delete_pod")] == [
        "delete_pod: reserved_by_other_finding"
    ]
