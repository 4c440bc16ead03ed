"""Which change takes a change back: for the very object and UID that it changed. Pure."""

from __future__ import annotations

from functools import singledispatch

from msgspec.structs import replace

from scc_responder.domain.changes import Change
from scc_responder.domain.changes.cloud_run.restrict_access import RestrictAccess
from scc_responder.domain.changes.cloud_run.scale_service import ScaleService
from scc_responder.domain.changes.cloud_run.set_invokers import SetInvokers
from scc_responder.domain.changes.cloud_run.shift_traffic import ShiftTraffic
from scc_responder.domain.changes.create_network_policy import CreateNetworkPolicy
from scc_responder.domain.changes.detach_pod import DetachPod
from scc_responder.domain.changes.freeze_process import FreezeProcess
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.changes.thaw_process import ThawProcess
from scc_responder.pipeline.undo.undo_changes.attach_pod import AttachPod
from scc_responder.pipeline.undo.undo_changes.delete_network_policy import DeleteNetworkPolicy
from scc_responder.pipeline.undo.undo_changes.release_object import ReleaseObject


@singledispatch
def inverse_of(_change: Change) -> Change | None:
    """The change that takes it back; None where none does: then its kind says why, if it changes anything."""
    return None


@inverse_of.register
def _(change: PatchObject) -> ReleaseObject:
    return ReleaseObject(
        kind=change.kind,
        namespace=change.namespace,
        name=change.name,
        uid=change.uid,
        labels=change.labels,
        annotations=change.annotations,
        marker=change.marker,
        uncordons=bool(change.spec.get("unschedulable")),
    )


@inverse_of.register
def _(change: CreateNetworkPolicy) -> DeleteNetworkPolicy:
    return DeleteNetworkPolicy(
        namespace=change.namespace,
        name=change.name,
        pod_name=change.pod_name,
        pod_uid=change.pod_uid,
        selector=change.selector,
    )


@inverse_of.register
def _(change: DetachPod) -> AttachPod:
    return AttachPod(
        namespace=change.namespace,
        name=change.name,
        uid=change.uid,
        labels=change.labels,
        owner_uid=change.owner_uid,
    )


@inverse_of.register
def _(change: FreezeProcess) -> ThawProcess:
    """The case knows which processes it stopped."""
    return ThawProcess(namespace=change.namespace, name=change.name, uid=change.uid, container=change.container)


@inverse_of.register
def _(change: RestrictAccess) -> RestrictAccess:
    """The settings of before."""
    return RestrictAccess(
        path=change.path, uid=change.uid, wanted=change.prior, prior=change.wanted, opens=not change.opens
    )


@inverse_of.register
def _(change: SetInvokers) -> SetInvokers:
    """The members of before."""
    return replace(change, adds=not change.adds)


@inverse_of.register(ScaleService)
@inverse_of.register(ShiftTraffic)
def _(change: ScaleService | ShiftTraffic) -> ScaleService | ShiftTraffic:
    """Of a scaling mode, minimum, maximum and tags of before; of traffic the list, `LATEST` and tags included."""
    return replace(change, restores=not change.restores, deployed="", ready="")
