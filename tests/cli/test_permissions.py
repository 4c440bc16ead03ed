"""The files that `scc-responder permissions` writes and compares, as `make check` and a person ask for it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.cli.commands import ROOT, run
from tests.pipeline.deployment import policy, write_policies

FILE = "terraform/permissions.json"
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
def test_drift(tree: Path, right: str, wrong: str, said: str) -> None:
    """An IAM permission too many or too few fails it: file and permission are named, and the command that mends it."""
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
    command = ["permissions", "--policies", write_policies(tree / "few", policy("label_pod")), "--iam", FILE]
    assert run(*command, "--check", cwd=tree).returncode == 1
    assert run(*command, cwd=tree).returncode == 0
    names = [need["permission"] for need in json.loads((tree / FILE).read_text())["iam"]]
    assert "storage.objects.create" not in names
    assert "datastore.entities.get" in names


@pytest.mark.parametrize("content", ["# A page\n", "[]", '{"other": 1}', "\xff"], ids=ascii)
def test_another_file(tree: Path, content: str) -> None:
    """What is no such list is wrong use, and is not written over."""
    other = tree / "other.json"
    other.write_text(content, encoding="latin-1")
    done = run("permissions", "--iam", "other.json", cwd=tree)
    assert (done.returncode, done.stdout) == (2, "")
    assert "other.json: it is no list of IAM permissions; name terraform/permissions.json" in done.stderr
    assert other.read_text(encoding="latin-1") == content
