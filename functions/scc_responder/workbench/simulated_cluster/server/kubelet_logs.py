"""The subresource `pods/log`: what containers wrote, as their kubelet gives it out.

Source: core/v1 PodLogOptions; k8s.io/kubernetes/pkg/registry/core/pod, `LogLocation`; pkg/kubelet, `GetContainerLogs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from scc_responder.domain.ports import ApiObject
from scc_responder.domain.value import Value
from scc_responder.workbench.simulated_cluster.server import refusal

Query = Callable[[str], list[str]]
_KINDS = ("containers", "initContainers", "ephemeralContainers")
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


class LogOptions(Value, frozen=True, kw_only=True):
    """What a request asks for, by the names of PodLogOptions."""

    container: str = ""
    previous: bool = False
    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None


class PodLogs:
    """What every container wrote. `find` gives the pod of a UID while it is there."""

    def __init__(self, clock: Callable[[], datetime], find: Callable[[str], ApiObject | None]) -> None:
        self._clock = clock
        self._find = find
        self._lines: dict[tuple[str, str, bool], list[tuple[datetime, bytes]]] = {}

    def write(self, pod: ApiObject, container: str, content: bytes, *, previous: bool = False) -> None:
        """Let a container write. `previous`: its run before the last restart did."""
        key = (pod["metadata"]["uid"], container, previous)
        self._lines.setdefault(key, []).extend((self._clock(), line) for line in content.splitlines(keepends=True))

    def open(self, pod: ApiObject, query: Query) -> OpenLog:
        """The log that is asked for. Raises Refusal."""
        options = _options(query)
        container = options.container or _only_container(pod)
        if container not in _names(pod):
            raise refusal.bad_request(f"container {container} is not valid for pod {pod['metadata']['name']}")
        uid = pod["metadata"]["uid"]
        if pod["spec"].get("nodeName"):
            _check_began(pod, container, options)
        lines = self._lines.setdefault((uid, container, options.previous), [])
        return OpenLog(lines, options, lambda: _status(self._find(uid) or {}, container))


class OpenLog:
    """One answer to a request for a log."""

    def __init__(
        self,
        lines: list[tuple[datetime, bytes]],
        options: LogOptions,
        status: Callable[[], Mapping[str, Any] | None],
    ) -> None:
        self._lines = lines
        self._options = options
        self._status = status
        self._next = max(0, len(lines) - options.tail_lines) if options.tail_lines is not None else 0
        self._left = options.limit_bytes

    def more(self) -> tuple[bytes, bool]:
        """What was written since it was asked last, and whether that was the end."""
        status = self._status()
        if gone := _removed(status):
            return gone, True
        is_running = bool(status and "running" in status.get("state", {}))
        content = b"".join(self._shown(*line) for line in self._lines[self._next :])
        self._next = len(self._lines)
        if self._left is not None:
            content = content[: self._left]
            self._left -= len(content)
        is_over = not self._options.follow or self._options.previous or not is_running or self._left == 0
        return content, is_over

    def _shown(self, moment: datetime, line: bytes) -> bytes:
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z " if self._options.timestamps else ""
        return stamp.encode() + line


def _options(query: Query) -> LogOptions:
    numbers = {name: query(name) for name in ("tailLines", "limitBytes")}
    if any(given and not given[0].isdigit() for given in numbers.values()):
        raise refusal.bad_request("tailLines and limitBytes must be whole numbers")
    tail, limit = (int(given[0]) if given else None for given in numbers.values())
    previous, follow, timestamps = (query(name) == ["true"] for name in ("previous", "follow", "timestamps"))
    return LogOptions(
        container="".join(query("container")),
        previous=previous,
        follow=follow,
        timestamps=timestamps,
        tail_lines=tail,
        limit_bytes=limit,
    )


def _names(pod: ApiObject) -> list[str]:
    return [item["name"] for kind in _KINDS for item in pod["spec"].get(kind, ())]


def _only_container(pod: ApiObject) -> str:
    names = _names(pod)
    if len(names) == 1:
        return names[0]
    where = f"pod {pod['metadata']['name']}, choose one of: [{' '.join(names)}]"
    raise refusal.bad_request(f"a container name must be specified for {where}")


def _statuses(pod: ApiObject) -> Iterator[Mapping[str, Any]]:
    return (item for kind in _STATUSES for item in pod.get("status", {}).get(kind, ()))


def _status(pod: ApiObject, container: str) -> Mapping[str, Any] | None:
    """What the kubelet says of the container; None where the pod is gone, or nothing was said yet."""
    told = next((item for item in _statuses(pod) if item["name"] == container), None)
    return None if told is None else {**told, "ends": "deletionTimestamp" in pod["metadata"]}


def _check_began(pod: ApiObject, container: str, options: LogOptions) -> None:
    where = f'container "{container}" in pod "{pod["metadata"]["name"]}"'
    status = _status(pod, container)
    if status is None:
        raise refusal.bad_request(f"{where} is not available")
    if options.previous and not status.get("restartCount"):
        raise refusal.bad_request(f"previous terminated {where} not found")
    waiting = status.get("state", {}).get("waiting")
    if waiting is not None and not options.previous:
        raise refusal.bad_request(f"{where} is waiting to start: {waiting.get('reason', 'PodInitializing')}")


def _removed(status: Mapping[str, Any] | None) -> bytes:
    """What a kubelet says in a log's place once it has removed the container. The answer's code is 200."""
    ended = status and status["ends"] and "terminated" in status.get("state", {})
    return f"unable to retrieve container logs for {status['containerID']}".encode() if status and ended else b""
