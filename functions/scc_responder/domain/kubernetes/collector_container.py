"""One container of ours in one pod: which form is admitted, put in at most once, begun, and its log.

A change that needs a collector calls `put_in`, then `await_start`, then `frames`: in one step, or in two steps of one
case, as the container is known by its name and read with the case's key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from scc_responder.domain.changes import Collector, Means, StepRun
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import MODE_POLICY, ClusterSession, Tries
from scc_responder.domain.kubernetes.collector_stream import Frame, Truncated, public_text, read_frames
from scc_responder.domain.kubernetes.ephemeral_containers import (
    Form,
    InsertedContainer,
    Role,
    container_name,
    ephemeral_of,
    ephemeral_status,
    is_root_form,
)
from scc_responder.domain.permissions import forensic, observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, failed, not_the_target, target_gone
from scc_responder.domain.value import Value

PUTS_CONTAINERS_IN = (
    *observes("pods", "get"),
    *observes("pods/log", "get"),
    *observes("events", "list"),
    *forensic("pods/ephemeralcontainers", "patch"),
)

START_WAITS_SECONDS = (*(0.375,) * 4, 0.4, 0.6, 1.0, 1.5, 2.3, 4.0, 4.0, 4.0)
"""After each look at whether a container began, 20 s in all: one whose image is present begins within 1 s or so."""

STARTS_WITHIN_SECONDS = 5.0
"""A container whose image is present, and that has not begun by then, is kept from it."""

_ENDS_WITHIN = timedelta(minutes=2)
_EVENTS_AFTER_SECONDS = 1.5
_FORBIDDEN = 403
_UNSERVED = frozenset({404, 405, 415})
"""HTTP statuses of an API server that has no such subresource, or does not take such a patch of it."""

NO_KEY = "A" * 43
"""Stands for the public key of a case in a rehearsal."""

_NO_IMAGE = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
)
_KILLED = frozenset({"RunContainerError", "StartError", "ContainerCannotRun"})
_UNSET = "set SCC_RESPONDER_COLLECTOR to the collector's image, as REGISTRY/IMAGE@sha256:DIGEST"


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectorJob:
    """What a container of ours is to do in one pod.

    `forms`: for the pod as it was read, the security contexts in the order in which they are tried; `arguments`: for
    the public key of the case.
    """

    namespace: str
    pod: str
    uid: str
    role: Role
    forms: Callable[[ApiObject], tuple[Form, ...]]
    arguments: Callable[[str], tuple[str, ...]]
    target: str = ""

    @property
    def path(self) -> str:
        """The pod's path."""
        return api_paths.pod(self.namespace, self.pod)

    def container(self, case: str, key: str) -> InsertedContainer:
        """The container, for the public key of the case."""
        return InsertedContainer(
            name=container_name(self.role, case), target=self.target, arguments=self.arguments(key)
        )


class CollectorContainer(Value, frozen=True, kw_only=True):
    """A container of ours that is in the pod. `private`: the key that its log is read with.

    `own_form`: it runs as the target does, so that its answers prove nothing. `was_there`: an earlier step put it in.
    """

    path: str
    uid: str
    name: str
    image: str
    private: bytes
    own_form: bool
    was_there: bool = False


def put_in(
    session: ClusterSession, step: StepRun, means: Means, job: CollectorJob, tries: Tries
) -> CollectorContainer | Result:
    """Put the container in, unless it is there; the outcome where that cannot be, or is only rehearsed.

    Raises ApiError: use it within `ClusterSession.until_settled`.
    """
    name, read = container_name(job.role, means.collector.case), session.read(job.path)
    if read and not ephemeral_of(read, name):
        read = session.read_settled(job.path)
    lost = not_the_target(read, job.uid)
    if lost or read is None:
        return lost or target_gone()
    if ephemeral_of(read, name):
        return _there(read, name, job, means)
    form = impossible(read, means.collector) or _admitted(session, job, means, read)
    if isinstance(form, Result):
        return form
    if step.dry_run:
        return Result(status=StepStatus.DRY_RUN, reason=Reason.WOULD_INSERT)
    step.intend()
    private = means.collector.private_key()
    container = job.container(means.collector.case, public_text(private))
    body = container.patch(means.collector.image, job.uid, form)
    try:
        session.keep(job.path, tries.send(lambda: session.api.patch(_ephemeral(job), body, strategic=True)))
    except ApiError as error:
        return _refused(error, session, job)
    return CollectorContainer(
        path=job.path, uid=job.uid, name=name, image=means.collector.image, private=private, own_form=form.own
    )


