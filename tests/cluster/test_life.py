"""A control plane ends with its owner, says why it does not start, and can be the user's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import binaries, control_plane, given, objects
from tests.cluster.control_plane import REPOSITORY, ControlPlane, NoAuditLog
from tests.cluster.polling import wait_until
from tests.cluster.state import read_state


@pytest.fixture
def programs(control_plane: ControlPlane) -> dict[str, Path]:
    """What the control plane of this run was made of."""
    if given.kubeconfig():
        pytest.skip("the cluster in use was brought by the user")
    return binaries.programs()


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads process numbers from /proc")
def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path, programs: dict[str, Path]) -> None:
    """A test run that is killed leaves no server and no file behind."""
    owner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    folder = tmp_path / "plane"
    control_plane.start(folder, programs, owner.pid)
    supervisor = read_state(folder).supervisor
    servers = children(supervisor)
    assert len(servers) == 4
    owner.kill()
    owner.communicate()
    wait_until(lambda: not folder.exists(), what="the control plane to end")
    wait_until(lambda: not any(map(is_alive, servers)), what="its programs to end")


def test_make_cluster_prints_a_kubeconfig_that_works_and_ends_when_asked(programs: dict[str, Path]) -> None:
    """One command gives a person a furnished cluster and says how to reach it."""
    command = [sys.executable, "-m", "tests.cluster.run"]
    search_path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "functions")])
    environment = {**os.environ, "PYTHONPATH": search_path}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if "export KUBECONFIG=" in line)
            kubeconfig = Path(line.strip().partition("=")[2])
            plane = ControlPlane.attach(kubeconfig.parent)
            assert len(plane.admin.list("/api/v1/nodes")) == 2
            assert len(objects.running_pods(plane.admin, "shop", "web", count=2)) == 2
        finally:
            process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert rest.endswith("ending\n")
    assert not kubeconfig.parent.exists()


def test_a_program_that_ends_at_once_is_named_with_its_log(tmp_path: Path) -> None:
    """Someone whose cluster does not start reads why, in the program's own words."""
    broken = tmp_path / "etcd"
    broken.write_text("#!/bin/sh\necho 'unknown flag: --unsafe-no-fsync'\nexit 2\n")
    broken.chmod(0o755)
    folder = tmp_path / "plane"
    with pytest.raises(RuntimeError, match=r"(?s)etcd ended with 2:.*unknown flag: --unsafe-no-fsync"):
        control_plane.start(folder, {"etcd": broken}, os.getpid())
    assert not folder.exists()


def test_a_cluster_that_the_user_brings_gets_the_same_identities(control_plane: ControlPlane, tmp_path: Path) -> None:
    """With a kubeconfig, responder and others have the same rights there; only the audit log is out of reach."""
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(control_plane.kubeconfig.read_text())
    plane = given.attach(kubeconfig, tmp_path)
    seen = {name: plane.client(name).send("GET", "/api/v1/nodes/none").status for name in ("responder", "powerless")}
    assert seen == {"responder": 404, "powerless": 403}
    assert plane.client("reader").send("DELETE", "/api/v1/namespaces/default/pods/none").status == 403
    assert plane.admin.get("/api/v1/namespaces/default")["kind"] == "Namespace"
    with pytest.raises(NoAuditLog):
        plane.audit()


def test_the_kubeconfig_of_make_cluster_brings_its_audit_log_along(control_plane: ControlPlane, tmp_path: Path) -> None:
    """A cluster kept running between test runs serves every test."""
    plane = given.attach(control_plane.kubeconfig, tmp_path)
    start = len(plane.audit(user="powerless"))
    plane.client("powerless").send("GET", "/api/v1/nodes")
    assert len(plane.audit(user="powerless")) == start + 1
