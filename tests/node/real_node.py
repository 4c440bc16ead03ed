"""The real node as tests see it: `python -m tests.node.real_node` builds what is missing for one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.cluster import binaries as cluster_binaries
from tests.cluster import control_plane as cluster
from tests.cluster.binaries import BinariesUnavailable
from tests.cluster.client import ClusterClient
from tests.cluster.control_plane import ControlPlane
from tests.node import binaries, cgroups, packages
from tests.node.packages import NodeUnavailable
from tests.node.truth import Outside

SUPERVISOR = "tests.node.supervisor"


class Node:
    """A running node: its API server, and what reached the server outside it."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.outside = Outside(plane.ca_file.parent)

    @property
    def admin(self) -> ClusterClient:
        """The client that may do everything."""
        return self.plane.admin


def programs() -> dict[str, Path]:
    """All that a node is made of, built if need be. Raises NodeUnavailable, BinariesUnavailable."""
    machine = packages.require()
    fixed = [str(path) for path in cgroups.own_groups().values() if not os.access(path, os.W_OK)]
    if fixed:
        raise NodeUnavailable(f"no cgroup can be made in {fixed[0]}", packages.PRIVILEGED)
    started = {"outside": machine["nsenter"], "forward": Path(sys.executable)}
    return {**machine, **cluster_binaries.programs(), **binaries.programs(), **started}


def start(folder: Path, paths: Mapping[str, Path], owner: int) -> Node:
    """Start a node in `folder`, which ends with the process `owner`; `tests.cluster.control_plane` ends it too.

    Raises RuntimeError.
    """
    return Node(cluster.start(folder, paths, owner, SUPERVISOR))


@contextmanager
def running(paths: Mapping[str, Path]) -> Iterator[Node]:
    """A node, for the time of a `with` block."""
    folder = Path(mkdtemp(prefix="scc-node-"))
    node = start(folder, paths, os.getpid())
    try:
        yield node
    finally:
        cluster.stop(folder)


if __name__ == "__main__":
    try:
        programs()
    except (NodeUnavailable, BinariesUnavailable) as error:
        sys.exit(f"no real node: {error.reason}\n{error.remedy}")
