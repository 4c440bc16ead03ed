"""Kind of change: evict one pod, where its disruption budget allows that. The end is that of a deletion."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from scc_responder.domain.changes import ChangeKind, Disruption, StepRun
from scc_responder.domain.changes.delete_pod import DeletePod, PodEnd
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.labels import ARMED_BY
from scc_responder.domain.permissions import acts, observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus

ASK_AGAIN = timedelta(minutes=2)
"""How long a budget's controller notes an eviction that came to nothing: until then it allows one less."""

EVICTS_POD = ChangeKind(
    permissions=(*observes("pods", "get"), *acts("pods/eviction", "create")),
    reversible=False,
    ends_pod=True,
    asks_budgets=True,
    disrupts=Disruption.PODS,
)

_BY_BUDGET = frozenset({Reason.DISRUPTION_BUDGET, Reason.SEVERAL_DISRUPTION_BUDGETS})


class EvictPod(DeletePod, frozen=True, kw_only=True, tag="evict_pod"):
    """Evict the pod with this UID, as it is right before, while it carries our arming label. See `DeletePod`.

    The API server counts an eviction against the budget before it looks at the pod's UID and version: one that is
    refused for these uses the budget up for two minutes. So no eviction is sent for a pod that was read before.
    """

    declares: ClassVar[ChangeKind] = EVICTS_POD
    lasting: ClassVar[str] = "an evicted pod does not come back; its workload makes another"

    def _once(self, session: ClusterSession, path: str, step: StepRun, seen: PodEnd, tries: Tries) -> Result:
        try:
            return super()._once(session, path, step, seen, tries)
        except ApiError as error:
            if error.reason not in _BY_BUDGET:
                raise
            may_free = error.reason is Reason.DISRUPTION_BUDGET and not step.dry_run
            return Result(
                status=StepStatus.HELD,
                reason=Reason.BUDGET_AWAITED if may_free else error.reason,
                detail=str(error),
                due_at=step.clock() + ASK_AGAIN if may_free else None,
            )

    def _send(self, session: ClusterSession, path: str, step: StepRun, tries: Tries, read: ApiObject) -> str:  # noqa: ARG002 - it is read again
        now = session.read_anew(path)
        if now is None or self.probe(step, now, sent=tries.sent) is not None:
            raise ApiError(Reason.CONFLICT, "the pod changed right before its eviction", status=409)
        named = {"name": self.name, "namespace": self.namespace, "labels": {ARMED_BY: step.action_id}}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": named}
        eviction, options = (
            api_paths.pod_eviction(self.namespace, self.name),
            {"deleteOptions": self.options(step, now)},
        )
        tries.send(lambda: session.api.create(eviction, body | options, dry_run=step.dry_run))
        return ""
