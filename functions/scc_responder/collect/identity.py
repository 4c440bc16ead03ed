"""Prove that the pod and the node that were read are those the finding means.

Findings carry no UID, and names are reused: a StatefulSet's replacement has its predecessor's name, and so has the
machine that comes after a preempted one. So each field that both sides know is compared; from then on the UID that was
read is the only name of the object.

What proves a pod is that it is older than the container of the finding: of one name there is one pod at a time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from scc_responder.collect.image_names import digest_in, repository_of
from scc_responder.domain.cloud_run.run_objects import RunJob, RunService
from scc_responder.domain.context import ContainerStatus, Context, Identity, IdentityLevel, Node, Pod
from scc_responder.domain.finding import Finding, FindingContainer
from scc_responder.domain.labels import ACTION_ID
from scc_responder.domain.reasons import Reason

CLOCK_TOLERANCE = timedelta(seconds=1)
"""Kubernetes writes whole seconds: within one, a pod cannot be told from the one that it replaced."""

EVENT_TOLERANCE = timedelta(seconds=5)
"""The event of an audit log is the request for the pod, and admission takes its time to let the pod in."""

START_TOLERANCE = timedelta(seconds=60)
"""Between a container's creation, which findings tell, and its start, which kubelets tell."""

RESTART_TOLERANCE = timedelta(seconds=5)
"""The same for a container that was restarted: a later start is that of a later run."""

HELD = "held"
ABSENT = "absent"
RESTARTED = "restarted"
TOO_CLOSE = "too_close"
UNREPORTED = "unreported"

_AGREES = frozenset({HELD, RESTARTED})
_OPEN = frozenset({ABSENT, TOO_CLOSE, UNREPORTED})
_REFUTED = {
    "created": Reason.POD_REPLACED,
    "node": Reason.POD_ON_OTHER_NODE,
    "container": Reason.CONTAINER_NOT_IN_POD,
    "image": Reason.IMAGE_DIFFERS,
    "started": Reason.CONTAINER_START_DIFFERS,
}

_UNPROVED = {
    ("created", TOO_CLOSE): Reason.CREATED_TOO_CLOSE,
    ("node", ABSENT): Reason.NODE_ABSENT,
    ("container", ABSENT): Reason.CONTAINER_ABSENT,
    ("image", ABSENT): Reason.IMAGE_ABSENT,
    ("started", ABSENT): Reason.STARTED_ABSENT,
    ("started", UNREPORTED): Reason.STARTED_UNREPORTED,
    ("started", RESTARTED): Reason.STARTED_RESTARTED,
}


def identify(finding: Finding, pod: Pod | None) -> Identity:
    """Compare finding and pod, and say how certain it is that the finding means this pod.

    `proved`: every check held; the reason is `restarted` where the finding's container has ended since. `likely`:
    nothing contradicts, but some fields are absent, or pod and container began within a second; or the image alone
    differs, as in a pod that was changed in place. `refuted`: something contradicts; the reason names the first check
    that does.
    """
    if pod is None:
        return Identity()
    checks = {"created": _created(finding, pod), "node": _node(finding, pod), **_container_checks(finding, pod)}
    against = [check for check, result in checks.items() if result not in _AGREES | _OPEN]
    if against == ["image"] and _is_the_same_but_for_its_image(finding, checks):
        return Identity(level=IdentityLevel.LIKELY, reason=Reason.IMAGE_DIFFERS, checks=checks)
    if against:
        return Identity(level=IdentityLevel.REFUTED, reason=_REFUTED[against[0]], checks=checks)
    unproved = next((check for check, result in checks.items() if result in _OPEN), "")
    if not unproved and _create_time(finding) is None:
        # That its container was restarted after the event is all that is known of its start.
        unproved = "started"
    if unproved:
        return Identity(level=IdentityLevel.LIKELY, reason=_UNPROVED[unproved, checks[unproved]], checks=checks)
    reason = Reason.RESTARTED if RESTARTED in checks.values() else Reason.ALL_CHECKS_HELD
    return Identity(level=IdentityLevel.PROVED, reason=reason, checks=checks)


def _is_the_same_but_for_its_image(finding: Finding, checks: dict[str, str]) -> bool:
    """Whether the pod was there before the finding's container, on its node: an image can be changed in place."""
    held = all(checks[check] == HELD for check in ("created", "node", "container"))
    return held and _create_time(finding) is not None and checks["started"] in _AGREES | {UNREPORTED}


def _created(finding: Finding, pod: Pod) -> str:
    """The pod is older than the finding's container, and no younger than the event."""
    created, started = pod.creation_time, _create_time(finding)
    latest = finding.event_time + EVENT_TOLERANCE
    if created > latest or (started and created > started + CLOCK_TOLERANCE):
        return f"pod created {created.isoformat()}, after what the finding tells of"
    if created > finding.event_time or (started and created >= started - CLOCK_TOLERANCE):
        return TOO_CLOSE
    return HELD


def _create_time(finding: Finding) -> datetime | None:
    """When the finding's container was made, where it says so."""
    return finding.containers[0].create_time if finding.containers else None


def _node(finding: Finding, pod: Pod) -> str:
    if not finding.node or not pod.node_name:
        return ABSENT
    return HELD if finding.node == pod.node_name else f"pod runs on {pod.node_name}"


def _container_checks(finding: Finding, pod: Pod) -> dict[str, str]:
    named = finding.containers[0] if finding.containers else None
    if named is None or not named.name:
        return {"container": ABSENT, "image": ABSENT, "started": ABSENT}
    status = next((item for item in pod.containers if item.name == named.name), None)
    if status is None:
        return {"container": f"no container {named.name}", "image": ABSENT, "started": ABSENT}
    return {"container": HELD, "image": _image(named, status), "started": _started(finding, named, status)}


