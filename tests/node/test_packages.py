"""Where no real node can run, that is said with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.cluster.control_plane import REPOSITORY
from tests.node import packages
from tests.node.packages import NodeUnavailable


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    """Each program and plugin that the machine lacks is named, and those alone."""
    for name in {*packages.PROGRAMS} - {"runc"}:
        (tmp_path / name).touch(mode=0o755)
    (tmp_path / "loopback").touch()
    assert packages.missing(str(tmp_path), tmp_path) == ["runc", "host-local"]


def test_a_user_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root nothing is looked for, and nothing installed."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NodeUnavailable, match="a node needs root"):
        packages.require()


def test_another_system_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are no nodes on a Mac."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NodeUnavailable, match="a node needs Linux"):
        packages.require()


@pytest.mark.skipif(os.geteuid() != 0, reason="is told of root first")
def test_packages_are_not_installed_unasked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without CI=true a missing package is told, with the command that installs it, and not installed."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(packages, "install", pytest.fail)
    with pytest.raises(NodeUnavailable, match="not installed: containerd, ") as told:
        packages.require(str(tmp_path))
    assert "make node-packages" in told.value.remedy


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_a_run_without_a_node_says_so_loudly(ci: str, code: int) -> None:
    """The summary of a test run names what was not tested and why; with CI=true the run fails."""
    program = (
        "import os, sys, pytest; os.geteuid = lambda: 1000;"
        " sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', 'tests/node/test_real_node.py']))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'functions'}:{REPOSITORY}", "CI": ci}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert "NOT TESTED: the real node is missing" in done.stdout, done.stdout + done.stderr
    assert "Reason: a node needs root" in done.stdout
    assert done.returncode == code


def test_only_what_is_missing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another maker's containerd stays, whose package Debian's would remove."""
    asked: list[list[str]] = []

    def apt_get(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", apt_get)
    packages.install(["host-local", "loopback", "ipset"])
    assert asked[1][-2:] == ["containernetworking-plugins", "ipset"]


@pytest.mark.parametrize(("failing", "refused"), [("update", False), ("install", True), ("update install", True)])
def test_what_apt_get_refuses_is_told(failing: str, refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages that cannot be had are told of; a list that cannot be had is none of them."""

    def apt_get(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        fails = any(word in command for word in failing.split())
        return subprocess.CompletedProcess(command, 100 * fails, "", "E: Unable to fetch\n" * fails)

    monkeypatch.setattr(subprocess, "run", apt_get)
    with pytest.raises(NodeUnavailable, match="apt-get install failed: E: Unable") if refused else nullcontext():
        packages.install(["runc"])


def test_a_machine_without_apt_get_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another distribution has no apt-get."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NodeUnavailable, match="has no apt-get"):
        packages.install(["runc"])
