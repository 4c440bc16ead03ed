"""What is true of a pod, taken outside the product: at a server outside the cluster, in the process table, by a watch.

All times are of the machine's one clock, in milliseconds since 1970.
"""

from __future__ import annotations

import json
import os
import select
import threading
import time
from collections import defaultdict
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
        self._read = 0
        self._arrivals: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._lock = threading.Lock()

    def arrivals(self, pod: str, what: str) -> Sequence[int]:
        """When a heartbeat (`beat`) or a new connection (`new`) of a pod came in."""
        with self._lock, self._log.open("rb") as log:
            log.seek(self._read)
            new = log.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read += len(whole)
            for line in whole.decode().splitlines():
                at, *words = line.split()
                self._arrivals[tuple(words[:2])].append(int(at))
            return list(self._arrivals[what, pod])


def container_processes(uid: str, program: str) -> Sequence[int]:
    """The machine's numbers of the processes in a pod's containers with this program file, or this first argument."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and uid in (entry / "cgroup").read_text():
                arguments = (entry / "cmdline").read_bytes().split(b"\0")[1:2]
                file = str((entry / "exe").readlink()).removesuffix(" (deleted)")
                found += [int(entry.name)] if program == file or program.encode() in arguments else []
    return found


class Processes:
    """When each of some processes ended, as the kernel tells, and when it was last seen to run, looked at every 10 ms.

    A look that comes late, on a busy machine, then never accuses a word that is true.
    """

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self._ended: dict[int, int] = {}
        self._ran: dict[int, int] = dict.fromkeys(pids, now())
        self._still: set[int] = set()
        self._left = threading.Event()
        self._handles = {os.pidfd_open(pid): pid for pid in pids}
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._watch_ends, self._watch_states)]
        for thread in self._threads:
            thread.start()

    def leave(self) -> None:
        """Look at them no longer."""
        self._left.set()
        for thread in self._threads:
            thread.join()
        for handle in self._handles:
            os.close(handle)

    def _watch_ends(self) -> None:
        poll = select.poll()
        for handle in self._handles:
            poll.register(handle, select.POLLIN)
        while len(self._ended) < len(self._pids) and not self._left.is_set():
            for handle, _ in poll.poll(100):
                self._ended[self._handles[handle]] = now()
                poll.unregister(handle)

    def _watch_states(self) -> None:
        while not self._left.wait(0.01):
            for pid in self._pids:
                at = now()
                if _process_state(pid) in {"T", "t", ""}:
                    self._still.add(pid)
                else:
                    self._still.discard(pid)
                    self._ran[pid] = at

    @property
    def ended(self) -> int | None:
        """When the last of them ended: None while one lives."""
        return max(self._ended.values(), default=None) if len(self._ended) == len(self._pids) else None

    @property
    def still(self) -> int | None:
        """When one of them was last seen to run, of which none runs any more, stopped or dead: None while one runs."""
        return max(self._ran.values(), default=None) if self._still.issuperset(self._pids) else None


def _process_state(pid: int) -> str:
    """The letter of proc_pid_stat(5): empty of a process that is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


class PodWatch:
    """What the API says of one pod, as it says it."""

    def __init__(self, client: ClusterClient, token: str, pod: dict[str, Any]) -> None:
        self.events: list[tuple[int, str, dict[str, Any]]] = []
        self._restarts = restarts(pod)
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
    def owned(self) -> bool:
        """Whether a controller had the pod when it was last seen."""
        return any("controller" in owner for _, _, item in self.events[-1:] for owner in _owners(item))

    @property
    def restarts(self) -> int:
        """How many times more the containers of the workload were started while it was looked at."""
        return max([self._restarts, *(restarts(item) for _, _, item in self.events)]) - self._restarts

    def begins_first(self, first: str, second: str) -> bool:
        """Whether the API said of one of our containers that it had begun as soon as it said anything of the other.

        They are known by the words in their names. True where it said nothing of the other.
        """
        told = (_ephemeral_states(item) for _, _, item in self.events)
        return all(second not in states or states.get(first, "waiting") != "waiting" for states in told)

    @property
    def terminated(self) -> int | None:
        """When the API said of every container that it is terminated."""
        return next((at for at, _, item in self.events if _all_terminated(item)), None)


def _owners(pod: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pod["metadata"].get("ownerReferences", [])
    return found


def restarts(pod: dict[str, Any]) -> int:
    """How often the containers of a pod's workload were started again."""
    return sum(item["restartCount"] for item in pod.get("status", {}).get("containerStatuses", []))


def _ephemeral_states(pod: dict[str, Any]) -> dict[str, str]:
    """The state of each of our containers, by the word in its name."""
    statuses = pod.get("status", {}).get("ephemeralContainerStatuses", [])
    return {status["name"].split("-")[2]: next(iter(status["state"]), "waiting") for status in statuses}


def _all_terminated(pod: dict[str, Any]) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return bool(statuses) and all("terminated" in status["state"] for status in statuses)
