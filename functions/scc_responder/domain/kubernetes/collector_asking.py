"""Ask a container of ours for one thing: put it in, wait until it begins, read as much of its answer as is needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from scc_responder.domain.changes import Means, PodChange, StepRun
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.kubernetes.collector_answers import AnswerDocuments, documents
from scc_responder.domain.kubernetes.collector_container import (
    CollectorContainer,
    CollectorJob,
    await_start,
    frames,
    put_in,
    was_killed,
)
from scc_responder.domain.kubernetes.collector_stream import Truncated
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, not_effective

_T = TypeVar("_T")

_ANSWER_SECONDS = 15.0
"""Until a collector tells what it cut or froze: it does that before it reads any file out."""


class CollectorChange(PodChange, frozen=True, kw_only=True):
    """A change of a pod that a container of ours makes from within."""

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Put the container in, unless it is there, and see what it says: tried again while the cluster changes."""
        path = self.pod_path
        return means.in_cluster(lambda session: session.until_settled(partial(self.once, session, step, means), path))

    def once(self, session: ClusterSession, step: StepRun, means: Means, tries: Tries) -> Result:
        """One attempt. Raises what `ClusterSession.until_settled` tries again after."""
        raise NotImplementedError


def begin_container(
    session: ClusterSession, step: StepRun, means: Means, job: CollectorJob, tries: Tries
) -> CollectorContainer | Result:
    """The container, once it runs or has run; the outcome where it does not. Raises ApiError."""
    container = put_in(session, step, means, job, tries)
    if isinstance(container, Result):
        return container
    return await_start(session, container) or container


def read_answer(
    session: ClusterSession,
    container: CollectorContainer,
    judge: Callable[[AnswerDocuments], _T],
    last: str = "",
) -> _T | Result:
    """What `judge` makes of the documents up to the one that is named so; the outcome where they are not to be had.

    Where what looks is stopped before it begins, the node tells of no other container's end: none is waited for.
    `judge` may raise Truncated. Raises ApiError.
    """
    try:
        return judge(documents(frames(session, container, _ANSWER_SECONDS, alone=True), last))
    except Truncated as error:
        return was_killed(session, container) or not_effective(Reason.ANSWER_TRUNCATED, str(error))
