"""Kind of change: end every established connection of one pod. A deny-all policy stops new ones alone.

A container of ours without target does it, from a process namespace of its own: nothing in the pod can reach it. Where
all of a pod share one namespace, it has that, and proves nothing beside a container that may reach into it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.changes.create_network_policy import READS_NETWORK_POLICIES, CreateNetworkPolicy
from scc_responder.domain.clock import bounded
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.kubernetes.collector_answers import CutAnswer, document, told_time
from scc_responder.domain.kubernetes.collector_asking import begin_container, read_answer
from scc_responder.domain.kubernetes.collector_container import PUTS_CONTAINERS_IN, CollectorJob
from scc_responder.domain.kubernetes.container_processes import may_forge
from scc_responder.domain.kubernetes.ephemeral_containers import Role, cut_arguments, cut_form
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, Result, StepStatus, not_effective

ENFORCED_WITHIN = timedelta(milliseconds=400)
"""How long a node may take to enforce a deny-all policy that the API server has."""

SEVERS_CONNECTIONS = ChangeKind(permissions=(*PUTS_CONTAINERS_IN, *READS_NETWORK_POLICIES), disrupts=Disruption.PODS)


class SeverConnections(Change, frozen=True, kw_only=True, tag="sever_connections"):
    """End every established connection of a pod, and look whether one is left, or can come back.

    `isolation` is the policy that keeps new ones away, as `isolate_pod` plans it.
    """

    declares: ClassVar[ChangeKind] = SEVERS_CONNECTIONS
    lasting: ClassVar[str] = "the processes connect anew by themselves once the isolation is taken back"

    isolation: CreateNetworkPolicy

    @property
    def target(self) -> ChangedObject:
        """The pod."""
        return self.isolation.target

    @property
    def relies_on(self) -> Change:
        """Without the isolation the connections come back at once."""
        return self.isolation

    def begins_with(self, _pod: ApiObject) -> CollectorJob:
        """The container that cuts."""
        pod = self.target
        return CollectorJob(
            namespace=pod.namespace,
            pod=pod.name,
            uid=pod.uid,
            role=Role.CUT,
            forms=lambda _pod: (cut_form(),),
            arguments=cut_arguments,
        )

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Put the container in, read its answer, and then whether the isolation holds."""
        path = api_paths.pod(self.target.namespace, self.target.name)
        return means.in_cluster(lambda session: session.until_settled(partial(self._once, session, step, means), path))

    def _once(self, session: ClusterSession, step: StepRun, means: Means, tries: Tries) -> Result:
        began = step.clock()
        container = begin_container(session, step, means, self.begins_with({}), tries)
        if isinstance(container, Result):
            return container
        answer = read_answer(session, container, lambda told: document(told, "cut", CutAnswer))
        if isinstance(answer, Result):
            return answer
        if may_forge(session.read(container.path) or {}):
            return not_effective(Reason.UNPROVEN, str(answer))
        after = step.intended_at if container.was_there else began
        isolation = self.isolation.standing(session)
        if container.was_there and after and not means.was_done_by(self.isolation, _last_moment(answer, after)):
            isolation = not_effective(Reason.CONNECTIONS_MAY_RETURN, "the isolation was later than the cut")
        return _judged(answer, isolation, after, step.clock())


def _last_moment(answer: CutAnswer, after: datetime) -> datetime:
    """Until when an isolation must have been written, so that what it let through before was ended too.

    The container began no earlier than its intent was written, and looked on for as long as it says.
    """
    return after + max(timedelta(), timedelta(milliseconds=answer.watched_ms) - ENFORCED_WITHIN)


def _judged(answer: CutAnswer, isolation: Result, after: datetime | None, now: datetime) -> Result:
    """What the answer is worth beside what keeps new connections away. They are bounds of when it came to be so."""
    severed_at = told_time(answer.severed_at)
    if not answer.complete or severed_at is None:
        return not_effective(Reason.CONNECTIONS_LEFT if answer.left_count else Reason.CONNECTIONS_UNKNOWN, str(answer))
    if isolation.status is not StepStatus.DONE:
        why = "; ".join(filter(None, (str(answer), isolation.reason, isolation.detail)))
        return not_effective(Reason.CONNECTIONS_MAY_RETURN, why)
    return Result(
        status=StepStatus.DONE,
        reason=Reason.SEVERED,
        detail=str(answer),
        containment=Containment.SEVERED,
        contained_at=bounded(severed_at, after, now),
    )
