"""The process that owns a control plane: it starts the programs, and ends them when its owner is gone or asks it to.

`python -m tests.cluster.supervisor FOLDER OWNER_PID PROGRAMS_JSON`. When all is ready it writes FOLDER/state.json.
SIGTERM ends it. However the owner ends, no program and no file is left behind.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import urllib3
import yaml

from tests.cluster import launch
from tests.cluster.client import ClusterClient
from tests.cluster.polling import wait_until
from tests.cluster.roles import roles
from tests.cluster.state import State

ATTEMPTS = 3
READY_SECONDS = 90.0
STOP_SECONDS = 5.0
SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class StartFailed(Exception):  # noqa: N818 - names what happened
    """A program ended, or did not become ready. The message ends with its log."""


class Programs:
    """The running programs of one control plane."""

    def __init__(self, folder: Path, paths: dict[str, str]) -> None:
        self._folder = folder
        self._paths = paths
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def names(self) -> list[str]:
        """What was started, in order."""
        return list(self._running)

    def pid(self, name: str) -> int:
        """The number of a program's process."""
        return self._running[name].pid

    def start(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str] = {}, inherited: Sequence[int] = ()
    ) -> None:
        """Start one program, which logs to FOLDER/NAME.log and keeps the file descriptors `inherited`."""
        known = {"PATH": SEARCH_PATH, "HOME": str(self._folder), "GOMAXPROCS": os.environ.get("GOMAXPROCS", "")}
        with (self._folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                [self._paths[name], *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**known, **environment},
                pass_fds=inherited,
            )

    def check(self) -> None:
        """Raise StartFailed if a program has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise StartFailed(f"{name} ended with {process.returncode}:\n{self.log_tail(name)}")

    def log_tail(self, name: str) -> str:
        """The last lines of a program's log."""
        return "\n".join((self._folder / f"{name}.log").read_text(errors="replace").splitlines()[-15:])

    def stop(self) -> None:
        """End all programs, the server before its store."""
        for process in reversed(self._running.values()):
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()


def _start(folder: Path, programs: Programs) -> State:
    started = time.monotonic()
    ports = launch.free_ports()
    identities = launch.write_files(folder, ports)
    programs.start("etcd", launch.etcd(folder, ports))
    wait_listening("etcd", ports.etcd, programs)
    programs.start("kube-apiserver", launch.kube_apiserver(folder, ports))
    url = f"https://127.0.0.1:{ports.server}"
    admin = ClusterClient(url, folder / "ca.pem", identities["admin"].token)
    wait_ready(admin, programs)
    programs.start("kube-controller-manager", launch.kube_controller_manager(folder))
    programs.start("kwok", launch.kwok(folder))
    admin.apply(yaml.safe_dump_all(roles(identities["responder"].user, identities["reader"].user)))
    wait_service_accounts(admin, programs)
    return State(url=url, supervisor=os.getpid(), ready_seconds=time.monotonic() - started, identities=identities)


def wait_listening(name: str, port: int, programs: Programs) -> None:
    """Wait until a program accepts connections on 127.0.0.1. Raises StartFailed."""

    def listening() -> bool:
        programs.check()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    _wait(listening, name, programs)


def wait_ready(admin: ClusterClient, programs: Programs) -> None:
    """Wait until the API server is ready. Raises StartFailed."""

    def ready() -> bool:
        programs.check()
        try:
            return admin.send("GET", "/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    _wait(ready, "kube-apiserver", programs)


def wait_service_accounts(admin: ClusterClient, programs: Programs) -> None:
    """Wait until pods can be made in the namespace `default`. Raises StartFailed."""

    def ready() -> bool:
        programs.check()
        return admin.send("GET", "/api/v1/namespaces/default/serviceaccounts/default").status == 200

    _wait(ready, "kube-controller-manager", programs)


def _wait(ready: Callable[[], bool], name: str, programs: Programs) -> None:
    try:
        wait_until(ready, what=f"{name} to be ready", seconds=READY_SECONDS, interval=0.05)
    except TimeoutError as error:
        raise StartFailed(f"{error}\n{programs.log_tail(name)}") from error


def _start_with_retries(folder: Path, programs: Programs) -> State:
    """A port may be taken between its choice and its use: then everything starts again with others."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _start(folder, programs)
        except StartFailed:
            programs.stop()
            shutil.rmtree(folder / "etcd-data", ignore_errors=True)
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _supervise(owner: int, programs: Programs, stopping: threading.Event) -> None:
    while not stopping.wait(0.5) and alive(owner):
        programs.check()


def alive(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is seen complete or not at all."""
    scratch = path.with_suffix(".new")
    scratch.touch(mode=0o600)
    scratch.write_bytes(content)
    scratch.replace(path)


def main(folder: Path, owner: int, paths: dict[str, str]) -> None:
    """Own a control plane until `owner` is gone or SIGTERM comes."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    programs = Programs(folder, paths)
    try:
        write_whole(folder / "state.json", msgspec.json.encode(_start_with_retries(folder, programs)))
        _supervise(owner, programs, stopping)
    finally:
        programs.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
