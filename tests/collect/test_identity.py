"""Findings name pods and nodes by names that others may have by now: what proves them, and what refutes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.collect.identity import bound, identify, identify_node
from scc_responder.domain.context import ContainerStatus, Identity
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import DIGEST, EVENT, FINDING, IMAGE, NODE, POD, STARTED
from tests.kits.run_values import run_job, run_service

CONTAINER = FINDING.containers[0]
STATUS = POD.containers[0]
SECOND = timedelta(seconds=1)


def container(**changes: Any) -> dict[str, Any]:
    """The finding with its container changed."""
    return {"containers": (replace(CONTAINER, **changes),)}


def status(**changes: Any) -> dict[str, Any]:
    """The pod with its container's status changed."""
    return {"containers": (replace(STATUS, **changes),)}


def asked(image: str = IMAGE) -> dict[str, Any]:
    """The pod with a container that no kubelet reports: its name and image are those of its spec."""
    return {"containers": (ContainerStatus(name=STATUS.name, image=image),)}


OTHER_IMAGE = {"image_id": "repo@sha256:" + "ff" * 32}
LATER = {"started_at": EVENT + 9 * SECOND, "restart_count": 1}
PINNED = f"{IMAGE.partition(':')[0]}@sha256:{'ff' * 32}"
CASES = [
    pytest.param({}, {}, "proved", "all_checks_held", id="everything-agrees"),
    pytest.param({}, {"creation_time": EVENT + 6 * SECOND}, "refuted", "pod_replaced", id="younger-than-the-event"),
    pytest.param(
        container(create_time=None),
        {"creation_time": EVENT + 5 * SECOND},
        "likely",
        "created_too_close",
        id="admission-took-its-time",
    ),
    pytest.param(
        {"event_time": STARTED - 4 * SECOND}, {}, "likely", "created_too_close", id="event-before-the-creation"
    ),
    pytest.param(
        {}, {"creation_time": STARTED + 2 * SECOND}, "refuted", "pod_replaced", id="younger-than-its-container"
    ),
    pytest.param(
        {}, {"creation_time": STARTED + SECOND}, "likely", "created_too_close", id="a-second-younger-than-its-container"
    ),
    pytest.param({}, {"creation_time": STARTED}, "likely", "created_too_close", id="as-old-as-its-container"),
    pytest.param(
        {}, {"creation_time": STARTED - SECOND}, "likely", "created_too_close", id="a-second-older-than-its-container"
    ),
    pytest.param(
        {},
        {"creation_time": STARTED - SECOND - timedelta(milliseconds=1)},
        "proved",
        "all_checks_held",
        id="more-than-a-second-older",
    ),
    pytest.param({}, {"node_name": "node-2"}, "refuted", "pod_on_other_node", id="another-node"),
    pytest.param({"node": ""}, {}, "likely", "node_absent", id="no-node-in-the-finding"),
    pytest.param({}, {"node_name": ""}, "likely", "node_absent", id="pod-not-scheduled"),
    pytest.param(container(name="other"), {}, "refuted", "container_not_in_pod", id="another-container"),
    pytest.param({"containers": ()}, {}, "likely", "container_absent", id="no-container-in-the-finding"),
    pytest.param(container(name=""), {}, "likely", "container_absent", id="container-without-a-name"),
    pytest.param({}, {"containers": ()}, "refuted", "container_not_in_pod", id="no-container-in-the-pod"),
    pytest.param({}, status(image_id=""), "likely", "image_absent", id="no-image-id-in-the-pod"),
    pytest.param(container(image_id=""), {}, "likely", "image_absent", id="no-image-id-in-the-finding"),
    pytest.param(container(image_id="web:1.4.2"), {}, "likely", "image_absent", id="a-tag-is-no-digest"),
    pytest.param(container(image_id=f"docker-pullable://r@{DIGEST}"), {}, "proved", "all_checks_held", id="prefix"),
    pytest.param(
        {}, status(started_at=STARTED + 60 * SECOND), "proved", "all_checks_held", id="started-a-little-later"
    ),
    pytest.param(
        {}, status(started_at=STARTED + 61 * SECOND), "refuted", "container_start_differs", id="another-start"
    ),
    pytest.param(
        {},
        status(started_at=STARTED - 61 * SECOND, restart_count=1),
        "refuted",
        "container_start_differs",
        id="older-than-the-container-however-restarted",
    ),
    pytest.param({}, status(started_at=None), "likely", "started_absent", id="not-started"),
    pytest.param(container(create_time=None), {}, "likely", "started_absent", id="no-start-in-the-finding"),
]
RESTARTS = [
    pytest.param({}, status(**LATER), "proved", "restarted", id="after-the-event"),
    pytest.param(
        {},
        status(started_at=STARTED + 6 * SECOND, restart_count=1),
        "proved",
        "restarted",
        id="before-the-event-within-the-minute",
    ),
    pytest.param(
        {}, status(started_at=STARTED + 5 * SECOND, restart_count=3), "proved", "all_checks_held", id="the-latest-run"
    ),
    pytest.param({"node": ""}, status(**LATER), "likely", "node_absent", id="one-field-absent"),
    pytest.param(container(create_time=None), status(**LATER), "likely", "started_restarted", id="no-start-to-compare"),
    pytest.param(
        {},
        {**status(**LATER), "creation_time": STARTED + 3 * SECOND},
        "refuted",
        "pod_replaced",
        id="no-excuse-for-a-replacement",
    ),
]
IMAGES = [
    pytest.param({}, status(**OTHER_IMAGE), "likely", "image_differs", id="all-else-agrees"),
    pytest.param({}, status(**OTHER_IMAGE, **LATER), "likely", "image_differs", id="changed-in-place"),
    pytest.param({"node": ""}, status(**OTHER_IMAGE), "refuted", "image_differs", id="node-absent"),
    pytest.param(container(create_time=None), status(**OTHER_IMAGE), "refuted", "image_differs", id="start-absent"),
    pytest.param({}, status(**OTHER_IMAGE, started_at=None), "refuted", "image_differs", id="start-not-told"),
    pytest.param(
        {}, {**status(**OTHER_IMAGE), "creation_time": STARTED}, "refuted", "image_differs", id="created-too-close"
    ),
    pytest.param(
        {},
        status(**OTHER_IMAGE, started_at=STARTED + 61 * SECOND),
        "refuted",
        "image_differs",
        id="start-differs-too",
    ),
]
UNREPORTED = [
    pytest.param(
        {"node": "", **container(image_id="", create_time=None)},
        asked(),
        "likely",
        "node_absent",
        id="waits-for-a-node",
    ),
    pytest.param({}, asked(), "likely", "started_unreported", id="evicted"),
    pytest.param({}, asked("web:1.4.2"), "likely", "image_differs", id="evicted-another-image"),
    pytest.param(container(create_time=None), asked("web:1.4.2"), "refuted", "image_differs", id="another-repository"),
    pytest.param(container(create_time=None), asked(PINNED), "refuted", "image_differs", id="another-digest"),
    pytest.param(container(image=""), asked(), "likely", "image_absent", id="no-image-in-the-finding"),
    pytest.param({}, asked(IMAGE.replace("1.4.2", "2")), "likely", "image_absent", id="tags-move"),
    pytest.param(
        {}, {**asked(), "creation_time": STARTED + 3 * SECOND}, "refuted", "pod_replaced", id="a-replacement-that-waits"
    ),
]


