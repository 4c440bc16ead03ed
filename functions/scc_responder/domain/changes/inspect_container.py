"""Kind of change: look into a container, from a container of ours beside it, and keep what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from scc_responder.domain.changes import ChangeKind, Inspected, Means, StepRun
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.kubernetes.collector_asking import CollectorChange
from scc_responder.domain.kubernetes.collector_container import (
    PUTS_CONTAINERS_IN,
    CollectorContainer,
    CollectorJob,
    await_start,
    frames,
    is_stuck,
    put_in,
    was_killed,
)
from scc_responder.domain.kubernetes.collector_stream import Frame, Truncated
from scc_responder.domain.kubernetes.ephemeral_containers import Role, look_arguments, look_forms
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result

FOLLOW_SECONDS = 45.0
"""How long the log of the container is followed at most, and no longer than the delivery lasts: the next one reads it
from its start. The collector is done within seconds, and bounds itself to a minute.
"""

INSPECTS_CONTAINER = ChangeKind(permissions=PUTS_CONTAINERS_IN, keeps_files=True)
"""What is put in stays as long as the pod, and changes nothing in it: nobody has to undo it."""


class InspectContainer(CollectorChange, frozen=True, kw_only=True, tag="inspect_container"):
    """Look into one container of the pod with this UID.

    `container` is the one whose processes are looked at, `request` what the collector is to look for, in base64url.
    """

    declares: ClassVar[ChangeKind] = INSPECTS_CONTAINER
    lasting: ClassVar[str] = "a container that was put in stays until the pod goes; it has ended, and changed nothing"

    container: str
    request: str

    def once(self, session: ClusterSession, step: StepRun, means: Means, tries: Tries) -> Result:
        """Put the container in, unless it is there, read its log from the start, and keep what it tells."""
        container = put_in(session, step, means, self.begins_with({}), tries)
        if isinstance(container, Result):
            return container
        return await_start(session, container) or self._kept(session, container, step, means)

    def _kept(self, session: ClusterSession, container: CollectorContainer, step: StepRun, means: Means) -> Result:
        told = self._told(session, container, step)
        inspected = Inspected(container=self.container, frames=told, own_form=container.own_form, renew=step.renew)
        result = means.keep_inspection(inspected)
        killed = was_killed(session, container) if result.reason == Reason.INSPECTED_IN_PART else None
        return killed or result

    def _told(self, session: ClusterSession, container: CollectorContainer, step: StepRun) -> Iterator[Frame]:
        """What the container tells. Raises Truncated where something keeps it from its end; ApiError."""
        try:
            yield from frames(session, container, step.seconds(FOLLOW_SECONDS))
        except ApiError as error:
            if error.reason == Reason.TIMEOUT and is_stuck(session, container, step.clock()):
                raise Truncated("our container runs far longer than it gives itself") from error
            raise

    def begins_with(self, _pod: ApiObject) -> CollectorJob:
        """The container that looks."""
        return CollectorJob(
            namespace=self.namespace,
            pod=self.name,
            uid=self.uid,
            role=Role.LOOK,
            target=self.container,
            forms=partial(look_forms, container=self.container),
            arguments=lambda key: look_arguments(key, self.request),
        )
