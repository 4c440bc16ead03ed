"""Two findings about one pod: what cannot be undone is done for one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scc_responder.simulated.cluster import SimulatedCluster
from tests.pipeline.deployment import Deployment, api_of, finding_about, policy, write_policies

STEPS = ("capture_evidence", "delete_pod")


def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A responder that deletes for either of two threats."""
    policies = (
        policy(*STEPS, name="one", when="threat: reverse_shell"),
        policy(*STEPS, name="two", when="threat: modified_malicious_library_loaded"),
    )
    return Deployment(tmp_path, api_of(cluster), write_policies(tmp_path / "policies", *policies))


def test_reserved_by_other_finding(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A pod that one finding has reserved for deletion is not deleted for another; the record says why."""
    made = deployment(tmp_path, cluster)
    first = finding_about(pod, finding_id="first")
    second = finding_about(pod, "modified_malicious_library_loaded", finding_id="second")
    original = made.services.clusters.api.delete

    def second_arrives_first(*arguments: Any, **options: Any) -> Any:
        made.services.clusters.api.delete = original
        made.respond_to(second)
        return original(*arguments, **options)

    made.services.clusters.api.delete = second_arrives_first
    made.list_finding(first, "first")
    made.deliver(first)

    assert "delete_pod: reserved_by_other_finding" in made.outcomes(second)
    assert made.outcomes(first)[-1] == "delete_pod: deleted"
    deletions = [event for event in cluster.audit if event.verb == "delete"]
    assert len(deletions) == 1
