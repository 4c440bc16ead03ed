"""Every command of the page for cluster teams, by `kubectl` on the real API server."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admission.installed import MODE
from tests.admission.kustomize import FOLDER
from tests.cluster.control_plane import ControlPlane
from tests.docs.examples import ROOT, commands, fenced
from tests.requirements import missing

LINES = [
    line for example in fenced() if example.where.startswith("terraform/kubernetes/") for line in commands(example.text)
]
DEFAULT = "/api/v1/namespaces/default"


@pytest.fixture
def default(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """The cluster, whose namespace `default` is left without a mode."""
    if shutil.which("kubectl") is None:
        missing("kubectl", "it is not in PATH", "gcloud components install kubectl")
    yield control_plane
    control_plane.admin.patch(DEFAULT, {"metadata": {"annotations": {MODE: None}}})


def run(line: str, plane: ControlPlane, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as a cluster administrator, from the top of the repository."""
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": here, "KUBECONFIG": str(plane.kubeconfig), "HOME": str(home)}
    environment["PYTHONPATH"] = str(ROOT / "functions")
    return subprocess.run(shlex.split(line), cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("line", LINES)
def test_commands(default: ControlPlane, line: str, tmp_path: Path) -> None:
    """Each ends with 0. What is to be applied is only rehearsed here: it is for the cluster of other tests too."""
    before = {path: path.read_bytes() for path in FOLDER.rglob("*.yaml")}
    done = run(f"{line} --dry-run=server" if " apply " in line else line, default, tmp_path)
    assert done.returncode == 0, done.stderr
    if "annotate" in line:
        mode = line.partition(f"{MODE}=")[2].split()[0]
        assert default.admin.get(DEFAULT)["metadata"]["annotations"][MODE] == mode
    assert {path: path.read_bytes() for path in FOLDER.rglob("*.yaml")} == before


def test_commands_are_found() -> None:
    """The page is really searched, and says how to turn it on and how to pause it."""
    assert {line.rpartition(f"{MODE}=")[2].split()[0] for line in LINES if MODE in line} == {
        "dry_run",
        "enforce",
        "disabled",
    }