def await_start(session: ClusterSession, container: CollectorContainer) -> Result | None:
    """Wait until it runs, or has run; the outcome where it does not. Raises ApiError."""
    known = session.read(container.path) or {}
    before = _settled(ephemeral_status(known, container.name), known, container)
    if before is not None:
        return before.result
    waited, image_present = 0.0, False
    for seconds in START_WAITS_SECONDS:
        read = session.read_anew(container.path)
        lost = not_the_target(read, container.uid)
        if lost or read is None:
            return lost or target_gone()
        settled = _settled(ephemeral_status(read, container.name), read, container)
        if settled is not None:
            return settled.result
        if waited >= _EVENTS_AFTER_SECONDS:
            said = _events(session, container)
            image_present = image_present or "Pulled" in said
            if "Failed" in said and not image_present:
                return _not_possible(Reason.IMAGE_NOT_PULLED, said["Failed"])
        if waited >= STARTS_WITHIN_SECONDS and image_present:
            return _defends(read, container, "it was not let begin")
        session.wait(seconds)
        waited += seconds
    return Result(status=StepStatus.NOT_EFFECTIVE, reason=Reason.COLLECTOR_NOT_STARTED)


def frames(
    session: ClusterSession, container: CollectorContainer, seconds: float, *, alone: bool = False
) -> Iterator[Frame]:
    """What the container tells, from its start, each frame as it comes. `alone`: see `read_frames`.

    A log that nobody lets us read is truncated before its first byte. Raises Truncated, ApiError.
    """
    path = f"{container.path}/log"
    log = session.api.read_log(path, container=container.name, follow=True, seconds=seconds)
    try:
        yield from read_frames(log, container.private, alone=alone)
    except ApiError as error:
        if error.status == _FORBIDDEN:
            raise Truncated(error.explanation) from error
        raise


def was_killed(session: ClusterSession, container: CollectorContainer) -> Result | None:
    """The outcome where the container was killed before it had told all: asked after a truncated log."""
    read = session.read_anew(container.path)
    if read is None or not_the_target(read, container.uid) or "deletionTimestamp" in read["metadata"]:
        return None
    ended = (ephemeral_status(read, container.name).get("state") or {}).get("terminated") or {}
    by_signal = ended.get("exitCode", 0) > 128 and ended.get("reason") != "OOMKilled"
    return _defends(read, container, f"it was ended with exit code {ended['exitCode']}") if by_signal else None


def is_stuck(session: ClusterSession, container: CollectorContainer, now: datetime) -> bool:
    """Whether it runs on long after a collector ends by itself: its log has no end, however often it is read."""
    read = session.read_anew(container.path) or {}
    running = (ephemeral_status(read, container.name).get("state") or {}).get("running") or {}
    since = running.get("startedAt")
    return since is not None and now - datetime.fromisoformat(since) > _ENDS_WITHIN


@dataclass(frozen=True, slots=True)
class _Settled:
    result: Result | None


def _settled(status: ApiObject, pod: ApiObject, container: CollectorContainer) -> _Settled | None:
    """What the container's state tells; None while nothing is known."""
    state = status.get("state") or {}
    waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
    reason = str(waiting.get("reason") or ended.get("reason") or "")
    if reason in _KILLED:
        return _Settled(_defends(pod, container, reason))
    if reason in _NO_IMAGE:
        return _Settled(_not_possible(Reason.IMAGE_NOT_PULLED, str(waiting.get("message", ""))))
    return _Settled(None) if ended or "running" in state else None


