"""A finding is contained with the shipped roles alone and the admission policy on, by a real server's audit log."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.value import Value
from scc_responder.journal.case import CaseRecord
from tests.admission.installed import Installed, protected_namespace
from tests.cluster import objects
from tests.cluster.audit import AuditEvent
from tests.kits.responder import ALL, CONTAINED, deployed, finding_about, mutations, policy

pytestmark = pytest.mark.timeout(180)

WRITES = [
    "patch pods",
    "patch pods",
    "patch pods",
    "create networkpolicies",
    "patch nodes",
    "patch pods",
    "delete pods",
]
"""Label, annotate, isolate (two), cordon, arm, delete."""


@pytest.fixture
def pod(shipped: Installed, node: dict[str, Any]) -> dict[str, Any]:
    """A pod of a new Deployment of two, beside those of other tests."""
    name = f"web-{uuid.uuid4().hex[:8]}"
    shipped.plane.admin.create(objects.deployment(name, shipped.namespace, node["metadata"]["name"], replicas=2))
    return objects.running_pods(shipped.plane.admin, shipped.namespace, name, count=2)[0]


class Response(Value, frozen=True, kw_only=True):
    """What came of a finding: its case, how the delivery ended, and the writes that the API server was asked for."""

    record: CaseRecord
    reason: str
    written: list[AuditEvent]

    @property
    def outcomes(self) -> list[str]:
        return [f"{step.action}: {step.reason}" for step in self.record.steps]


def responded(shipped: Installed, tmp_path: Path, pod: dict[str, Any], mode: str) -> Response:
    """What came of a finding about the pod, under a policy in this mode."""
    deployment = deployed(tmp_path, shipped, policy(*ALL, mode=mode))
    deployment.services.wait = time.sleep
    document = finding_about(pod, finding_id=pod["metadata"]["uid"].replace("-", ""))
    before = len(shipped.writes())
    reason = deployment.respond_to(document).reason
    return Response(record=deployment.case(document), reason=reason, written=shipped.writes()[before:])


def test_enforce_admits_every_step(shipped: Installed, tmp_path: Path, pod: dict[str, Any]) -> None:
    """With `enforce`, every step is taken, and no request is refused."""
    shipped.switch("enforce")
    response = responded(shipped, tmp_path, pod, "enforce")
    assert (response.reason, response.outcomes) == ("done", CONTAINED)
    assert list(mutations(response.written)) == WRITES
    assert {event.code for event in response.written} <= {200, 201}
    assert not any(event.dry_run for event in response.written)
    assert [str(event) for event in shipped.requests() if event.code in {401, 403}] == []
    path = f"/api/v1/namespaces/{shipped.namespace}/pods/{pod['metadata']['name']}"
    objects.await_end(shipped.plane.admin, path)


def test_dry_run_rehearses_and_changes_nothing(shipped: Installed, tmp_path: Path, pod: dict[str, Any]) -> None:
    """With `dry_run`, a policy in dry run rehearses every step, deletion too, and nothing is changed."""
    shipped.switch("dry_run")
    response = responded(shipped, tmp_path, pod, "dry_run")
    assert response.reason == "dry_run"
    assert {
        str(step.status) for step in response.record.steps if step.action not in {"capture_evidence", "notify"}
    } == {"dry_run"}
    assert sorted(mutations(response.written)) == sorted(WRITES)
    assert {(event.code, event.dry_run) for event in response.written} <= {(200, True), (201, True)}


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (None, "is not set"),
        ("disabled", "is disabled"),
        ("dry_run", "allows rehearsals only (dry_run)"),
        ("on", "is no mode"),
    ],
)
def test_other_modes_refuse_and_are_recorded(
    shipped: Installed, tmp_path: Path, pod: dict[str, Any], mode: str | None, words: str
) -> None:
    """Otherwise nothing is written, and the record names the admission policy and what it said."""
    shipped.switch(mode)
    response = responded(shipped, tmp_path, pod, "enforce")
    (first, *_) = response.record.steps
    assert (response.reason, str(first.status), first.reason) == ("cluster_paused", "held", "cluster_paused")
    assert response.record.state == "held"
    assert "capture_evidence: captured" in response.outcomes
    assert f"ValidatingAdmissionPolicy 'scc-responder-mode-{shipped.namespace}'" in first.detail
    assert f"the annotation scc-responder/mode of namespace {shipped.namespace} {words}" in first.detail
    assert {event.code for event in response.written} == {422}
    now = shipped.plane.admin.get(f"/api/v1/namespaces/{shipped.namespace}/pods/{pod['metadata']['name']}")
    assert now["metadata"]["uid"] == pod["metadata"]["uid"]
    assert now["metadata"]["labels"] == pod["metadata"]["labels"]


def test_protected_in_the_cluster_alone(shipped: Installed, tmp_path: Path, node: dict[str, Any]) -> None:
    """Where the function's guardrails would let it, the cluster's lists hold it, and the record says whose they are."""
    shipped.switch("enforce")
    admin = shipped.plane.admin
    guarded = protected_namespace(admin, of_agent=False)
    admin.create(objects.deployment("web", guarded, node["metadata"]["name"]))
    pod = objects.running_pods(admin, guarded, "web")[0]
    try:
        response = responded(shipped, tmp_path, pod, "enforce")
    finally:
        admin.delete(f"/api/v1/namespaces/{guarded}")
    detail = response.record.steps[0].detail
    assert response.reason == "admission_denied"
    assert f"'scc-responder-acts-{shipped.namespace}'" in detail
    assert detail.endswith("denied request: the namespace is protected")


OTHER_ENDS = [
    pytest.param(("isolate_pod", "detach_pod"), ["patched", "isolated", "detached"], id="detachment"),
    pytest.param(("evict_pod",), ["armed", "processes_ended"], id="eviction"),
]


@pytest.mark.parametrize(("steps", "reasons"), OTHER_ENDS)
def test_what_no_shipped_policy_does_is_admitted(
    wide: Installed, node: dict[str, Any], tmp_path: Path, steps: tuple[str, ...], reasons: list[str]
) -> None:
    """Where RBAC grants them, a detachment and an eviction pass the admission policy as they are sent."""
    wide.switch("enforce")
    name = f"web-{uuid.uuid4().hex[:8]}"
    wide.plane.admin.create(objects.deployment(name, wide.namespace, node["metadata"]["name"], replicas=2))
    pod = objects.running_pods(wide.plane.admin, wide.namespace, name, count=2)[0]
    deployment = deployed(tmp_path, wide, policy(*steps))
    deployment.services.wait = time.sleep
    document = finding_about(pod, finding_id=pod["metadata"]["uid"].replace("-", ""))
    assert deployment.respond_to(document).reason == "done"
    assert [step.reason for step in deployment.case(document).steps] == reasons
