"""How the steps of one policy hang together: what a step needs, and what becomes of those after one that failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError, PolicyError
from scc_responder.domain.reasons import Reason
from scc_responder.policy.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import deployed, finding_about, mutations, policy, write_policies

Object = dict[str, Any]
HEAD = policy("notify").partition("then:")[0]
NEEDING = HEAD + "then:\n  - action: capture_evidence\n  - action: delete_pod\n    needs: [capture_evidence]\n"
GOING_ON = HEAD + "then:\n  - action: capture_evidence\n    on_failure: continue\n  - action: label_pod\n"


class Refusing:
    """`ports.Evidence` that may not be written to."""

    def put(self, name: str, content: bytes) -> bool:
        raise ApiError(Reason.KUBERNETES_FORBIDDEN, "no", status=403, permission="storage.objects.create")


def test_what_a_step_needs_is_there(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A step whose need is met is carried out."""
    deployment = deployed(tmp_path, cluster, NEEDING)
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[-1] == "delete_pod: deleted"


def test_what_a_step_needs_failed(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Without the evidence that it needs a deletion is held, though the policy goes on after failures."""
    deployment = deployed(tmp_path, cluster, NEEDING.replace("evidence\n", "evidence\n    on_failure: continue\n", 1))
    deployment.services.evidence = Refusing()
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[1] == "delete_pod: needs_capture_evidence"
    assert mutations(cluster.audit) == []


def test_a_need_is_met_in_dry_run(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """In dry run it is enough that the step before would have been carried out."""
    deployment = deployed(tmp_path, cluster, NEEDING.replace("mode: enforce", "mode: dry_run"))
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[-1] == "delete_pod: would_delete"


@pytest.mark.parametrize(
    ("text", "outcome"), [(GOING_ON, "patched"), (GOING_ON.replace("continue", "stop"), "earlier_step_stopped")]
)
def test_after_a_failure(tmp_path: Path, cluster: SimulatedCluster, pod: Object, text: str, outcome: str) -> None:
    """A failed step stops the rest of its policy unless it says `on_failure: continue`."""
    deployment = deployed(tmp_path, cluster, text)
    deployment.services.evidence = Refusing()
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[1] == f"label_pod: {outcome}"
    assert deployment.case(document).state == "partial"


def test_a_failed_arming_never_deletes(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """`on_failure: continue` goes on with the next step, never with the rest of the one that failed."""
    text = HEAD + "then:\n  - action: delete_pod\n    on_failure: continue\n  - action: notify\n"
    deployment = deployed(tmp_path, cluster, text)

    class NoPatch:
        def __getattr__(self, name: str) -> Any:
            return getattr(deployment.clusters.api, name)

        def patch(self, path: str, body: Any, *, dry_run: bool = False) -> Object:
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, "no", status=403, permission="pods: patch")

    deployment.services.clusters.connect = lambda ref: NoPatch()  # type: ignore[method-assign]
    document = finding_about(pod)
    deployment.respond_to(document)
    assert [step.action for step in deployment.case(document).steps] == ["delete_pod", "notify"]
    assert mutations(cluster.audit) == []


def test_a_need_that_cannot_be_met(tmp_path: Path) -> None:
    """A step that needs what no earlier step does is refused when the policy is loaded."""
    text = NEEDING.replace("  - action: capture_evidence\n", "", 1)
    with pytest.raises(PolicyError, match=r"then\[0\].needs\[0\]: 'capture_evidence'"):
        load_policies(write_policies(tmp_path / "p", text))
