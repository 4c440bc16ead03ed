"""What is true of a pod, taken outside the product: at a server outside the cluster, in the process table, by a watch.

All times are of the machine's one clock, in milliseconds since 1970.
"""

from __future__ import annotations

import json
import os
import select
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import urllib3

from tests.cluster.client import ClusterClient


def now() -> int:
    """This moment."""
    return time.time_ns() // 1_000_000


class Outside:
    """The server outside the cluster: what reached it from each pod."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "outside.log"

    def arrivals(self, pod: str, what: str) -> Sequence[int]:
        """When a heartbeat (`beat`) or a new connection (`new`) of a pod came in."""
        words = (line.split() for line in self._log.read_text().splitlines())
        return [int(word[0]) for word in words if word[1:] == [what, pod]]


def container_processes(uid: str) -> Sequence[int]:
    """The machine's numbers of the processes in a pod's containers, without the one that holds its namespaces."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and uid in (entry / "cgroup").read_text():
                command = (entry / "cmdline").read_bytes().split(b"\0")
                found += [int(entry.name)] if b"threat" in command else []
    return found


class Ends:
    """When each of some processes ended, told by the kernel."""

    def __init__(self, pids: Sequence[int]) -> None:
        self.at: dict[int, int] = {}
        self.pids = pids
        self._handles = {os.pidfd_open(pid): pid for pid in pids}
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        poll = select.poll()
        for handle in self._handles:
            poll.register(handle, select.POLLIN)
        while len(self.at) < len(self.pids):
            for handle, _ in poll.poll(1000):
                self.at[self._handles[handle]] = now()
                poll.unregister(handle)
                os.close(handle)

    @property
    def last(self) -> int | None:
        """When the last of them ended: None while one lives."""
        return max(self.at.values(), default=0) if len(self.at) == len(self.pids) else None


class PodWatch:
    """What the API says of one pod, as it says it."""

    def __init__(self, client: ClusterClient, token: str, pod: dict[str, Any]) -> None:
        self.events: list[tuple[int, str, dict[str, Any]]] = []
        meta = pod["metadata"]
        query = f"watch=1&resourceVersion={meta['resourceVersion']}&fieldSelector=metadata.name={meta['name']}"
        self._target = f"{client.url}/api/v1/namespaces/{meta['namespace']}/pods?{query}&timeoutSeconds=300"
        self._pool = urllib3.PoolManager(ca_certs=str(client.ca_file), headers={"Authorization": f"Bearer {token}"})

    def __enter__(self) -> Self:
        self._response = self._pool.request("GET", self._target, preload_content=False, retries=False, timeout=310)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Ends the read that the thread waits in.
        self._response.shutdown()
        self._thread.join()
        self._response.release_conn()
        self._pool.clear()

    def _watch(self) -> None:
        with suppress(urllib3.exceptions.HTTPError, ValueError):
            for line in self._response:
                event = json.loads(line)
                self.events.append((now(), event["type"], event["object"]))

    @property
    def gone(self) -> int | None:
        """When the object was gone."""
        return next((at for at, kind, _ in self.events if kind == "DELETED"), None)

    @property
    def terminated(self) -> int | None:
        """When the API said of every container that it is terminated."""
        return next((at for at, _, item in self.events if _all_terminated(item)), None)


def _all_terminated(pod: dict[str, Any]) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return bool(statuses) and all("terminated" in status["state"] for status in statuses)
