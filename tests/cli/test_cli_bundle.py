"""`bundle`: the zip of the function, and what goes with it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.cli.commands import ROOT, called
from tests.kits.responder import policy, write_policies


def test_the_zip_and_what_goes_with_it(tmp_path: Path) -> None:
    """Of the shipped policies come the very files that the repository has for Terraform and for the clusters."""
    done = called("bundle", "--policies", PACK, "--out", tmp_path / "dist" / "f.zip")
    digest = hashlib.sha256((tmp_path / "dist" / "f.zip").read_bytes()).hexdigest()
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/dist/f.zip sha256 {digest}\n")
    terraform = ROOT / "terraform"
    assert (tmp_path / "dist" / "permissions.json").read_text() == (terraform / "permissions.json").read_text()
    made = {path.relative_to(tmp_path / "dist" / "kubernetes") for path in (tmp_path / "dist").rglob("*.yaml")}
    assert made == {path.relative_to(terraform / "kubernetes") for path in (terraform / "kubernetes").rglob("*.yaml")}
    for name in made:
        assert (tmp_path / "dist" / "kubernetes" / name).read_text() == (terraform / "kubernetes" / name).read_text()


def test_what_people_filled_in_stays(tmp_path: Path) -> None:
    """The identity is filled in once; roles follow the policies at each bundle."""
    few = write_policies(tmp_path / "policies", policy("label_pod"))
    asked = ("bundle", "--policies", few, "--out", tmp_path / "f.zip", "--format", "json")
    told = json.loads(called(*asked).stdout)
    identity, act = (Path(told["kubernetes"]) / name for name in ("identity.yaml", "act.yaml"))
    identity.write_text(identity.read_text().replace("EMAIL-FROM-TERRAFORM", "run@example.com"))
    assert "delete" not in act.read_text()
    write_policies(few, policy("delete_pod"))
    again = json.loads(called(*asked).stdout)
    assert again["sha256"] != told["sha256"]
    assert "run@example.com" in identity.read_text()
    assert "delete" in act.read_text()


def test_no_zip_of_policies_that_cannot_be_used(tmp_path: Path) -> None:
    """Nothing is written, and the mistake is told."""
    folder = write_policies(tmp_path / "policies", policy("label_pod").replace("mode: enforce", "mode: enforced"))
    done = called("bundle", "--policies", folder, "--out", tmp_path / "dist" / "f.zip")
    assert (done.returncode, (tmp_path / "dist").exists()) == (2, False)
    assert "mode" in done.stderr
    nothing = called("bundle", "--policies", tmp_path / "none", "--out", tmp_path / "dist" / "f.zip")
    assert (nothing.returncode, "there is no such folder" in nothing.stderr) == (2, True)


def test_no_zip_in_the_folder_of_policies(tmp_path: Path) -> None:
    """The manifests beside it would be read as policies by the next command."""
    folder = write_policies(tmp_path / "policies", policy("label_pod"))
    for place in (folder / "f.zip", folder / "dist" / "f.zip", folder / ".." / "policies" / "f.zip"):
        done = called("bundle", "--policies", folder, "--out", place)
        assert (done.returncode, "it lies in the folder of policies" in done.stderr) == (2, True)
    assert {path.suffix for path in folder.iterdir()} == {".yaml"}