def _defends(pod: ApiObject, container: CollectorContainer, what: str) -> Result:
    node = pod.get("spec", {}).get("nodeName", "NODE")
    command = f"kubectl debug node/{node} -it --profile=sysadmin --image={container.image}"
    detail = f"{container.name}: {what}; to look from the node: {command}"
    return Result(status=StepStatus.NOT_EFFECTIVE, reason=Reason.DEFENDS_ITSELF, detail=detail)


def _events(session: ClusterSession, container: CollectorContainer) -> dict[str, str]:
    """What the kubelet told of the container, by reason: nothing else tells of a missing image within 8 s."""
    try:
        found = session.api.list(api_paths.events(container.path.split("/")[4]), api_paths.events_about(container.uid))
    except ApiError as error:
        if error.status == _FORBIDDEN:
            return {}
        raise
    place = f"spec.ephemeralContainers{{{container.name}}}"
    ours = (event for event in found if (event.get("involvedObject") or {}).get("fieldPath") == place)
    return {str(event.get("reason", "")): str(event.get("message", ""))[:300] for event in ours}


def _there(read: ApiObject, name: str, job: CollectorJob, means: Means) -> CollectorContainer | Result:
    """The container that an earlier step put in. Nobody else has the key that its arguments name."""
    found, private = ephemeral_of(read, name) or {}, means.collector.stored_key()
    if private is None or f"-key={public_text(private)}" not in found.get("args", ()):
        return failed(Reason.COLLECTOR_KEY_GONE)
    own = job.role is not Role.CUT and not is_root_form(found.get("securityContext") or {})
    return CollectorContainer(
        path=job.path,
        uid=job.uid,
        name=name,
        image=str(found.get("image", "")),
        private=private,
        own_form=own,
        was_there=True,
    )


def _admitted(session: ClusterSession, job: CollectorJob, means: Means, pod: ApiObject) -> Form | Result:
    """The first form that the cluster's admission lets in; else who refused. Raises ApiError for what may pass."""
    refusals = []
    for form in job.forms(pod):
        body = job.container(means.collector.case, NO_KEY).patch(means.collector.image, job.uid, form)
        try:
            session.api.patch(_ephemeral(job), body, dry_run=True, strategic=True)
        except ApiError as error:
            refusal = _refused(error, session, job)
            if refusal.reason != Reason.COLLECTOR_REFUSED:
                return refusal
            refusals.append(refusal.detail)
        else:
            return form
    return _not_possible(Reason.COLLECTOR_REFUSED, "; ".join(refusals))


def _refused(error: ApiError, session: ClusterSession, job: CollectorJob) -> Result:
    """The outcome that a refusal of a container stands for, with who refused. Raises the error where it may pass."""
    if error.refused_by.startswith(MODE_POLICY):
        raise error
    if error.reason.is_of_admission:
        return _not_possible(Reason.COLLECTOR_REFUSED, str(error))
    if error.reason == Reason.KUBERNETES_FORBIDDEN:
        return _not_possible(error.reason, f"refused by {error.refused_by or 'RBAC'}: {error.explanation}")
    if error.status in _UNSERVED or error.reason == Reason.NO_SUCH_RESOURCE:
        # The pod itself tells whether it is gone, or something between us and the API server answers instead.
        lost = not_the_target(session.read_anew(job.path), job.uid)
        return lost or _not_possible(Reason.NO_EPHEMERAL_CONTAINERS, str(error))
    raise error


def impossible(read: ApiObject, collector: Collector) -> Result | None:
    """The outcome where nothing can be put in, whoever would let us."""
    if not collector.image:
        return _not_possible(Reason.NO_COLLECTOR_IMAGE, _UNSET)
    is_running = "deletionTimestamp" not in read["metadata"] and read.get("status", {}).get("phase") == "Running"
    return None if is_running else _not_possible(Reason.POD_NOT_RUNNING)


def _ephemeral(job: CollectorJob) -> str:
    return api_paths.ephemeral_containers(job.namespace, job.pod)


def _not_possible(reason: Reason, detail: str = "") -> Result:
    return Result(status=StepStatus.NOT_POSSIBLE, reason=reason, detail=detail)
