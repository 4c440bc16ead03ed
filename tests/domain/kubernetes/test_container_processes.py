"""What a spec says of a container's processes: who reaches into ours, and whom the kubelet restarts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.domain.kubernetes import container_processes


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A pod with a container `web` of these fields, and perhaps others."""
    first, *others = containers or ({},)
    return {"spec": {"containers": [{"name": "web", **first}, *others], **spec}}


TRACER = {"securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}}}
ROW = tuple[dict[str, Any], bool]
FORGERS: dict[str, ROW] = {
    "nothing said": (pod(), False),
    "root": (pod({"securityContext": {"runAsUser": 0}}), False),
    "more network": (pod({"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}), False),
    "traces": (pod(TRACER), True),
    "everything": (pod({"securityContext": {"capabilities": {"add": ["ALL"]}}}), True),
    "privileged": (pod({"securityContext": {"privileged": True}}), True),
    "a neighbour's": (pod({}, {"name": "other", **TRACER}), False),
    "a neighbour's, shared": (pod({}, {"name": "other", **TRACER}, shareProcessNamespace=True), True),
    "a neighbour's, of the node": (pod({}, {"name": "other", **TRACER}, hostPID=True), True),
}


@pytest.mark.parametrize(("given", "expected"), FORGERS.values(), ids=FORGERS)
def test_who_reaches_into_our_container_may_forge(given: dict[str, Any], expected: bool) -> None:
    """By rights over the processes beside it; its own user alone is not enough."""
    assert container_processes.may_forge(given, "web") is expected


@pytest.mark.parametrize("probe", ["livenessProbe", "startupProbe", "readinessProbe"])
def test_two_of_the_probes_restart_a_container(probe: str) -> None:
    """The third only takes requests away; a neighbour's restart the neighbour."""
    assert container_processes.is_restarted_when_silent(pod({probe: {}} | {probe: {"exec": {}}}), "web") is (
        probe != "readinessProbe"
    )
    assert not container_processes.is_restarted_when_silent(pod({}, {"name": "other", probe: {"exec": {}}}), "web")


def test_only_a_shared_namespace_shows_the_node() -> None:
    """Neither the node's network nor a namespace of the pod does."""
    assert container_processes.sees_node(pod(hostPID=True))
    assert not container_processes.sees_node(pod(hostNetwork=True, shareProcessNamespace=True))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"running": {"startedAt": "2026-03-02T09:00:00Z"}}, datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ({"terminated": {"startedAt": "2026-03-02T09:00:00Z"}}, None),
        ({}, None),
    ],
)
def test_a_start_is_that_of_a_running_container(state: dict[str, Any], expected: datetime | None) -> None:
    """What has ended did not start the processes of now."""
    given = {"status": {"containerStatuses": [{"name": "web", "state": state}]}}
    assert container_processes.started_at(given, "web") == expected
