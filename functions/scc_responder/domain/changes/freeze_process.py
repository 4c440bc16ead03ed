"""Kind of change: stop the finding's processes in one container. They keep their memory, and do nothing any more.

A container of ours beside the target does it. In a container that the kubelet restarts once it does not answer, a look
comes first: a process of the workload itself is left alone there, as a restart would take everything away.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import ClassVar

from msgspec.structs import replace

from scc_responder.domain.changes import ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.clock import bounded
from scc_responder.domain.kubernetes import container_processes
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.kubernetes.collector_answers import (
    AnswerDocuments,
    CutAnswer,
    FreezeAnswer,
    MatchAnswer,
    document,
    told_time,
)
from scc_responder.domain.kubernetes.collector_asking import CollectorChange, begin_container, read_answer
from scc_responder.domain.kubernetes.collector_container import PUTS_CONTAINERS_IN, CollectorContainer, CollectorJob
from scc_responder.domain.kubernetes.ephemeral_containers import (
    Role,
    container_name,
    ephemeral_of,
    look_arguments,
    look_forms,
)
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, Result, StepStatus, not_effective, not_the_target, target_gone
from scc_responder.domain.text import listed

MOST_FROZEN = 500
"""Kept of the processes that were stopped, so that the case stays small enough: more than one thaw lets go on."""
FREEZES_PROCESS = ChangeKind(permissions=PUTS_CONTAINERS_IN, disrupts=Disruption.PODS)


class FreezeProcess(CollectorChange, frozen=True, kw_only=True, tag="freeze_process"):
    """Stop the processes of one container that are the finding's, and their children, and read back that they stand.

    `request` is what they are known by, as the collector takes it. `host_network`: the pod has its node's network, so
    that the connections of these processes are ended too, and no others.
    """

    declares: ClassVar[ChangeKind] = FREEZES_PROCESS

    container: str
    request: str
    host_network: bool = False

    def begins_with(self, _pod: ApiObject) -> CollectorJob | None:
        """The container that freezes; None where it has to look before."""
        looks_before = container_processes.restarting_probe(_pod, self.container)
        return None if looks_before or container_processes.sees_node(_pod) else self._job(Role.LOOK, freezes=True)

    def once(self, session: ClusterSession, step: StepRun, means: Means, tries: Tries) -> Result:
        """Put a container in that freezes, and read its answer; where a restart would follow, look first."""
        pod = session.read(self.pod_path)
        lost = not_the_target(pod, self.uid)
        if lost or pod is None:
            return lost or target_gone()
        if means.collector.image and container_processes.sees_node(pod):
            return Result(status=StepStatus.NOT_POSSIBLE, reason=Reason.HOST_PROCESSES)
        looking = ephemeral_of(pod, container_name(Role.LOOK, means.collector.case))
        role = Role.FREEZE if looking and "-freeze" not in looking.get("args", ()) else Role.LOOK
        if container_processes.restarting_probe(pod, self.container):
            kept = self._look_first(session, step, means, tries, pod)
            if kept:
                return kept
            role = Role.FREEZE
        began = step.clock()
        container = begin_container(session, step, means, self._job(role, freezes=True), tries)
        if isinstance(container, Result):
            return container
        proved = self._is_proved(container, pod)
        after = step.intended_at if container.was_there else began
        judge = partial(self._judged, step=step, after=after, proved=proved)
        return read_answer(session, container, judge, "cut" if self.host_network else "freeze")

    def _look_first(
        self, session: ClusterSession, step: StepRun, means: Means, tries: Tries, pod: ApiObject
    ) -> Result | None:
        """The outcome where nothing is to be frozen, as the kubelet would restart the container; None where it is."""
        probe = container_processes.restarting_probe(pod, self.container)
        container = begin_container(session, step, means, self._job(Role.LOOK, freezes=False), tries)
        if isinstance(container, Result):
            is_sealed = container.reason == Reason.COLLECTOR_KEY_GONE
            return _left_alone(f"{probe}: the look is sealed, and tells no more") if is_sealed else container
        if not self._is_proved(container, pod):
            return not_effective(Reason.UNPROVEN)
        start = container_processes.started_at(pod, self.container)
        own = read_answer(session, container, lambda told: container_processes.own_processes(told, start), "sockets")
        if isinstance(own, Result):
            return own
        return _left_alone(f"{probe}: pid {listed([str(pid) for pid in own])}") if own else None

    def _is_proved(self, container: CollectorContainer, pod: ApiObject) -> bool:
        """Whether nobody in the pod could write what the container tells."""
        return not container.own_form and not container_processes.may_forge(pod, self.container)

    def _job(self, role: Role, *, freezes: bool) -> CollectorJob:
        sockets = freezes and self.host_network
        return CollectorJob(
            namespace=self.namespace,
            pod=self.name,
            uid=self.uid,
            role=role,
            target=self.container,
            forms=partial(look_forms, container=self.container, network=sockets),
            arguments=lambda key: look_arguments(key, self.request, freeze=freezes, sockets=sockets),
        )

    def _judged(self, told: AnswerDocuments, *, step: StepRun, after: datetime | None, proved: bool) -> Result:
        """What the answer is worth. Raises Truncated."""
        matched, answer = document(told, "matches", MatchAnswer), document(told, "freeze", FreezeAnswer)
        cut = f"; {document(told, 'cut', CutAnswer)}" if self.host_network and "cut" in told else ""
        detail = f"{answer}{cut}"
        if not proved:
            result = not_effective(Reason.UNPROVEN, detail)
        elif not matched.matches:
            result = _unmatched(matched)
        elif answer.complete and answer.frozen:
            since = told_time(answer.frozen_at) if self.host_network else None
            result = Result(
                status=StepStatus.DONE,
                reason=Reason.FROZEN,
                detail=detail,
                containment=Containment.FROZEN,
                contained_at=bounded(since, after, step.clock()) if since else None,
            )
        else:
            result = not_effective(Reason.FIRST_PROCESS if answer.is_but_first else Reason.NOT_FROZEN, detail)
        return replace(result, frozen=answer.stopped[:MOST_FROZEN])


def _left_alone(detail: str) -> Result:
    return Result(status=StepStatus.HELD, reason=Reason.OWN_PROCESS_PROBED, detail=detail)


def _unmatched(matched: MatchAnswer) -> Result:
    """What it means that no process is the finding's: that there is none, only where all could be read."""
    if matched.is_whole:
        return Result(status=StepStatus.SKIPPED, reason=Reason.NO_PROCESS_MATCHED, detail=f"of {matched.seen}")
    return not_effective(Reason.PROCESSES_UNREAD, f"{matched.unread} of {matched.seen} could not be read")
