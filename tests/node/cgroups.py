"""The cgroups of a node: below those of the process that starts it (version 1), or below the root (version 2)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from tests.cluster.polling import wait_until
from tests.node.namespaces import CGROUPS, UNIFIED


def own_groups() -> dict[str, Path]:
    """The folder of this process's group in each hierarchy, by its controllers; the one of version 2 is nameless."""
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    found = {name: CGROUPS / name.removeprefix("name=") / path.lstrip("/") for _, name, path in lines}
    return {name: path for name, path in found.items() if bool(name) != UNIFIED.exists() and path.exists()}


def make_groups(name: str, home: Mapping[str, Path]) -> dict[str, Path]:
    """New groups of this name. `home` is what `own_groups` said. Raises OSError."""
    made = {controllers: (path if controllers else CGROUPS) / name for controllers, path in home.items()}
    for controllers, path in made.items():
        path.mkdir()
        if "cpuset" in controllers:
            for setting in ("cpuset.cpus", "cpuset.mems"):
                (path / setting).write_text((path.parent / setting).read_text())
    if UNIFIED.exists():
        with suppress(OSError):
            (CGROUPS / "cgroup.subtree_control").write_text("+cpu +cpuset +memory +pids")
    return made


def join(groups: Mapping[str, Path], pid: int = 0) -> None:
    """Move a process into these groups: this one, or another by its number."""
    for path in groups.values():
        (path / "cgroup.procs").write_text(str(pid))


def remove(groups: Iterable[Path]) -> None:
    """Remove groups with all below them, once the last process is gone. Raises TimeoutError."""
    for path in groups:
        wait_until(lambda path=path: _removed(path), what=f"{path} to be empty")  # type: ignore[misc]


def _removed(path: Path) -> bool:
    with suppress(OSError):
        for folder, _, _ in os.walk(path, topdown=False):
            Path(folder).rmdir()
    return not path.exists()
