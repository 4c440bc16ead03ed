"""Action `detach_pod`."""

from __future__ import annotations

from scc_responder.actions import Allowance, Hold, Params, Planned, Skip, action, without_pod
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.changes.detach_pod import DETACHES_POD, DetachPod
from scc_responder.domain.context import NO_SUCH_OWNER, Context, Pod
from scc_responder.domain.labels import DETACHED, PREFIX
from scc_responder.domain.reasons import Reason

_REPLACING = {("ReplicaSet", "apps/v1"), ("DaemonSet", "apps/v1")}
_NOT_REPLACING = {("StatefulSet", "apps/v1"): Reason.POD_STATEFULSET, ("Job", "batch/v1"): Reason.POD_JOB}


class DetachPodParams(Params, frozen=True, kw_only=True):
    """`allow_last_replica` detaches the last ready pod of a workload too, and one beside which a replacement may not
    start: it keeps ports of its node, or a volume that is for one node or pod alone.
    """

    allow_last_replica: Allowance = False


@action(
    params=DetachPodParams, makes=[DETACHES_POD], needs_identity=True, against=Countermeasure.INBOUND_TRAFFIC_FILTERING
)
def detach_pod(context: Context, params: DetachPodParams) -> Planned:
    """Take the compromised pod out of its workload and its Services, and leave it running for people to look at.

    The labels that its ReplicaSet or DaemonSet selects it by are taken away: a clean replacement comes, and requests
    stop. Their values stay in the annotation `scc-responder/detached`; put back, they undo it. The label that isolates
    the pod stays. Pods of other owners are held: nothing would replace them. Held like a deletion for the last ready
    pod and for disruption budgets, and for host ports and volumes that a replacement could not have beside the pod
    (`volumes_unread` in `simulate` with a snapshot, which keeps none).
    The outcome says what was read back: `still_owned` where a controller has the pod, `still_sent_to` where a Service
    that selects by other labels still sends to it, `bypassed_by` where a policy for pods without these labels lets the
    isolated pod out.

        then:
          - action: isolate_pod
          - action: detach_pod
    """
    pod = context.pod
    if pod is None:
        return without_pod(context)
    if DETACHED in pod.annotations and not pod.owners:
        return Skip(reason=Reason.ALREADY_DETACHED)
    held = _held(context, pod)
    if held:
        return Hold(reason=held)
    owner = pod.owners[0]
    keys = [key for key in owner.selected_by if key in pod.labels and not key.startswith(PREFIX)]
    if not keys:
        return Hold(reason=Reason.NO_SELECTOR_LABELS)
    return [
        DetachPod(
            namespace=pod.namespace,
            name=pod.name,
            uid=pod.uid,
            labels={key: pod.labels[key] for key in keys},
            owner_uid=owner.uid,
            allow_last_replica=params.allow_last_replica,
        )
    ]


def _held(context: Context, pod: Pod) -> Reason | None:
    if pod.mirror:
        return Reason.POD_STATIC
    if not pod.owners or context.missing.get("owner") in NO_SUCH_OWNER:
        return Reason.POD_STANDALONE
    kind = pod.owners[0].kind, pod.owners[0].api_version
    if kind not in _REPLACING:
        return _NOT_REPLACING.get(kind, Reason.POD_OTHER_OWNER)
    return Reason.WORKLOAD_UNREAD if "owner" in context.missing else None