def _image(named: FindingContainer, status: ContainerStatus) -> str:
    """Digests decide; of a container that never ran, whose image nobody has pulled, the name of its image does."""
    theirs = digest_in(named.image_id)
    ours = digest_in(status.image_id)
    if theirs and ours:
        return HELD if theirs == ours else f"container runs {ours}"
    if _is_reported(status) or not named.image or not status.image:
        return ABSENT
    return _image_by_name(theirs or digest_in(named.image), named.image, status.image)


def _is_reported(status: ContainerStatus) -> bool:
    return bool(status.image_id or status.started_at)


def _image_by_name(digest: str, named: str, asked: str) -> str:
    """The image of the finding against the one that the pod's spec asks for."""
    pinned = digest_in(asked)
    if digest and pinned:
        return HELD if digest == pinned else f"pod asks for {pinned}"
    if repository_of(named) != repository_of(asked):
        return f"pod asks for {asked}"
    return HELD if named == asked else ABSENT


def _started(finding: Finding, named: FindingContainer, status: ContainerStatus) -> str:
    if status.started_at is None:
        return ABSENT if _is_reported(status) else UNREPORTED
    if _is_later_run(finding, named, status.restart_count, status.started_at):
        return RESTARTED
    if named.create_time is None:
        return ABSENT
    if abs(status.started_at - named.create_time) <= START_TOLERANCE:
        return HELD
    return f"container started {status.started_at.isoformat()}"


def _is_later_run(finding: Finding, named: FindingContainer, restarts: int, started_at: datetime) -> bool:
    """Whether the container was restarted since: the finding's process is gone, and its pod is still the same."""
    after_event = started_at > finding.event_time + CLOCK_TOLERANCE
    after_start = named.create_time is not None and started_at > named.create_time + RESTART_TOLERANCE
    return restarts > 0 and (after_event or after_start)


def identify_node(finding: Finding, pod: Pod | None, node: Node | None) -> Identity:
    """Whether the node that was read is the one that the finding's event happened on.

    `refuted` as `node_replaced`: it is younger than the event, or than a container that ran on a node of its name.
    """
    if node is None:
        return Identity(reason=Reason.NO_NODE)
    if node.creation_time is None:
        return Identity(level=IdentityLevel.LIKELY, reason=Reason.NODE_CREATED_ABSENT, checks={"node_created": ABSENT})
    if node.creation_time > min(_seen_on_node(finding, pod, node)) + CLOCK_TOLERANCE:
        checks = {"node_created": f"node created {node.creation_time.isoformat()}, after what the finding tells of"}
        return Identity(level=IdentityLevel.REFUTED, reason=Reason.NODE_REPLACED, checks=checks)
    return Identity(level=IdentityLevel.PROVED, reason=Reason.ALL_CHECKS_HELD, checks={"node_created": HELD})


def _seen_on_node(finding: Finding, pod: Pod | None, node: Node) -> list[datetime]:
    """Moments at which the finding's node was there."""
    moments = [finding.event_time]
    if pod is not None and pod.node_name == node.name and not pod.mirror:
        # The containers of a static pod start before its kubelet has made the node known.
        started = (item.started_at for item in pod.containers)
        moments += [moment for moment in (_create_time(finding), *started) if moment]
    return moments


_REPLACED: dict[type, Reason] = {
    Pod: Reason.POD_REPLACED,
    Node: Reason.NODE_REPLACED,
    RunService: Reason.SERVICE_REPLACED,
    RunJob: Reason.JOB_REPLACED,
}


def bound(
    identity: Identity,
    target: Pod | Node | RunService | RunJob | None,
    uids: frozenset[str],
    parts: frozenset[str] = frozenset(),
) -> Identity:
    """The identity, refuted if the case has acted on other objects (`uids`) than the one that was read now.

    A case is about the pod, the node, the service or the job that it began with. A replacement is another one, even
    with the same name. `parts` are the UIDs of what is meant of it, which the case may have acted on instead.
    """
    if target is None or not uids or uids & {target.uid, *parts}:
        return identity
    checks = {**identity.checks, "case": f"the case is about {', '.join(sorted(uids))}"}
    return Identity(level=IdentityLevel.REFUTED, reason=_REPLACED[type(target)], checks=checks)


def without_ended(context: Context, uids: frozenset[str]) -> Context:
    """The context of a case that has ended its own pod (`uids`): it is gone, whoever has its name now.

    It was at least likely the finding's, or nothing would have ended it: what is left to do on its node may be done.
    """
    pod_is_gone = context.missing.get("pod") == Reason.TARGET_ABSENT
    if not pod_is_gone and (context.pod is None or context.pod.uid in uids):
        return context
    return replace(
        context,
        pod=None,
        identity=Identity(level=IdentityLevel.LIKELY, reason=Reason.DELETED_MEANWHILE),
        missing={**context.missing, "pod": Reason.TARGET_ABSENT},
        objects={kind: item for kind, item in context.objects.items() if kind != "pod"},
    )


def on_known_node(context: Context, marks: frozenset[str]) -> Context:
    """The context without a node that neither finding nor pod names, unless it carries the mark of the case (`marks`).

    `marks` are the ids of the case's actions on nodes. Whoever may write the store could name any node in a record.
    """
    node, pod = context.node, context.pod
    if node is None or node.name in {context.finding.node, pod.node_name if pod else ""}:
        return context
    if node.annotations.get(ACTION_ID) in marks:
        return context
    objects = {kind: item for kind, item in context.objects.items() if kind != "node"}
    return replace(context, node=None, node_identity=Identity(reason=Reason.NO_NODE), objects=objects)
