"""What the real node needs of this machine: Linux, root, and Debian's packages.

`python -m tests.node.packages` (`make node-packages`) installs the packages. Only a run with CI=true does so by itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.supervisor import SEARCH_PATH
from tests.requirements import in_ci

PROGRAMS = {
    **dict.fromkeys(("containerd", "containerd-shim-runc-v2", "ctr"), "containerd"),
    **{name: name for name in ("runc", "iptables", "ipset", "conntrack")},
    "ip": "iproute2",
    **dict.fromkeys(("nsenter", "setpriv", "unshare"), "util-linux"),
}
"""Each program and the package that has it."""
PLUGIN_PACKAGE = "containernetworking-plugins"
PLUGINS = Path("/usr/lib/cni")
REMEDY = "On Debian or Ubuntu, as root: `make node-packages` (60 MB)."
APT_SECONDS = 300
APT_OPTIONS = ("-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::http::Timeout=30", "-o", "Acquire::Retries=2")
"""Another process may be installing, and a server that does not answer is not waited for."""
PRIVILEGED = "Run the tests as root of a machine, or in a privileged container."


class NodeUnavailable(Exception):  # noqa: N818 - a fact about this machine, not a fault of the code
    """No real node can run on this machine. `remedy` says what a person can do."""

    def __init__(self, reason: str, remedy: str = REMEDY) -> None:
        super().__init__(f"{reason}\n{remedy}")
        self.reason = reason
        self.remedy = remedy


def require(search_path: str = SEARCH_PATH) -> dict[str, Path]:
    """The paths of the machine's programs. Raises NodeUnavailable."""
    if sys.platform != "linux":
        raise NodeUnavailable(f"a node needs Linux, and this is {sys.platform}", "Run the tests on a Linux machine.")
    if os.geteuid() != 0:
        raise NodeUnavailable("a node needs root", "Run the tests as root, on a machine that may be lost.")
    if missing(search_path) and in_ci():
        install(missing(search_path))
    lacking = missing(search_path)
    if lacking:
        raise NodeUnavailable(f"not installed: {', '.join(lacking)}")
    refusal = refused_namespaces()
    if refusal:
        raise NodeUnavailable(f"this machine refuses namespaces: {refusal}", PRIVILEGED)
    return {name: Path(shutil.which(name, path=search_path) or name) for name in PROGRAMS}


def refused_namespaces() -> str:
    """What the machine says to a process that wants namespaces of its own: empty where it lets it."""
    command = ["unshare", "--mount", "--pid", "--cgroup", "--net", "--fork", "true"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()


def missing(search_path: str = SEARCH_PATH, plugins: Path = PLUGINS) -> list[str]:
    """The programs and network plugins that this machine lacks."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=search_path) is None]
    return lacking + [name for name in ("host-local", "loopback") if not (plugins / name).exists()]


def install(lacking: Iterable[str]) -> None:
    """Install the packages of what `missing` named, and no other. Raises NodeUnavailable, with what apt-get said."""
    packages = sorted({PROGRAMS.get(name, PLUGIN_PACKAGE) for name in lacking})
    # One list of many that cannot be had, of another's packages, is no reason to end.
    refreshed = _apt_get("update", "-q")
    refused = _apt_get("install", "-q", "-y", "--no-install-recommends", *packages)
    if refused:
        raise NodeUnavailable("\n".join(filter(None, (refused, refreshed))))


def _apt_get(*arguments: str) -> str:
    """What it says where it fails, and nothing where it does not."""
    settings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", *APT_OPTIONS, *arguments]
    try:
        answer = subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=APT_SECONDS)
    except FileNotFoundError as error:
        raise NodeUnavailable("this machine has no apt-get") from error
    except subprocess.TimeoutExpired:
        return f"apt-get {arguments[0]} took longer than {APT_SECONDS} s"
    return f"apt-get {arguments[0]} failed: {answer.stderr.strip()[-500:]}" if answer.returncode else ""


if __name__ == "__main__":
    try:
        if missing():
            install(missing())
        require()
    except NodeUnavailable as error:
        sys.exit(f"{error.reason}\n{error.remedy}")
