"""A real node runs containers, answers for them, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import objects
from tests.cluster.client import object_path
from tests.cluster.polling import wait_until
from tests.cluster.state import read_state
from tests.node import images, launch, registry
from tests.node import real_node as nodes
from tests.node.cgroups import own_groups, remove
from tests.node.floor import put_in
from tests.node.held_machine import machine_held
from tests.node.real_node import Node
from tests.node.supervisor import first_process
from tests.node.truth import container_processes


@pytest.fixture(scope="module")
def threat(real_node: Node) -> dict[str, Any]:
    """A pod that sends its heartbeats."""
    namespace = objects.create_namespace(real_node.admin)
    container = {"name": "web", "image": images.WORKLOAD, "args": [launch.OUTSIDE]}
    manifest = objects.pod("threat", namespace, launch.NODE, containers=[container])
    return objects.create_running(real_node.admin, manifest)


def test_a_container_runs_and_its_log_is_read(real_node: Node, threat: dict[str, Any]) -> None:
    """The process is in the machine's table, its heartbeat arrives outside, and kubelet serves its log."""
    assert len(container_processes(threat["metadata"]["uid"], "threat")) == 1
    wait_until(lambda: real_node.outside.arrivals("threat", "beat"), what="a heartbeat")
    log = real_node.admin.send("GET", f"{object_path(threat)}/log")
    assert (log.status, log.body["message"]) == (200, f"threat to {launch.OUTSIDE}\n")


def test_an_ephemeral_container_begins_beside_the_workload(real_node: Node, threat: dict[str, Any]) -> None:
    """kubelet starts a container that is put into a running pod, and restarts none for it."""
    status = put_in(real_node, threat, {"name": "look", "image": images.PAUSE, "targetContainerName": "web"})
    assert [item["restartCount"] for item in status["containerStatuses"]] == [0]


def test_an_image_that_the_node_lacks_is_pulled(
    real_node: Node, threat: dict[str, Any], node_programs: dict[str, Path], tmp_path: Path
) -> None:
    """A container's image comes from the node's registry by its digest, also after it was removed from the node."""
    digest = images.write_image(tmp_path / "image.tar", "looker", node_programs["workload"], ["idle"])
    with tarfile.open(tmp_path / "image.tar") as archive:
        archive.extractall(tmp_path / "layout", filter="data")
    real_node.offer("looker", tmp_path / "layout")
    for name in ("first", "second"):
        put_in(real_node, threat, {"name": name, "image": f"{registry.HOST}/looker@{digest}"})
        assert f"looker@{digest}" in real_node.run("ctr", "--namespace", nodes.CONTAINERS, "images", "ls")
        real_node.remove_image(f"{registry.HOST}/looker@{digest}")
        assert digest not in real_node.run("ctr", "--namespace", nodes.CONTAINERS, "images", "ls")


def _machine() -> dict[str, Any]:
    """What a node could leave behind on the machine."""
    return {
        "mounts": Path("/proc/self/mounts").read_text(),
        "links": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "groups": sorted(str(path) for group in own_groups().values() for path in group.glob("scc-node-*")),
        "run": sorted(path.name for path in Path("/run").iterdir()),
        "settings": [(Path("/proc/sys") / name).read_text() for name in launch.SYSCTLS],
    }


def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path, node_programs: dict[str, Path]) -> None:
    """A test run that is killed leaves no process, mount, network, cgroup, setting or file behind."""
    with machine_held(alone=True):
        before = _machine()
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
            nodes.start(tmp_path / "node", node_programs, owner.pid)
            first = first_process(first_process(read_state(tmp_path / "node").supervisor))
            assert Path(f"/proc/{first}").exists()
            owner.kill()
        wait_until(lambda: not (tmp_path / "node").exists(), what="the node to end")
        assert not Path(f"/proc/{first}").exists()
        assert _machine() == before


def test_a_killed_supervisor_takes_the_node_with_it(tmp_path: Path, node_programs: dict[str, Path]) -> None:
    """Whoever kills the process that owns the node has no node left."""
    with machine_held(alone=False):
        nodes.start(tmp_path / "node", node_programs, os.getpid())
        supervisor = read_state(tmp_path / "node").supervisor
        first = first_process(first_process(supervisor))
        os.kill(supervisor, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{first}").exists(), what="the first process to end")
        remove(path / f"scc-node-{supervisor}" for path in own_groups().values())
