"""Whether the processes of a pod have ended, by what its kubelet reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.domain.kubernetes.pod_processes import last_end, processes_ended

ASKED = "2026-03-02T09:00:30Z"
"""The `deletionTimestamp` of a deletion at 09:00:00 with a grace period of 30 s."""


def status(name: str = "app", end: str | None = "2026-03-02T09:00:02Z", code: int = 143, **more: Any) -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "finishedAt": end}}
    return {"name": name, "containerID": "containerd://1", "restartCount": 0, "state": state, **more}


RUNNING = status(state={"running": {"startedAt": "2026-03-02T08:00:00Z"}})
WAITING = status(state={"waiting": {"reason": "PodInitializing"}}, containerID="")
CRASHED = "2026-03-02T08:59:59Z"


def pod(
    *statuses: dict[str, Any], phase: str = "Running", asked: str = ASKED, grace: int = 30, **more: Any
) -> dict[str, Any]:
    """A pod that is being deleted, with one container `app` and what its kubelet reports."""
    deletion = {"deletionTimestamp": asked, "deletionGracePeriodSeconds": grace} if asked else {}
    spec = {"nodeName": "n", "containers": [{"name": "app"}], **more.pop("spec", {})}
    return {"metadata": deletion, "spec": spec, "status": {"phase": phase, "containerStatuses": [*statuses], **more}}


def also(field: str, *statuses: dict[str, Any], **container: Any) -> dict[str, Any]:
    """The same with a further container `more`, in this field, and what is reported of it."""
    reported = {f"{field.removesuffix('s')}Statuses": [*statuses]}
    return pod(status(), spec={field: [{"name": "more", **container}]}, **reported)


INIT, EPHEMERAL = "initContainers", "ephemeralContainers"
ENDS: list[Any] = [
    pytest.param(pod(status()), True, id="killed after the deletion"),
    pytest.param(pod(RUNNING), False, id="running"),
    pytest.param(pod(), False, id="nothing reported"),
    pytest.param(pod(spec={"nodeName": ""}), True, id="on no node"),
    pytest.param(pod(RUNNING, phase="Failed"), False, id="evicted while it runs"),
    pytest.param(pod(status(end=None)), False, id="lost by its kubelet"),
    pytest.param(pod(status(end=None, containerID="")), True, id="never ran"),
    pytest.param(pod(WAITING), False, id="waits to be started"),
    pytest.param(pod(WAITING, phase="Failed"), True, id="is not started any more"),
    pytest.param(pod(status(end=CRASHED)), False, id="crashed before, and may be started again"),
    pytest.param(pod(status(end=CRASHED), phase="Failed"), True, id="crashed before, for good"),
    pytest.param(pod(status(end=CRASHED), spec={"restartPolicy": "Never"}), True, id="ended before, a Job's"),
    pytest.param(pod(status(end=CRASHED, code=1), spec={"restartPolicy": "OnFailure"}), False, id="a Job's retry"),
    pytest.param(pod(status(end=CRASHED), asked=""), False, id="crashed, not deleted yet"),
    *(pytest.param(pod(status(), grace=grace), False, id=f"{grace} s are asked for") for grace in (10**12, 2**63 - 1)),
    pytest.param(pod(status(), grace=2**63 - 1, spec={"restartPolicy": "Never"}), True, id="as many, and a Job's"),
    pytest.param(also(INIT, status("more", end=CRASHED, code=0)), True, id="an init container that is through"),
    pytest.param(also(INIT, {**RUNNING, "name": "more"}), False, id="an init container runs"),
    pytest.param(
        also(INIT, status("more", end=CRASHED, code=0), restartPolicy="Always"), False, id="a sidecar may start again"
    ),
    pytest.param(also(EPHEMERAL, {**RUNNING, "name": "more"}), False, id="an ephemeral container runs"),
    pytest.param(also(EPHEMERAL, status("more", end=CRASHED)), True, id="an ephemeral container has ended"),
    pytest.param(also(EPHEMERAL), False, id="an ephemeral container is about to start"),
]


@pytest.mark.parametrize(("read", "ended"), ENDS)
def test_all_containers_must_have_ended(read: dict[str, Any], ended: bool) -> None:
    """Of every kind, and for good: one that runs, is lost or may be started again is an attacker's foothold."""
    assert processes_ended(read) is ended


def test_the_last_end_counts() -> None:
    """By the node's clock; where nothing ran, nothing ended."""
    read = pod(status(), status("other", end="2026-03-02T09:00:04Z"), WAITING)
    assert last_end(read) == datetime(2026, 3, 2, 9, 0, 4, tzinfo=UTC)
    assert last_end(pod(WAITING)) is None
