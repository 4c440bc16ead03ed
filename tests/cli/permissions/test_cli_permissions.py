"""The files that `scc-responder permissions` writes and compares, as `make check` and a person ask for it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import ROOT, run
from tests.kits.responder import policy, write_policies

FILE, FOLDER = "terraform/permissions.json", "terraform/kubernetes"
CHECK = shlex.split(
    next(
        iter(re.findall(r"^\t\$\(BIN\)/scc-responder (permissions .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    )
)
WRITE = [word for word in CHECK if word != "--check"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """As much of the repository as the command looks at, to change."""
    for name in ("policies", "terraform/kubernetes"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / FILE, tmp_path / FILE)
    return tmp_path


def test_nothing_has_drifted(tree: Path) -> None:
    """The line of `make check` compares the roles, the lists and the IAM permissions that are shipped."""
    done = run(*CHECK, cwd=tree)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


MORE = (
    '{\n      "permission": "datastore.entities.delete"\n    },\n    {\n      "permission": "datastore.entities.create"'
)
DRIFTS = [
    pytest.param(
        '{\n      "permission": "datastore.entities.create"',
        MORE,
        '-      "permission": "datastore.entities.delete"',
        id="more",
    ),
    pytest.param(
        '{\n      "permission": "datastore.entities.get"\n    },\n    ',
        "",
        '+      "permission": "datastore.entities.get"',
        id="less",
    ),
    pytest.param("gkehub.gateway.get", "gkehub.gateway.put", '-      "permission": "gkehub.gateway.put"', id="gateway"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), DRIFTS)
def test_a_drifted_iam_file_is_named(tree: Path, right: str, wrong: str, said: str) -> None:
    """An IAM permission too many or too few fails it: file and permission are named, and the command that fixes it."""
    path = tree / FILE
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    done = run(*CHECK, cwd=tree)
    assert done.returncode == 1
    assert f"--- {FILE}" in done.stdout
    assert said in done.stdout.splitlines()
    assert shlex.join(["scc-responder", *WRITE]) in done.stderr
    assert path.read_text() != text
    written = run(*WRITE, cwd=tree)
    assert (written.returncode, written.stderr) == (0, f"wrote {FILE}\n")
    assert path.read_text() == text


def test_it_follows_from_the_policies(tree: Path) -> None:
    """Where no policy keeps evidence, the permission to write it is gone."""
    few = write_policies(tree / "few", policy("label_pod"))
    command = ["permissions", "--policies", str(few), "--iam", FILE]
    done = run(*command, "--check", cwd=tree)
    assert (done.returncode, shlex.join(command) in done.stderr) == (1, True)
    assert run(*command, cwd=tree).returncode == 0
    names = [need["permission"] for need in json.loads((tree / FILE).read_text())["iam"]]
    assert "storage.objects.create" not in names
    assert "datastore.entities.get" in names


@pytest.mark.parametrize("content", ["# A page\n", "[]", '{"other": 1}', "\xff"], ids=ascii)
def test_another_file_is_not_overwritten(tree: Path, content: str) -> None:
    """What is no such list is wrong use, and is not written over."""
    other = tree / "other.json"
    other.write_text(content, encoding="latin-1")
    done = run("permissions", "--iam", "other.json", cwd=tree)
    assert (done.returncode, done.stdout) == (2, "")
    assert "other.json: it is no list of IAM permissions; name terraform/permissions.json" in done.stderr
    assert other.read_text(encoding="latin-1") == content


IGNORED = [
    pytest.param(["--check"], "--check has no effect here: give it with --kustomization DIR or --iam FILE", id="check"),
    pytest.param(["--check", "--format", "json"], "--check has no effect", id="check-json"),
    pytest.param(["--user", "x"], "--user has no effect here: give it with --format rbac", id="user"),
    pytest.param(["--user", "x", "--format", "iam"], "--user has no effect", id="user-iam"),
    pytest.param(["--name", "x"], "--name has no effect here: give it with --format rbac", id="name"),
    pytest.param(["--connect-gateway"], "give it with --format iam", id="gateway"),
    pytest.param(["--iam", FILE, "--format", "rbac"], "--format rbac has no effect", id="file-rbac"),
    pytest.param(["--kustomization", FOLDER, "--format", "iam"], "--format iam has no effect", id="folder-iam"),
    pytest.param(["--kustomization", FOLDER, "--user", "x"], "--user has no effect", id="folder-user"),
]


@pytest.mark.parametrize(("options", "said"), IGNORED)
def test_what_would_be_ignored(tree: Path, options: list[str], said: str) -> None:
    """An option that would do nothing is wrong use: a check in CI that checks nothing must not pass."""
    done = run("permissions", *options, cwd=tree)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def documented(*arguments: str, cwd: Path, status: int = 0) -> dict[str, dict[str, Any]]:
    """What one JSON document says of each file."""
    done = run(*arguments, "--format", "json", cwd=cwd)
    assert done.returncode == status
    return {one["file"]: one for one in json.loads(done.stdout)["files"]}


def test_json_says_what_became_of_each_file(tree: Path) -> None:
    """One document says what came of each file: the same, different and how, or written."""
    files = documented(*CHECK, cwd=tree)
    assert files.keys() >= {FILE, f"{FOLDER}/act.yaml", f"{FOLDER}/admission.yaml"}
    assert {one["result"] for one in files.values()} == {"same"}
    act = tree / FOLDER / "act.yaml"
    act.write_text(act.read_text().replace("[patch, delete]", "[patch]"))
    differing = documented(*CHECK, cwd=tree, status=1)
    assert {name for name, one in differing.items() if one["result"] == "differs"} == {f"{FOLDER}/act.yaml"}
    assert "+  verbs: [patch, delete]" in differing[f"{FOLDER}/act.yaml"]["difference"]
    written = documented(*WRITE, cwd=tree)
    assert {name for name, one in written.items() if one["result"] == "written"} == {f"{FOLDER}/act.yaml"}
    assert documented(*CHECK, cwd=tree) == files