@pytest.mark.parametrize(("finding", "pod", "level", "reason"), [*RESTARTS, *IMAGES, *UNREPORTED])
def test_a_pod_changes_and_stays_the_same(
    finding: dict[str, Any], pod: dict[str, Any], level: str, reason: str
) -> None:
    """A restart, another image in place, a pod that no kubelet reports: the pod that was there before is still it."""
    found = identify(replace(FINDING, **finding), replace(POD, **pod))
    assert (found.level, found.reason) == (level, reason)


def test_a_restart_is_said() -> None:
    """The finding's process is gone: the check says so, whatever else decides the level."""
    assert identify(replace(FINDING, node=""), replace(POD, **status(**LATER))).checks["started"] == "restarted"


@given(
    created=st.integers(0, 60_000),
    lived=st.integers(0, 20_000),
    waited=st.integers(0, 20_000),
    delay=st.integers(0, 90_000),
    whole=st.booleans(),
)
def test_no_replacement_is_ever_proved(created: int, lived: int, waited: int, delay: int, whole: bool) -> None:
    """However soon a pod takes the name of another, in whole seconds or not, it is never proved to be the finding's."""
    start = EVENT + timedelta(milliseconds=created)
    replaced = start + timedelta(milliseconds=lived)
    finding = replace(FINDING, event_time=start + timedelta(milliseconds=lived + delay), **container(create_time=start))
    second = replace(
        POD,
        creation_time=whole_seconds(replaced),
        **status(started_at=whole_seconds(replaced + timedelta(milliseconds=waited))),
    )
    told = whole_seconds(start) if whole else start
    assert identify(replace(finding, **container(create_time=told)), second).level != "proved"


def whole_seconds(moment: datetime) -> datetime:
    """As Kubernetes writes times."""
    return moment.replace(microsecond=0)


@pytest.mark.parametrize(("finding", "pod", "level", "reason"), CASES)
def test_checks_decide_the_identity_level(
    finding: dict[str, Any], pod: dict[str, Any], level: str, reason: str
) -> None:
    """Every check that held proves the pod, one that contradicts refutes it, and absent fields leave it likely."""
    found = identify(replace(FINDING, **finding), replace(POD, **pod))
    assert (found.level, found.reason) == (level, reason)


