"""Action `delete_pod`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from scc_responder.actions import Allowance, Hold, Params, Planned, action, without_pod
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.changes.delete_pod import DELETES_POD, DeletePod
from scc_responder.domain.changes.patch_object import PATCHES_POD, PatchObject
from scc_responder.domain.context import NO_SUCH_OWNER, Context, IdentityLevel, Pod
from scc_responder.domain.labels import ARMED_BY
from scc_responder.domain.reasons import Reason

_TOO_SHORT = "with 0 the pod goes while its processes run on; write 1 for the shortest"


class DeletePodParams(Params, frozen=True, kw_only=True):
    """`grace_period_seconds`: never the pod's own, which its maker chose, and at least 1. `identity: likely` takes an
    unproved pod.

    `allow_last_replica` deletes the last ready pod of a workload too, and one without which its Job fails.
    """

    grace_period_seconds: Annotated[int, msgspec.Meta(ge=1, le=3600, extra={"too_small": _TOO_SHORT, "widest": 1})] = 30
    allow_standalone: Allowance = False
    allow_daemonset: Allowance = False
    allow_last_replica: Allowance = False
    identity: Annotated[Literal["proved", "likely"], msgspec.Meta(extra={"widest": "likely"})] = "proved"


@action(
    params=DeletePodParams,
    makes=[PATCHES_POD, DELETES_POD],
    needs_identity=True,
    against=Countermeasure.PROCESS_TERMINATION,
)
def delete_pod(context: Context, params: DeletePodParams) -> Planned:
    """Delete the compromised pod, and only that pod: its replacement has another UID.

    Two steps: the pod is armed with `scc-responder/armed-by`, then deleted on condition of its UID and of the very
    version that was armed. Static pods are never deleted; standalone and DaemonSet pods, and the last ready one of a
    workload, or of a Job that would fail, only where the policy says so; a ready pod never where its disruption budget
    allows none. The pod's processes are watched for 4 s, and looked at again once the grace period is over.

        then:
          - action: capture_evidence
          - action: delete_pod
            with:
              grace_period_seconds: 10
    """
    return ending_plan(context, params, DeletePod)


def ending_plan(context: Context, params: DeletePodParams, change: type[DeletePod]) -> Planned:
    """The plan of an action that ends the pod: armed first, so that it is this very pod that goes."""
    pod = context.pod
    if pod is None:
        return without_pod(context)
    held = _hold(context, pod, params)
    if held:
        return Hold(reason=held)
    return [
        PatchObject(kind="Pod", namespace=pod.namespace, name=pod.name, uid=pod.uid, marker=ARMED_BY, versioned=True),
        change(
            namespace=pod.namespace,
            name=pod.name,
            uid=pod.uid,
            grace_period_seconds=params.grace_period_seconds,
            allow_last_replica=params.allow_last_replica,
        ),
    ]


def _hold(context: Context, pod: Pod, params: DeletePodParams) -> Reason | None:
    """Why the pod may not be ended, by what is known of it before the cluster is looked at; None if it may."""
    if pod.mirror:
        return Reason.POD_STATIC
    if context.identity.level != IdentityLevel.PROVED and params.identity == "proved":
        return Reason.IDENTITY_NOT_PROVED.of(context.identity.reason)
    if not pod.owners and not params.allow_standalone:
        return Reason.POD_STANDALONE
    if _is_daemon(context, pod) and not params.allow_daemonset:
        return Reason.POD_DAEMONSET
    return None


def _is_daemon(context: Context, pod: Pod) -> bool:
    """Whether a DaemonSet may own the pod: it may as long as an owner reference says so and is not disproved."""
    claimed = any((owner.kind, owner.api_version) == ("DaemonSet", "apps/v1") for owner in pod.owners)
    return claimed and context.missing.get("owner") not in NO_SUCH_OWNER
