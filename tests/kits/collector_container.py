"""A container of real processes, in namespaces and below a root of its own, and the collector started beside it.

It needs root. Everything is in the namespaces of one process and ends with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.kits.collector_stream import Answer, public_text, read, request_text

PATHS = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
ROOT_CAPABILITIES = "-all,+sys_ptrace,+dac_override,+kill"
_PREPARE = """
set -e
mount --bind "$1" "$1"
for name in usr dev; do mkdir -p "$1/$name"; mount --rbind "/$name" "$1/$name"; done
for name in bin sbin lib lib64; do ln -sfn "usr/$name" "$1/$name"; done
mkdir -p "$1/proc" "$1/tmp" "$1/etc"
mount -t proc proc "$1/proc"
ip link set lo up
mkdir "$1/machine"
cd "$1"
pivot_root . machine
exec chroot . /bin/sh -c "umount -l /machine && exec /bin/sh /start.sh"
"""


class Container:
    """Its first process, and the folder that is its root."""

    def __init__(self, root: Path, first: int) -> None:
        self.root = root
        self.first = first

    def look(
        self, program: Path, *flags: str, user: int = 0, capabilities: str = ROOT_CAPABILITIES, **request: object
    ) -> Answer:
        """What the collector says of it."""
        return self.collect(program, "look", *flags, user=user, capabilities=capabilities, request=request)

    def collect(
        self,
        program: Path,
        *mode: str,
        user: int = 0,
        capabilities: str = ROOT_CAPABILITIES,
        request: dict[str, object] | None = None,
    ) -> Answer:
        """The answer to one start of the collector, within this container's namespaces of processes and network."""
        key = X25519PrivateKey.generate()
        arguments = [
            *mode,
            f"-key={public_text(key)}",
            *([] if request is None else [f"-request={request_text(**request)}"]),
        ]
        form = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
        form += [f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}", f"--bounding-set={capabilities}"]
        inside = ["nsenter", "-t", str(self.first), "-p", "-n", "unshare", "-m", "--mount-proc"]
        done = subprocess.run(
            [*inside, *form, str(program), *arguments], stdout=subprocess.PIPE, check=True, timeout=60, env=PATHS
        )
        return read(done.stdout, key)

    def processes(self) -> dict[int, int]:
        """The machine's numbers of its processes, by the container's own number."""
        namespace = Path(f"/proc/{self.first}/ns/pid").readlink()
        inside = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and (entry / "ns/pid").readlink() == namespace:
                    words = (entry / "status").read_text().split("NSpid:")[1].split("\n")[0].split()
                    inside[int(words[-1])] = int(entry.name)
        return inside

    def state(self, pid: int) -> str:
        """The state letter of a process by its own number, from the machine's process table."""
        with contextlib.suppress(KeyError, OSError):
            return Path(f"/proc/{self.processes()[pid]}/stat").read_text().rpartition(")")[2].split()[0]
        return "gone"

    def named(self, word: str) -> list[int]:
        """The container's numbers of processes with a word in their command line."""
        found = []
        for pid, outer in self.processes().items():
            with contextlib.suppress(OSError):
                if word.encode() in Path(f"/proc/{outer}/cmdline").read_bytes().split(b"\0"):
                    found.append(pid)
        return sorted(found)


def wait_until(holds: Callable[[], object], seconds: float = 20) -> None:
    """Wait for a condition. Raises AssertionError."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it does not come to hold"
        time.sleep(0.02)


@contextlib.contextmanager
def container(root: Path, script: str) -> Iterator[Container]:
    """A container whose first process is a shell with this script; when it has made `/ready` the container is given."""
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)
    (root / "start.sh").write_text(f"{script}\n: > /ready\nwait\n")
    namespaces = [
        "unshare",
        "--fork",
        "--pid",
        "--mount",
        "--net",
        "--kill-child",
        "sh",
        "-c",
        _PREPARE,
        "sh",
        str(root),
    ]
    outer = subprocess.Popen(namespaces, env=PATHS, start_new_session=True)
    try:
        wait_until(lambda: (root / "ready").exists() or outer.poll() is not None)
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
        yield Container(root, int(children[0]))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(outer.pid, signal.SIGKILL)
        outer.wait()
