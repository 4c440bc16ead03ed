"""Every command of the page for cluster teams, by `kubectl` on the real API server."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scc_responder.workbench.doctor.collector_checks import EXCLUSION_FILTER
from tests.admission.installed import MODE
from tests.admission.kustomize import build, of_kind
from tests.cluster.control_plane import ControlPlane
from tests.docs.command_lines import mistakes
from tests.docs.examples import ROOT, commands, fenced
from tests.kits.as_shipped import policies_as_shipped
from tests.requirements import missing

LINES = [
    line for example in fenced() if example.where.startswith("terraform/kubernetes/") for line in commands(example.text)
]
OF_GOOGLE = [line for line in LINES if line.startswith("gcloud ")]
DEFAULT = "/api/v1/namespaces/default"


@pytest.fixture
def default(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """The cluster, whose namespace `default` is left without a mode."""
    if shutil.which("kubectl") is None:
        missing("kubectl", "it is not in PATH", "gcloud components install kubectl")
    yield control_plane
    control_plane.admin.patch(DEFAULT, {"metadata": {"annotations": {MODE: None}}})


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """As much of the repository as the commands look at, to change."""
    made = tmp_path / "tree"
    policies_as_shipped(made)
    shutil.copytree(ROOT / "terraform" / "kubernetes", made / "terraform" / "kubernetes")
    shutil.copy(ROOT / "terraform" / "permissions.json", made / "terraform")
    return made


def contents(tree: Path) -> dict[Path, bytes]:
    """Every file of it that is kept."""
    return {path: path.read_bytes() for path in tree.rglob("*.*") if path.is_file() and path.suffix != ".bak"}


def run(line: str, plane: ControlPlane, tree: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as a cluster administrator, from the top of the tree."""
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": here, "KUBECONFIG": str(plane.kubeconfig), "HOME": str(tree.parent)}
    environment["PYTHONPATH"] = str(ROOT / "functions")
    return subprocess.run(shlex.split(line), cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("line", OF_GOOGLE)
def test_googles_command_is_one(line: str) -> None:
    """It cannot be run here: command and options are there, and what it excludes is what `doctor` looks for."""
    assert list(mistakes(line)) == []
    assert f"--add-exclusion=name=scc-responder,filter={EXCLUSION_FILTER}" in shlex.split(line)


@pytest.mark.parametrize("line", [line for line in LINES if line not in OF_GOOGLE])
def test_each_command_of_the_readme_works(default: ControlPlane, line: str, tree: Path) -> None:
    """Each ends with 0. What is to be applied is only rehearsed here: it is for the cluster of other tests too."""
    before = contents(tree)
    done = run(f"{line} --dry-run=server" if " apply " in line else line, default, tree)
    assert done.returncode == 0, done.stderr
    if "annotate" in line:
        mode = line.partition(f"{MODE}=")[2].split()[0]
        assert default.admin.get(DEFAULT)["metadata"]["annotations"][MODE] == mode
    changed = {path.name for path, content in contents(tree).items() if before.get(path) != content}
    assert changed == ({Path(line.rpartition(" ")[2]).name} if line.startswith("sed ") else set())


RESPONDER = {"scc-responder-run@example-project.iam.gserviceaccount.com", "123456789012345678901"}
UNDO = {"scc-responder-undo@example-project.iam.gserviceaccount.com", "123456789012345678902"}


@pytest.mark.parametrize(("part", "names"), [("", RESPONDER), ("/undo", UNDO)], ids=["responder", "undo"])
def test_the_identity_is_filled_in(default: ControlPlane, tree: Path, part: str, names: set[str]) -> None:
    """After the page's command both names stand wherever the identity is named, and kustomize makes the same of it."""
    place = f"terraform/kubernetes{part}"
    folder = tree / place
    (line,) = (line for line in LINES if line.startswith("sed ") and line.endswith(f"{place}/identity.yaml"))
    run(line, default, tree)
    built = build(folder=folder)
    assert "FROM-TERRAFORM" not in yaml.safe_dump_all(built)
    assert {subject["name"] for one in of_kind(built, "ClusterRoleBinding") for subject in one["subjects"]} == names
    made = run(f"kubectl kustomize {place}", default, tree).stdout
    assert "FROM-TERRAFORM" not in made
    assert all(name in made for name in names)


@pytest.mark.parametrize("part", ["", "/undo"], ids=["responder", "undo"])
def test_the_image_is_filled_in(default: ControlPlane, tree: Path, part: str) -> None:
    """After the page's command the admission policy names the image, beside the one that no image can be."""
    place = f"terraform/kubernetes{part}"
    (line,) = (line for line in LINES if line.startswith("sed ") and line.endswith(f"{place}/forensic/collector.yaml"))
    run(line, default, tree)
    file = tree / place / "kustomization.yaml"
    file.write_text(file.read_text().replace("# components:", "components:").replace("#   - forensic", "  - forensic"))
    made = [*yaml.safe_load_all(run(f"kubectl kustomize {place}", default, tree).stdout)]
    built = build(components=["forensic"], folder=file.parent)
    image = "europe-docker.pkg.dev/example-project/tools/collector@sha256:DIGEST"
    assert sorted(made, key=_name) == sorted(built, key=_name)
    assert [_images(manifests) for manifests in (made, built)] == [f"['{image}', 'COLLECTOR-IMAGE-BEFORE']"] * 2


def _name(item: dict[str, Any]) -> tuple[str, str]:
    return item["kind"], item["metadata"]["name"]


def _images(manifests: Iterable[dict[str, Any]]) -> str:
    policy = of_kind(manifests, "ValidatingAdmissionPolicy")[0]
    return str(next(v["expression"] for v in policy["spec"]["variables"] if v["name"] == "collectorImages"))


def test_commands_are_found() -> None:
    """The page is really searched, and says how to turn it on and how to pause it."""
    assert {line.rpartition(f"{MODE}=")[2].split()[0] for line in LINES if MODE in line} == {
        "dry_run",
        "enforce",
        "disabled",
    }
