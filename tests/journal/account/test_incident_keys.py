"""What joins cases: one pod, one workload, one account that acted; never an image, a node or a platform's agent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.domain.context import Context, Owner
from scc_responder.domain.finding import ClusterRef
from scc_responder.journal.account.incident_keys import incident_keys
from tests.kits.decision_contexts import REF, context
from tests.kits.run_values import run_finding, run_service

PLACE = "projects/example-project/locations/europe-west1/clusters/prod-1"
POOL = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/example-project.svc.id.goog"
ACCOUNT = "web@example-project.iam.gserviceaccount.com"
OTHER = ClusterRef(project=REF.project, location=REF.location, name="test-1")


def acted(principal: str, cluster: ClusterRef = REF) -> Context:
    """A finding about the control plane, which an account called."""
    made = context(pod=False)
    return replace(made, finding=replace(made.finding, principal=principal, cluster=cluster))


def test_a_pod_and_its_workload_join_within_their_cluster() -> None:
    """By UID: a name comes again."""
    made = context()
    assert made.pod is not None
    top = made.pod.owners[-1].uid
    assert incident_keys(made) == (f"workload {PLACE} {top}", f"pod {PLACE} {made.pod.uid}")
    there = replace(made, finding=replace(made.finding, cluster=OTHER))
    assert not {*incident_keys(made)} & {*incident_keys(there)}


def test_a_workload_that_was_not_read_joins_nothing() -> None:
    """An owner in between is not the workload."""
    made = replace(context(), missing={"owner": "forbidden"})
    assert [key.split()[0] for key in incident_keys(made)] == ["pod"]


def test_static_pods_of_one_node_are_not_one_workload() -> None:
    """Their owner is the node."""
    made = context(pod={"owners": (Owner(kind="Node", name="node-1", uid="n"),)})
    assert [key.split()[0] for key in incident_keys(made)] == ["pod"]


def test_a_service_of_cloud_run_joins() -> None:
    """Within its project."""
    made = replace(context(), pod=None, finding=run_finding(), service=run_service())
    assert incident_keys(made) == (f"run {run_finding().place} {run_service().uid}",)


@pytest.mark.parametrize(
    ("principal", "joins_clusters"),
    [
        pytest.param(ACCOUNT, True, id="a service account"),
        pytest.param(f"{POOL}/subject/ns/shop/sa/web", True, id="an account of a workload pool"),
        pytest.param("system:serviceaccount:shop:web", False, id="an account of the cluster"),
    ],
)
def test_an_account_that_acted_joins(principal: str, *, joins_clusters: bool) -> None:
    """One of a cluster means something only there."""
    (here,), (there,) = incident_keys(acted(principal)), incident_keys(acted(principal, OTHER))
    assert here.startswith("identity ")
    assert (here == there) is joins_clusters


@pytest.mark.parametrize(
    "principal",
    [
        "service-100000000001@gcp-sa-ktd-hpsa.iam.gserviceaccount.com",
        "service-100000000001@container-engine-robot.iam.gserviceaccount.com",
        "system:serviceaccount:kube-system:generic-garbage-collector",
        f"{POOL}/subject/ns/kube-system/sa/web",
        "system:anonymous",
        "alice@example.com",
        f"{ACCOUNT}.example.com",
        f"{ACCOUNT}\n",
    ],
)
def test_who_acts_for_everybody_joins_nothing(principal: str) -> None:
    """Agents of the platform, people, and names that only look like an account."""
    assert incident_keys(acted(principal)) == ()


@given(st.lists(st.sampled_from(["sha256:" + letter * 64 for letter in "ab"])), st.sampled_from(["node-1", "node-2"]))
def test_no_digest_and_no_node_is_a_key(digests: list[str], node: str) -> None:
    """Whatever runs where: what joins is the same without them."""
    made: Any = context()
    images = tuple(replace(made.finding.containers[0], image_id=digest) for digest in digests)
    there = replace(made, finding=replace(made.finding, containers=images, node=node))
    assert incident_keys(there) == incident_keys(made)
    assert not any(text in key for key in incident_keys(there) for text in (*digests, node))
