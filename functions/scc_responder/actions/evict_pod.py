"""Action `evict_pod`."""

from __future__ import annotations

from scc_responder.actions import Planned, action
from scc_responder.actions.delete_pod import DeletePodParams, ending_plan
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.changes.evict_pod import EVICTS_POD, EvictPod
from scc_responder.domain.changes.patch_object import PATCHES_POD
from scc_responder.domain.context import Context


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
    return ending_plan(context, params, EvictPod)
