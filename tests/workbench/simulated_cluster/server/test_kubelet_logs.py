"""Logs are given out as a kubelet gives them out. What clients see of that is in the contract of the API server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.server.kubelet_logs import PodLogs
from scc_responder.workbench.simulated_cluster.server.refusal import Refusal

NOW = datetime(2026, 3, 2, 9, 31, 12, tzinfo=UTC)


def pod(*statuses: dict[str, Any], node: str = "node-1", **metadata: Any) -> dict[str, Any]:
    """A pod with a container of each status."""
    return {
        "metadata": {"name": "web-1", "uid": "u1", **metadata},
        "spec": {"nodeName": node, "containers": [{"name": item["name"]} for item in statuses]},
        "status": {"containerStatuses": [*statuses]},
    }


def asked(**query: str) -> Any:
    """The parameters of a request."""
    return lambda name: [query[name]] if name in query else []


RUNNING = {"name": "web", "containerID": "containerd://0a", "restartCount": 0, "state": {"running": {}}}
WAITING = {"name": "web", "restartCount": 0, "state": {"waiting": {"reason": "ErrImagePull"}}}
REFUSED = {
    "several": (pod(RUNNING, {**RUNNING, "name": "side"}), {}, "choose one of: [web side]"),
    "unknown": (pod(RUNNING), {"container": "x"}, "container x is not valid for pod web-1"),
    "waiting": (pod(WAITING), {}, "is waiting to start: ErrImagePull"),
    "never-restarted": (pod(RUNNING), {"previous": "true"}, "previous terminated container"),
    "no-number": (pod(RUNNING), {"tailLines": "x"}, "whole numbers"),
}


@pytest.mark.parametrize(("given", "query", "message"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_log_is_refused(given: dict[str, Any], query: dict[str, str], message: str) -> None:
    """With 400, in a kubelet's words."""
    logs = PodLogs(lambda: NOW, lambda _: given)
    with pytest.raises(Refusal) as caught:
        logs.open(given, asked(**query))
    assert caught.value.code == 400
    assert message in str(caught.value)


def test_a_followed_log_ends_with_its_container() -> None:
    """Not before; what was given once is not given again."""
    present = pod(RUNNING)
    logs = PodLogs(lambda: NOW, lambda _: present)
    logs.write(present, "web", b"one\n")
    log = logs.open(present, asked(follow="true", timestamps="true"))
    assert log.more() == (b"2026-03-02T09:31:12.000000000Z one\n", False)
    assert log.more() == (b"", False)
    present["status"] = {"containerStatuses": [{**RUNNING, "state": {"terminated": {"exitCode": 0}}}]}
    logs.write(present, "web", b"last\n")
    assert log.more() == (b"2026-03-02T09:31:12.000000000Z last\n", True)


def test_a_removed_container_has_a_text_in_its_place() -> None:
    """A container that ended in a pod which a finalizer keeps: the text has no time before it."""
    gone = pod({**RUNNING, "state": {"terminated": {"exitCode": 0}}}, deletionTimestamp="2026-03-02T09:31:12Z")
    log = PodLogs(lambda: NOW, lambda _: gone).open(gone, asked(timestamps="true"))
    assert log.more() == (b"unable to retrieve container logs for containerd://0a", True)
