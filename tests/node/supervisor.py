"""The process that owns a node: it starts the first process of its namespaces, and ends it when its owner is gone.

`python -m tests.node.supervisor FOLDER OWNER_PID PROGRAMS_JSON`, as `tests.cluster.supervisor`. SIGTERM ends it.
However the owner ends, no process, mount, network, cgroup or file is left behind.
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
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.cluster import launch
from tests.cluster.polling import wait_until
from tests.cluster.supervisor import SEARCH_PATH, alive
from tests.node import cgroups
from tests.node import launch as node_launch
from tests.node.first import Start

# If this process is killed, so are all others.
NAMESPACED = (
    *("setpriv", "--pdeathsig=KILL"),
    *("unshare", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--net", "--fork", "--kill-child=KILL"),
)


def _start(folder: Path, paths: dict[str, str], groups: Mapping[str, Path]) -> subprocess.Popen[bytes]:
    ports = launch.free_ports()
    identities = launch.write_files(folder, ports, node_launch.IDENTITIES)
    node_launch.write_files(folder, {name: Path(path) for name, path in paths.items()})
    with socket.create_server(("127.0.0.1", ports.server), backlog=128) as listener:
        start = Start(
            supervisor=os.getpid(),
            ports=ports,
            listener=listener.fileno(),
            controllers=tuple(groups),
            programs=paths,
            identities=identities,
        )
        arguments = (sys.executable, "-m", "tests.node.first", str(folder), msgspec.json.encode(start).decode())
        with (folder / "first.log").open("wb") as log:
            return subprocess.Popen(
                [*NAMESPACED, *arguments],
                env={**os.environ, "PATH": SEARCH_PATH},
                pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


def first_process(pid: int) -> int:
    """The child of a process that has one: 0 until then, and once it is gone."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return 0
    return int(children[0]) if children else 0


def _supervise(folder: Path, owner: int, process: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    while not stopping.wait(0.5) and alive(owner):
        if process.poll() is not None:
            sys.exit((folder / "first.log").read_text(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """The first process of a pid namespace takes all others with it, and is waited for by the one that made it."""
    first = first_process(process.pid)
    if first:
        os.kill(first, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def main(folder: Path, owner: int, paths: dict[str, str]) -> None:
    """Own a node until `owner` is gone, the node ends, or SIGTERM comes."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    home = cgroups.own_groups()
    groups = cgroups.make_groups(f"scc-node-{os.getpid()}", home)
    try:
        cgroups.join(groups)
        process = _start(folder, paths, groups)
        cgroups.join(home)
        try:
            wait_until(lambda: first_process(process.pid) or process.poll() is not None, what="the first process")
            if process.poll() is None:
                cgroups.join(home, process.pid)
            _supervise(folder, owner, process, stopping)
        finally:
            _end(process)
    finally:
        cgroups.remove(groups.values())
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
