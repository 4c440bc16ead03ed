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


ADMIN = {"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}
CUT_FORGERS: dict[str, ROW] = {
    "nothing said": (pod(shareProcessNamespace=True), False),
    "traces": (pod(TRACER), False),
    "traces, shared": (pod(TRACER, shareProcessNamespace=True), True),
    "traces, of the node": (pod(TRACER, hostPID=True), True),
    "more network": (pod(ADMIN), False),
    "more network, shared": (pod(ADMIN, shareProcessNamespace=True), True),
    "a sidecar's, shared": (
        pod(shareProcessNamespace=True, initContainers=[{"name": "side", "restartPolicy": "Always", **TRACER}]),
        True,
    ),
}


@pytest.mark.parametrize(("given", "expected"), CUT_FORGERS.values(), ids=CUT_FORGERS)
def test_a_cut_is_reached_where_processes_are_shared_alone(given: dict[str, Any], expected: bool) -> None:
    """It has no target, and one capability: whoever has no fewer reaches into it."""
    assert container_processes.may_forge(given) is expected


PROBES: dict[str, tuple[dict[str, Any], str]] = {
    "none": (pod({"readinessProbe": {}}), ""),
    "liveness": (pod({"readinessProbe": {}, "livenessProbe": {"exec": {}}}), "livenessProbe of web"),
    "startup": (pod({"startupProbe": {"exec": {}}}), "startupProbe of web"),
    "a neighbour's": (pod({}, {"name": "proxy", "livenessProbe": {}}), "livenessProbe of proxy"),
    "a neighbour's and its own": (
        {"spec": {"containers": [{"name": "proxy", "livenessProbe": {}}, {"name": "web", "livenessProbe": {}}]}},
        "livenessProbe of web",
    ),
    "a sidecar's": (pod(initContainers=[{"name": "side", "livenessProbe": {}}]), "livenessProbe of side"),
}


@pytest.mark.parametrize(("given", "expected"), PROBES.values(), ids=PROBES)
def test_a_probe_that_restarts_is_named(given: dict[str, Any], expected: str) -> None:
    """Readiness only takes requests away; a neighbour may be asked by way of the container."""
    assert container_processes.restarting_probe(given, "web") == expected


START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SHELL = {"pid": 43, "parent": 7, "exe": "/bin/sh", "started_at": "2026-03-02T11:00:00Z"}
MASTER = {"pid": 1, "parent": 0, "exe": "/usr/bin/app", "started_at": "2026-03-02T09:00:01Z"}
WORKER = {"pid": 7, "parent": 1, "exe": "/usr/bin/app", "started_at": "2026-03-02T10:00:00Z"}


def own(*processes: dict[str, Any], listens: int = 1, **sockets: Any) -> list[int]:
    """The workload's own of the matched processes 43 and 7."""
    bound = {"protocol": "tcp", "state": "listen", "pids": [listens]}
    told = {
        "processes": {"processes": [*processes]},
        "matches": {"seen": 3, "complete": True, "matches": [{"pid": 43}, {"pid": 7}]},
        "sockets": {"sockets": [bound], **sockets},
    }
    return container_processes.own_processes(told, START)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(own(MASTER, WORKER, SHELL), [7], id="a-worker-made-anew"),
        pytest.param(own(MASTER, WORKER, SHELL, listens=9), [7], id="its-parent-began-with-the-container"),
        pytest.param(own(MASTER, {**WORKER, "exe": "/tmp/x"}, SHELL), [], id="another-program"),
        pytest.param(own(MASTER, {**WORKER, "exe": ""}, SHELL), [], id="no-program-told"),
        pytest.param(own(MASTER, WORKER, {**SHELL, "exe": "/usr/bin/app"}), [43, 7], id="a-worker-of-a-worker"),
        pytest.param(own({**MASTER, "exe": "/init"}, WORKER, SHELL, listens=7), [7], id="it-listens"),
        pytest.param(own(MASTER, SHELL), [7], id="not-among-those-told"),
        pytest.param(own(MASTER, WORKER, {**SHELL, "started_at": ""}), [43, 7], id="no-start-told"),
        pytest.param(own(MASTER, WORKER, SHELL, denied={"fd": 1}), [43, 7], id="sockets-denied"),
        pytest.param(own(MASTER, WORKER, SHELL, left_off=1), [43, 7], id="sockets-left-off"),
        pytest.param(own({**WORKER, "parent": 43}, {**SHELL, "exe": "/usr/bin/app"}), [], id="a-ring-of-parents"),
    ],
)
def test_the_workload_s_own_processes_are_left_to_it(found: list[int], expected: list[int]) -> None:
    """A probe may need them, or a process that made them. What is not known is taken for the workload's own."""
    assert found == expected


USER = {"securityContext": {"runAsUser": 1000}}
ROOTS: dict[str, ROW] = {
    "nothing said": (pod(), True),
    "root": (pod({"securityContext": {"runAsUser": 0}}), True),
    "another user": (pod(USER), False),
    "the pod's user": (pod(securityContext={"runAsUser": 1000}), False),
    "root in a pod of another user": (pod({"securityContext": {"runAsUser": 0}}, securityContext=USER), True),
    "not root, whoever else": (pod({"securityContext": {"runAsNonRoot": True}}), False),
    "one who traces": (pod({"securityContext": {"runAsUser": 1, "capabilities": {"add": ["SYS_PTRACE"]}}}), True),
    "privileged": (pod({"securityContext": {"runAsUser": 1000, "privileged": True}}), True),
    "beside all others of the pod": (pod(USER, shareProcessNamespace=True), True),
    "beside all of the node": (pod(USER, hostPID=True), True),
}


@pytest.mark.parametrize(("given", "expected"), ROOTS.values(), ids=ROOTS)
def test_what_nobody_says_is_taken_for_root(given: dict[str, Any], expected: bool) -> None:
    """By the spec; what shares a process namespace is only as harmless as all that is in it."""
    assert container_processes.may_be_root(given, "web") is expected


@pytest.mark.parametrize(("uid", "expected"), [(0, True), (1000, False)])
def test_the_kubelet_knows_the_user_that_an_image_sets(uid: int, expected: bool) -> None:
    """Its word comes before what the spec asks for."""
    status = {"containerStatuses": [{"name": "web", "user": {"linux": {"uid": uid}}}]}
    for spec in ({}, {"securityContext": {"runAsNonRoot": True}}):
        assert container_processes.may_be_root({**pod(spec), "status": status}, "web") is expected


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
