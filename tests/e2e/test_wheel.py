"""The wheel alone, in an empty folder: a team's own repository of policies, from its first file to the zip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from scc_responder import __version__
from scc_responder.policy.policy_set import policy_paths
from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.docs.examples import ROOT, fenced
from tests.requirements import NOTE

UV = [sys.executable, "-m", "uv", "pip", "install", "-q"]
RAISED = (
    "  modes:\n"
    "    isolate-reverse-shell:\n      - {mode: enforce, clusters: [prod-1]}\n"
    "    isolate-key-theft:\n      - {mode: enforce, clusters: [prod-*], share: 5%}\n"
)


def succeed(command: list[str], **given: str) -> str:
    """What a command prints; it ends with 0."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        command, cwd=given.get("cwd", "/"), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as `make wheel` makes it."""
    folder = tmp_path_factory.mktemp("wheel")
    succeed(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)], cwd=str(ROOT)
    )
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The command line in a fresh environment: hash-pinned requirements, from the cache where it has them, and it."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    python = str(folder / "bin" / "python")
    succeed([sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(folder)])
    pinned = [*UV, "--python", python, "--require-hashes", "-r", str(ROOT / "functions" / "requirements.txt")]
    if subprocess.run([*pinned, "--offline"], check=False, capture_output=True).returncode:
        succeed(pinned)
    succeed([*UV, "--python", python, "--no-deps", "--offline", str(wheel)])
    yield str(folder / "bin" / "scc-responder")
    shutil.rmtree(folder)


def test_the_wheel_carries_what_a_repository_needs(wheel: Path) -> None:
    """The shipped policies with their cases, findings of the catalogue, manifests, and what the zip is made of."""
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    pack = {f"scc_responder/pack/{path.name}" for path in PACK.glob("*.yaml")}
    findings = {
        path.relative_to(ROOT / "tests") for path in (ROOT / "tests" / "findings" / "catalogue").rglob("*.json")
    }
    assert pack <= names
    assert {f"scc_responder/carried/{name}" for name in findings} <= names
    carried = {"main.py", "local_main.py", "requirements.txt", "kubernetes/admission.yaml"}
    assert {f"scc_responder/carried/{name}" for name in carried} <= names
    assert {name.partition("/")[0] for name in names} == {"scc_responder", f"scc_responder-{__version__}.dist-info"}


def test_from_an_empty_folder_to_the_zip(program: str, tmp_path: Path, record_property: pytest.RecordProperty) -> None:
    """Init, raise a shipped policy in one cluster, add the first example of the page, check, simulate, bundle."""
    began = time.monotonic()
    ours = tmp_path / "ours"
    assert f"wrote {ours}/policies/shipped.yaml" in succeed([program, "init", str(ours)])
    here = {"cwd": str(ours)}
    shipped = ours / "policies" / "shipped.yaml"
    shipped.write_text(shipped.read_text().replace("  modes: {}\n", RAISED))
    for name, opening in (("isolate-web-shell.yaml", "name: "), ("isolate-web-shell.test.yaml", "policy: ")):
        shown = (block.text for block in fenced() if block.where.startswith("policies/README.md:"))
        text = next(text for text in shown if f"{opening}isolate-web-shell\n" in text)
        (ours / "policies" / name).write_text(text)

    assert succeed([program, "policy", "lint", "--strict"], **here) == "2 policies, 0 errors, 0 warnings\n"
    assert "\nok    isolate-web-shell" in f"\n{succeed([program, 'policy', 'test'], **here)}"
    proof = succeed([program, "policy", "prove"], **here)
    assert f"{len(policy_paths(PACK)) + 2} policies" in proof
    assert "0 shown that must be looked at" in proof
    told = succeed([program, "simulate", "--catalogue", "--assume-present"], **here)
    assert "isolate-reverse-shell (enforce)" in told
    printed = succeed([program, "bundle"], **here)
    took = time.monotonic() - began

    made = {path.relative_to(ours / "dist").as_posix() for path in (ours / "dist").rglob("*") if path.is_file()}
    assert {"scc-responder.zip", "permissions.json", "kubernetes/act.yaml", "kubernetes/identity.yaml"} <= made
    in_clone = [sys.executable, "-m", "scc_responder.cli.main", "bundle", "--out", str(tmp_path / "clone.zip")]
    path = {**os.environ, "PYTHONPATH": str(ROOT / "functions")}
    of_clone = subprocess.run(in_clone, cwd=ours, env=path, check=True, capture_output=True, text=True).stdout
    assert printed.split()[-1] == of_clone.split()[-1]
    assert (ours / "dist" / "scc-responder.zip").read_bytes() == (tmp_path / "clone.zip").read_bytes()
    assert (ours / "dist" / "permissions.json").read_bytes() == (tmp_path / "permissions.json").read_bytes()
    record_property(NOTE, f"With the wheel alone, from an empty folder to the zip: {took:.1f} s.")
