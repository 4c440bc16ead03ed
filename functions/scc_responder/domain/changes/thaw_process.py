"""Kind of change: let the processes of one container go on that the case froze, and no others."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from scc_responder.domain.changes import ChangeKind, Means, StepRun
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.kubernetes.collector_answers import AnswerDocuments, ThawAnswer, document
from scc_responder.domain.kubernetes.collector_asking import CollectorChange, begin_container, read_answer
from scc_responder.domain.kubernetes.collector_container import PUTS_CONTAINERS_IN, CollectorJob
from scc_responder.domain.kubernetes.ephemeral_containers import (
    LookRequest,
    Role,
    request_argument,
    thaw_arguments,
    thaw_forms,
)
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, not_effective

THAWS_PROCESS = ChangeKind(permissions=PUTS_CONTAINERS_IN)


class ThawProcess(CollectorChange, frozen=True, kw_only=True, tag="thaw_process"):
    """Let the processes go on that a step of the same case froze in this container of the pod with this UID."""

    declares: ClassVar[ChangeKind] = THAWS_PROCESS
    lasting: ClassVar[str] = "what was let go on is stopped again by nothing but a finding"

    container: str

    def once(self, session: ClusterSession, step: StepRun, means: Means, tries: Tries) -> Result:
        """Put a container in that lets them go on, and read back that they do."""
        frozen = means.frozen(self.uid)
        if not frozen:
            return Result(status=StepStatus.SKIPPED, reason=Reason.NOTHING_FROZEN)
        request = request_argument(LookRequest(frozen=frozen))
        job = CollectorJob(
            namespace=self.namespace,
            pod=self.name,
            uid=self.uid,
            role=Role.THAW,
            target=self.container,
            forms=partial(thaw_forms, container=self.container),
            arguments=partial(thaw_arguments, request=request),
        )
        container = begin_container(session, step, means, job, tries)
        return (
            container
            if isinstance(container, Result)
            else read_answer(session, container, partial(_judged, len(frozen)), "thaw")
        )


def _judged(wanted: int, told: AnswerDocuments) -> Result:
    answer = document(told, "thaw", ThawAnswer)
    if (left := wanted - len(answer.processes)) > 0:
        return not_effective(Reason.NOT_THAWED, f"{left} more stand still: to delete the pod ends them; {answer}")
    return done(Reason.THAWED, str(answer)) if answer.complete else not_effective(Reason.NOT_THAWED, str(answer))
