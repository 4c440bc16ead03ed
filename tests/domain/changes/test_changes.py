"""What holds for every kind of change: it says all of itself, and the journal can store and restore it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from scc_responder.actions import Action, actions
from scc_responder.domain import changes
from scc_responder.domain.changes import (
    Change,
    ChangedObject,
    ChangeKind,
    Disruption,
    change_classes,
    is_about_node,
    is_reversible,
    observes_only,
    owner_uid,
    restored,
    stored,
)
from scc_responder.domain.changes.capture_again import CaptureAgain
from scc_responder.domain.changes.capture_cloud_logs import CaptureCloudLogs
from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from scc_responder.domain.changes.capture_logs import CaptureLogs
from scc_responder.domain.changes.cloud_run.cancel_execution import CancelExecution
from scc_responder.domain.changes.cloud_run.delete_revision import DeleteRevision
from scc_responder.domain.changes.cloud_run.restart_service import RestartService
from scc_responder.domain.changes.cloud_run.restrict_access import AccessSettings, RestrictAccess
from scc_responder.domain.changes.cloud_run.scale_service import ScaleService
from scc_responder.domain.changes.cloud_run.set_invokers import SetInvokers
from scc_responder.domain.changes.cloud_run.shift_traffic import ShiftTraffic
from scc_responder.domain.changes.create_network_policy import CreateNetworkPolicy
from scc_responder.domain.changes.delete_pod import DeletePod
from scc_responder.domain.changes.detach_pod import DetachPod
from scc_responder.domain.changes.evict_pod import EvictPod
from scc_responder.domain.changes.freeze_process import FreezeProcess
from scc_responder.domain.changes.inspect_container import InspectContainer
from scc_responder.domain.changes.patch_object import CORDONS_NODE, PATCHES_POD, PatchObject
from scc_responder.domain.changes.publish_decision import PublishDecision
from scc_responder.domain.changes.sever_connections import SeverConnections
from scc_responder.domain.changes.thaw_process import ThawProcess
from scc_responder.domain.clock import utc_now
from scc_responder.domain.cloud_run.run_objects import RunIamBinding, RunScaling, RunTraffic
from scc_responder.domain.permissions import Tier

POD = ChangedObject(kind="Pod", namespace="shop", name="web-1", uid="u1")
WHERE = {"namespace": "shop", "name": "web-1", "uid": "u1"}
ISOLATION = CreateNetworkPolicy(
    namespace="shop", name="n", pod_name="web-1", pod_uid="u1", selector={"a": "b"}, effective="enforced"
)
TO_ONE = (RunTraffic(revision="s-1", percent=100),)
ON_RUN = {"path": "projects/p/locations/l/services/s", "uid": "u1"}
SERVICE = ChangedObject(kind="Service", name=ON_RUN["path"], uid="u1")
CHILDREN = {
    "delete_revision": ChangedObject(kind="Revision", name=f"{SERVICE.name}/revisions/s-2", uid="u2"),
    "restart_service": ChangedObject(kind="Revision", name=f"{SERVICE.name}/revisions/s-2", uid="u2"),
    "cancel_execution": ChangedObject(kind="Execution", name="projects/p/locations/l/jobs/j/executions/e", uid="u2"),
}
EXAMPLES: dict[str, Change] = {
    "patch": PatchObject(kind="Pod", **WHERE, labels={"a": "b"}),
    "create_network_policy": ISOLATION,
    "sever_connections": SeverConnections(isolation=ISOLATION),
    "freeze_process": FreezeProcess(**WHERE, container="web", request="e30", host_network=True),
    "thaw_process": ThawProcess(**WHERE, container="web"),
    "delete_pod": DeletePod(**WHERE, grace_period_seconds=5),
    "evict_pod": EvictPod(**WHERE, grace_period_seconds=5),
    "detach_pod": DetachPod(**WHERE, labels={"app": "web"}, owner_uid="u2"),
    "capture_evidence": CaptureEvidence(namespace="shop", pod_name="web-1", pod_uid="u1"),
    "capture_logs": CaptureLogs(namespace="shop", pod_name="web-1", pod_uid="u1"),
    "capture_cloud_logs": CaptureCloudLogs(namespace="shop", pod_name="web-1", pod_uid="u1"),
    "capture_again": CaptureAgain(namespace="shop", pod_name="web-1", pod_uid="u1", changed_at=utc_now()),
    "inspect_container": InspectContainer(**WHERE, container="app", request="e30"),
    "notify": PublishDecision(),
    "shift_traffic": ShiftTraffic(**ON_RUN, to="s-1", prior=TO_ONE, retired=("s-2",)),
    "restrict_access": RestrictAccess(**ON_RUN, wanted=AccessSettings(ingress="i"), prior=AccessSettings(ingress="a")),
    "set_invokers": SetInvokers(**ON_RUN, members=(RunIamBinding(role="r", members=("allUsers",)),)),
    "scale_service": ScaleService(**ON_RUN, prior=RunScaling(minimum=1), tags=TO_ONE),
    "delete_revision": DeleteRevision(**ON_RUN, revision="s-2", revision_uid="u2"),
    "restart_service": RestartService(**ON_RUN, revision="s-2", revision_uid="u2", prior=TO_ONE),
    "cancel_execution": CancelExecution(
        path="projects/p/locations/l/jobs/j", uid="u1", execution="e", execution_uid="u2"
    ),
}
"""One change of each kind, by the tag that journals of every version carry."""

each_kind = pytest.mark.parametrize("tag", change_classes())


def test_the_stored_tags_are_these() -> None:
    """A tag is in journals: it is never renamed. A new kind of change adds its example here."""
    assert change_classes().keys() == EXAMPLES.keys()


@each_kind
def test_a_stored_change_is_restored(tag: str) -> None:
    """What the journal stores is the same change again."""
    assert stored(EXAMPLES[tag])["change"] == tag
    assert restored(stored(EXAMPLES[tag])) == EXAMPLES[tag]


@each_kind
def test_a_kind_declares_itself(tag: str) -> None:
    """A kind that changes something needs a permission to act; one that observes disrupts and ends nothing."""
    declared = change_classes()[tag].declares
    tiers = {permission.tier for permission in declared.permissions}
    assert declared.permissions
    assert declared.observes or tiers & {Tier.ACT, Tier.FORENSIC} or declared.disrupts is Disruption.SERVICES
    assert not (declared.observes and (declared.disrupts or declared.ends_pod or not declared.reversible))
    assert declared.reversible or declared.disrupts


@each_kind
def test_a_change_names_its_object(tag: str) -> None:
    """Each change names the pod by namespace, name and UID, and what is on Cloud Run by its path and UID."""
    about = {Disruption.SERVICES: SERVICE}.get(EXAMPLES[tag].declared.disrupts, POD)
    assert EXAMPLES[tag].target == {"notify": None, **CHILDREN}.get(tag, about)


def test_a_cordon_is_about_a_node() -> None:
    """A patch of a node disrupts nodes, and names the node."""
    cordon = PatchObject(kind="Node", name="n1", uid="u2", spec={"unschedulable": True})
    assert cordon.declared is CORDONS_NODE
    assert cordon.declared.disrupts is Disruption.NODES
    assert cordon.target == ChangedObject(kind="Node", name="n1", uid="u2")
    assert EXAMPLES["patch"].declared is PATCHES_POD


def test_evidence_without_a_pod_is_about_none() -> None:
    """Where no pod was read, evidence is about none."""
    assert CaptureEvidence().target is None


STORED: list[Any] = [
    pytest.param({"change": "patch", "kind": "Pod"}, False, True, False, id="patch"),
    pytest.param({"change": "patch", "kind": "Node"}, False, True, True, id="cordon"),
    pytest.param({"change": "delete_pod"}, False, False, False, id="deletion"),
    pytest.param({"change": "evict_pod"}, False, False, False, id="eviction"),
    pytest.param({"change": "detach_pod"}, False, True, False, id="detachment"),
    pytest.param({"change": "capture_evidence"}, True, True, False, id="evidence"),
    pytest.param({"change": "notify"}, True, True, False, id="message"),
    pytest.param({"change": "of_a_later_version"}, False, False, False, id="of-a-later-version"),
    pytest.param({}, False, False, False, id="nothing"),
]


@pytest.mark.parametrize(("data", "observes", "reversible", "node"), STORED)
def test_a_shortened_change_still_says_its_kind(
    data: dict[str, str], observes: bool, reversible: bool, node: bool
) -> None:
    """Records leave fields out when they grow too large. One of a later version counts as what cannot be undone."""
    assert observes_only(data) is observes
    assert is_reversible(data) is reversible
    assert is_about_node(data) is node


def test_a_case_is_bound_to_the_service_of_a_revision() -> None:
    """A revision is no part of its service once it is deleted; where fields were left out, it stands for itself."""
    for tag in CHILDREN:
        assert owner_uid(stored(EXAMPLES[tag]), "u2") == "u1"
        assert owner_uid({"change": tag}, "u2") == "u2"
    assert owner_uid(stored(EXAMPLES["delete_pod"]), "u1") == "u1"
    assert owner_uid({}, "u3") == "u3"


def test_a_later_kind_is_not_restored() -> None:
    """What this version does not know is refused, never taken for another kind."""
    with pytest.raises(msgspec.ValidationError, match="of_a_later_version"):
        restored({"change": "of_a_later_version"})


def test_only_where_asked_for_the_last_replica_is_taken() -> None:
    """No change may take it of itself: deletion, eviction and detachment where their policy says so."""
    assert [tag for tag, change in EXAMPLES.items() if change.any_replica] == []
    asked = {tag for tag, change in EXAMPLES.items() if "allow_last_replica" in change.__struct_fields__}
    assert asked == {"delete_pod", "evict_pod", "detach_pod"}
    assert all(replace(EXAMPLES[tag], allow_last_replica=True).any_replica for tag in asked)


@pytest.mark.parametrize("action", actions().values(), ids=lambda action: action.name)
def test_an_action_is_the_sum_of_its_changes(action: Action) -> None:
    """What an action needs, disrupts and cannot undo follows from the kinds of change that it makes."""
    kinds: tuple[ChangeKind, ...] = action.makes
    assert set(action.permissions) == {permission for kind in kinds for permission in kind.permissions}
    assert action.reversible is all(kind.reversible for kind in kinds)
    assert action.observes is all(kind.observes for kind in kinds)
    assert action.ends_pod is any(kind.ends_pod for kind in kinds)
    assert set(action.disrupts and [action.disrupts]) == {kind.disrupts for kind in kinds if kind.disrupts}


def test_a_change_of_no_kind_does_nothing() -> None:
    """The contract itself carries nothing out."""
    with pytest.raises(NotImplementedError):
        changes.Change().carry_out(None, None)  # type: ignore[arg-type]
