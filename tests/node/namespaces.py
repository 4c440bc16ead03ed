"""What the first process of the node does before any program: its own mounts, network and view of the cgroups.

It runs in new mount, pid, ipc, uts, cgroup and network namespaces, so all of this is gone when it ends.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.supervisor import SEARCH_PATH
from tests.node.launch import NODE_ADDRESS, OUTSIDE_ADDRESS, PODS, SYSCTLS

CGROUPS = Path("/sys/fs/cgroup")
UNIFIED = CGROUPS / "cgroup.controllers"
_BIND, _RECURSIVE, _SHARED = 4096, 16384, 1 << 20
_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: Path | str, kind: str = "", *, flags: int = 0, options: str = "") -> None:
    """mount(2): unlike mount(8) it leaves no file in the machine's /run. Raises OSError."""
    arguments = (os.fsencode(item) for item in (source, target, kind))
    if _libc.mount(*arguments, flags, options.encode()):
        number = ctypes.get_errno()
        raise OSError(number, f"mount {kind} on {target}: {os.strerror(number)}")


def run(*command: str) -> None:
    """Run a command of the machine's. Raises CalledProcessError."""
    subprocess.run(command, check=True, env={"PATH": SEARCH_PATH}, stdin=subprocess.DEVNULL)


def prepare(folder: Path, controllers: Iterable[str]) -> None:
    """Make this process's namespaces those of a node. `controllers` are the cgroup (version 1) hierarchies."""
    _mount_own_folders(folder)
    _mount_cgroups(controllers)
    _make_network()


def _mount_own_folders(folder: Path) -> None:
    mount("none", "/", flags=_RECURSIVE | _SHARED)
    mount("tmpfs", "/run", "tmpfs", options="mode=755")
    mount("proc", "/proc", "proc")
    for name in ("/var/lib", "/var/log"):
        mount("tmpfs", name, "tmpfs", options="mode=755")
    for number, name in enumerate(SYSCTLS):
        mount(str(folder / f"sysctl-{number}"), Path("/proc/sys") / name, flags=_BIND)


def _mount_cgroups(controllers: Iterable[str]) -> None:
    unified = UNIFIED.exists()
    mount("sysfs", "/sys", "sysfs")
    if unified:
        mount("cgroup2", CGROUPS, "cgroup2")
        # A group whose children are limited may hold no process itself.
        (CGROUPS / "programs").mkdir()
        (CGROUPS / "programs" / "cgroup.procs").write_text("0")
        return
    mount("tmpfs", CGROUPS, "tmpfs", options="mode=755")
    for name in controllers:
        target = CGROUPS / name.removeprefix("name=")
        target.mkdir()
        mount("cgroup", target, "cgroup", options=f"none,{name}" if name.startswith("name=") else name)


def _make_network() -> None:
    """Two networks with one wire between them: the node's own, and the world outside. No way leads to the machine's."""
    run("ip", "netns", "add", "outside")
    outside = ("ip", "-n", "outside")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "outside0", "type", "veth", "peer", "name", "eth0", "netns", "outside")
    run("ip", "address", "add", f"{NODE_ADDRESS}/24", "dev", "outside0")
    run("ip", "link", "set", "outside0", "up")
    # Pods find their gateway by proxy ARP, which needs a default route.
    run("ip", "route", "add", "default", "via", OUTSIDE_ADDRESS)
    run(*outside, "link", "set", "lo", "up")
    run(*outside, "address", "add", f"{OUTSIDE_ADDRESS}/24", "dev", "eth0")
    run(*outside, "link", "set", "eth0", "up")
    run(*outside, "route", "add", PODS, "via", NODE_ADDRESS)
    settings = Path("/proc/sys/net/ipv4")
    (settings / "ip_forward").write_text("1")
    (settings / "conf" / "all" / "rp_filter").write_text("0")