def test_without_a_pod_nothing_is_known() -> None:
    """Without a pod nothing is known."""
    assert identify(FINDING, None) == Identity(level="unknown", reason=Reason.NO_POD)


def test_the_named_container_counts() -> None:
    """Of several containers the one that the finding names is compared."""
    sidecar = ContainerStatus(name="sidecar", image_id="sha256:" + "ff" * 32, started_at=EVENT)
    assert identify(FINDING, replace(POD, containers=(sidecar, STATUS))).level == "proved"


@pytest.mark.parametrize(
    ("uids", "level", "reason"),
    [
        pytest.param((), "proved", "all_checks_held", id="nothing-done-yet"),
        pytest.param((POD.uid,), "proved", "all_checks_held", id="the-same"),
        pytest.param(("another",), "refuted", "pod_replaced", id="another"),
    ],
)
def test_a_case_keeps_its_pod(uids: tuple[str, ...], level: str, reason: str) -> None:
    """Once a case has acted on a pod it is about no other, however alike."""
    found = bound(identify(FINDING, POD), POD, frozenset(uids))
    assert (found.level, found.reason) == (level, reason)


MINUTE = 60 * SECOND
NODES = [
    pytest.param({}, {}, EVENT - 60 * MINUTE, "proved", "all_checks_held", id="older"),
    pytest.param({}, {}, None, "likely", "node_created_absent", id="age-not-known"),
    pytest.param({}, {}, EVENT + 2 * SECOND, "refuted", "node_replaced", id="younger-than-the-event"),
    pytest.param({}, {}, STARTED + 2 * SECOND, "refuted", "node_replaced", id="younger-than-the-container"),
    pytest.param(
        container(create_time=None), status(), STARTED + 2 * SECOND, "refuted", "node_replaced", id="by-status"
    ),
    pytest.param({}, {}, STARTED + SECOND, "proved", "all_checks_held", id="whole-seconds"),
    pytest.param({}, {"mirror": True}, STARTED + 9 * SECOND, "proved", "all_checks_held", id="static-pods-come-first"),
    pytest.param(
        {}, {"node_name": "node-2"}, STARTED + MINUTE, "proved", "all_checks_held", id="the-pod-runs-elsewhere"
    ),
    pytest.param({}, None, STARTED + MINUTE, "proved", "all_checks_held", id="without-a-pod"),
    pytest.param({}, None, EVENT + MINUTE, "refuted", "node_replaced", id="younger-without-a-pod"),
]


@pytest.mark.parametrize(("finding", "pod", "created", "level", "reason"), NODES)
def test_a_younger_node_is_another(
    finding: dict[str, Any], pod: dict[str, Any] | None, created: datetime | None, level: str, reason: str
) -> None:
    """A node that came back under its old name is younger than what happened on the one that was there."""
    found = identify_node(
        replace(FINDING, **finding),
        None if pod is None else replace(POD, **pod),
        replace(NODE, creation_time=created),
    )
    assert (found.level, found.reason) == (level, reason)


def test_without_a_node_nothing_is_known() -> None:
    """Without a node nothing is known of it."""
    assert identify_node(FINDING, POD, None) == Identity(level="unknown", reason=Reason.NO_NODE)


OBJECTS = [
    (POD, "pod_replaced"),
    (NODE, "node_replaced"),
    (run_service(), "service_replaced"),
    (run_job(), "job_replaced"),
]


@pytest.mark.parametrize(("target", "reason"), OBJECTS, ids=["pod", "node", "service", "job"])
def test_a_case_keeps_its_objects(target: Any, reason: str) -> None:
    """What took the place of an object that the case acted on is another, and is named for what it is."""
    found = bound(Identity(level="proved", reason=Reason.ALL_CHECKS_HELD), target, frozenset({"another"}))
    assert (found.level, found.reason, found.checks) == ("refuted", reason, {"case": "the case is about another"})


def test_a_case_keeps_the_part_it_acted_on() -> None:
    """A case that ended an execution is about its job, as long as that execution is the one that is meant."""
    proved = Identity(level="proved", reason=Reason.ALL_CHECKS_HELD)
    acted = frozenset({"execution-x"})
    assert bound(proved, run_job(), acted, frozenset({"job-uid", "execution-x"})) == proved
    assert bound(proved, run_job(), acted, frozenset({"job-uid", "execution-y"})).reason == "job_replaced"
    assert bound(proved, run_service(), frozenset({"service-uid", "another"})) == proved


def test_a_case_whose_pod_is_gone() -> None:
    """A pod that is gone is not another."""
    assert bound(Identity(), None, frozenset({"another"})) == Identity()
