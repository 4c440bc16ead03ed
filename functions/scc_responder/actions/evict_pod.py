"""Action `evict_pod`."""

from __future__ import annotations

from scc_responder.actions import Hold, Planned, action, without_pod
from scc_responder.actions.delete_pod import DeletePodParams, ending_hold
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.changes.evict_pod import EVICTS_POD, EvictPod
from scc_responder.domain.changes.patch_object import PATCHES_POD, PatchObject
from scc_responder.domain.context import Context
from scc_responder.domain.labels import ARMED_BY


@action(
    params=DeletePodParams,
    makes=[PATCHES_POD, EVICTS_POD],
    needs_identity=True,
    against=Countermeasure.PROCESS_TERMINATION,
)
def evict_pod(context: Context, params: DeletePodParams) -> Planned:
    """Delete the compromised pod as `delete_pod` does, where its disruption budget allows one less by then.

    The API server itself asks the budget. One that allows none holds the step as `budget_awaited`: sweeps ask again
    every few minutes, for as long as the finding is young enough. Another than a ready pod needs no budget.

        then:
          - action: capture_evidence
          - action: evict_pod
    """
    pod = context.pod
    if pod is None:
        return without_pod(context)
    held = ending_hold(context, pod, params)
    if held:
        return Hold(reason=held)
    return [
        PatchObject(kind="Pod", namespace=pod.namespace, name=pod.name, uid=pod.uid, marker=ARMED_BY, versioned=True),
        EvictPod(
            namespace=pod.namespace,
            name=pod.name,
            uid=pod.uid,
            grace_period_seconds=params.grace_period_seconds,
            allow_last_replica=params.allow_last_replica,
        ),
    ]
