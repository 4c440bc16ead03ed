"""Prove that the pod that was read is the pod the finding means.

Findings carry no pod UID, and names are reused: a StatefulSet's replacement has its predecessor's name. So each field
that both sides know is compared; from then on the UID that was read is the only name of the pod.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from scc_responder.domain.context import ContainerStatus, Identity, IdentityLevel, Pod
from scc_responder.domain.finding import Finding, FindingContainer
from scc_responder.domain.reasons import Reason

CREATION_TOLERANCE = timedelta(seconds=5)
START_TOLERANCE = timedelta(seconds=60)
HELD = "held"
ABSENT = "absent"
RESTARTED = "restarted"

_REFUTED = {
    "created": Reason.POD_REPLACED,
    "node": Reason.POD_ON_OTHER_NODE,
    "container": Reason.CONTAINER_NOT_IN_POD,
    "image": Reason.IMAGE_DIFFERS,
    "started": Reason.CONTAINER_START_DIFFERS,
}

_UNPROVED = {
    ("node", ABSENT): Reason.NODE_ABSENT,
    ("container", ABSENT): Reason.CONTAINER_ABSENT,
    ("image", ABSENT): Reason.IMAGE_ABSENT,
    ("started", ABSENT): Reason.STARTED_ABSENT,
    ("started", RESTARTED): Reason.STARTED_RESTARTED,
}


def identify(finding: Finding, pod: Pod | None) -> Identity:
    """Compare finding and pod, and say how certain it is that the finding means this pod.

    `proved`: every check held. `likely`: nothing contradicts, some fields are absent or the container was restarted.
    `refuted`: something contradicts; the reason names the first check that does.
    """
    if pod is None:
        return Identity()
    checks = {"created": _created(finding, pod), "node": _node(finding, pod), **_container_checks(finding, pod)}
    for check, result in checks.items():
        if result not in {HELD, ABSENT, RESTARTED}:
            return Identity(level=IdentityLevel.REFUTED, reason=_REFUTED[check], checks=checks)
    if all(result == HELD for result in checks.values()):
        return Identity(level=IdentityLevel.PROVED, reason=Reason.ALL_CHECKS_HELD, checks=checks)
    absent = next(check for check, result in checks.items() if result != HELD)
    return Identity(level=IdentityLevel.LIKELY, reason=_UNPROVED[absent, checks[absent]], checks=checks)


def _created(finding: Finding, pod: Pod) -> str:
    """The pod is no younger than the event, nor than its container: a quick replacement is younger than the latter."""
    latest = min([finding.event_time, *_started_by(finding)]) + CREATION_TOLERANCE
    if pod.creation_time <= latest:
        return HELD
    return f"pod created {pod.creation_time.isoformat()}, after what the finding tells of"


def _started_by(finding: Finding) -> list[datetime]:
    return [item.create_time for item in finding.containers[:1] if item.create_time is not None]


def _node(finding: Finding, pod: Pod) -> str:
    if not finding.node or not pod.node_name:
        return ABSENT
    return HELD if finding.node == pod.node_name else f"pod runs on {pod.node_name}"


def _container_checks(finding: Finding, pod: Pod) -> dict[str, str]:
    if not finding.containers:
        return {"container": ABSENT, "image": ABSENT, "started": ABSENT}
    named = finding.containers[0]
    status = next((item for item in pod.containers if item.name == named.name), None)
    if not named.name:
        return {"container": ABSENT, "image": ABSENT, "started": ABSENT}
    if status is None:
        return {"container": f"no container {named.name}", "image": ABSENT, "started": ABSENT}
    return {"container": HELD, "image": _image(named, status), "started": _started(named, status)}


def _image(named: FindingContainer, status: ContainerStatus) -> str:
    theirs, ours = _digest(named.image_id), _digest(status.image_id)
    if not theirs or not ours:
        return ABSENT
    return HELD if theirs == ours else f"container runs {ours}"


def _digest(image_id: str) -> str:
    """The digest of an image id such as `docker-pullable://repo@sha256:...` or `sha256:...`; empty if it has none."""
    _, found, digest = image_id.rpartition("sha256:")
    return digest if found else ""


def _started(named: FindingContainer, status: ContainerStatus) -> str:
    if named.create_time is None or status.started_at is None:
        return ABSENT
    if abs(status.started_at - named.create_time) <= START_TOLERANCE:
        return HELD
    if status.restart_count > 0 and status.started_at > named.create_time:
        return RESTARTED
    return f"container started {status.started_at.isoformat()}"


def bound(identity: Identity, pod: Pod | None, uids: frozenset[str]) -> Identity:
    """The identity, refuted if the case has acted on other pods (`uids`) than the one that was read now.

    A case is about the pod it began with. A replacement is another pod, even with the same name.
    """
    if pod is None or not uids or pod.uid in uids:
        return identity
    checks = {**identity.checks, "case": f"the case is about {', '.join(sorted(uids))}"}
    return Identity(level=IdentityLevel.REFUTED, reason=Reason.POD_REPLACED, checks=checks)
