"""A finding names a pod by a name that another may have by now: what proves that it is the one, and what refutes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.collect.identity import bound, identify
from scc_responder.domain.context import ContainerStatus, Identity
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import DIGEST, EVENT, FINDING, POD, STARTED

CONTAINER = FINDING.containers[0]
STATUS = POD.containers[0]
SECOND = timedelta(seconds=1)


def container(**changes: Any) -> dict[str, Any]:
    """The finding with its container changed."""
    return {"containers": (replace(CONTAINER, **changes),)}


def status(**changes: Any) -> dict[str, Any]:
    """The pod with its container's status changed."""
    return {"containers": (replace(STATUS, **changes),)}


CASES = [
    pytest.param({}, {}, "proved", "all_checks_held", id="everything-agrees"),
    pytest.param({}, {"creation_time": EVENT + 6 * SECOND}, "refuted", "pod_replaced", id="younger-than-the-event"),
    pytest.param(
        container(create_time=None),
        {"creation_time": EVENT + 5 * SECOND},
        "likely",
        "started_absent",
        id="clocks-differ",
    ),
    pytest.param(
        {}, {"creation_time": STARTED + 6 * SECOND}, "refuted", "pod_replaced", id="younger-than-its-container"
    ),
    pytest.param({}, {"creation_time": STARTED + 5 * SECOND}, "proved", "all_checks_held", id="clocks-differ-there"),
    pytest.param({}, {"node_name": "node-2"}, "refuted", "pod_on_other_node", id="another-node"),
    pytest.param({"node": ""}, {}, "likely", "node_absent", id="no-node-in-the-finding"),
    pytest.param({}, {"node_name": ""}, "likely", "node_absent", id="pod-not-scheduled"),
    pytest.param(container(name="other"), {}, "refuted", "container_not_in_pod", id="another-container"),
    pytest.param({"containers": ()}, {}, "likely", "container_absent", id="no-container-in-the-finding"),
    pytest.param(container(name=""), {}, "likely", "container_absent", id="container-without-a-name"),
    pytest.param({}, {"containers": ()}, "refuted", "container_not_in_pod", id="no-status"),
    pytest.param({}, status(image_id="repo@sha256:" + "ff" * 32), "refuted", "image_differs", id="another-image"),
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
        {}, status(started_at=STARTED + 61 * SECOND, restart_count=1), "likely", "started_restarted", id="restarted"
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
    pytest.param(
        {"node": ""},
        status(image_id="sha256:" + "ff" * 32),
        "refuted",
        "image_differs",
        id="one-contradiction-outweighs-what-is-absent",
    ),
]


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


def test_a_case_whose_pod_is_gone() -> None:
    """A pod that is gone is not another."""
    assert bound(Identity(), None, frozenset({"another"})) == Identity()
