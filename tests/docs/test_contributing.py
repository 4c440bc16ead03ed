"""What a contributor meets first: CONTRIBUTING.md and its loop, the changelog, hooks, the workflow and the forms."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.command_lines import mistakes
from tests.docs.examples import ROOT, commands, fenced, run

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKEFILE = (ROOT / "Makefile").read_text()
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
FIELDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}
CHANGES = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
each_form = pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)


def recipe(*arguments: str) -> str:
    """The commands that `make test` would run."""
    asked = ["make", "--dry-run", "--always-make", "--no-print-directory", "test", *arguments]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_make_test_with_a_path_builds_nothing() -> None:
    """With a path, `make test` runs the tests of that path alone, after the environment is there."""
    lines = recipe("T=tests/docs/test_install.py").splitlines()
    assert lines[-1] == ".venv/bin/pytest tests/docs/test_install.py"
    assert [line for line in lines if "bundle" in line or "-m tests." in line] == []


def test_make_test_without_a_path_runs_everything() -> None:
    """Without one, it builds the zip and the cluster, and runs all tests."""
    lines = recipe().splitlines()
    assert [word for word in ("scc-responder bundle", "tests.cluster.binaries") if word not in "\n".join(lines)] == []
    first, *rest = [line.split() for line in lines if "/pytest" in line]
    left_out = [path for option, path in pairwise(first) if option in {"--ignore", "--deselect"}]
    run = [path for words in rest for path in words if path.startswith("tests/")]
    assert sorted(left_out) == sorted(run)
    assert [path for path in run if not (ROOT / path.partition("::")[0]).exists()] == []
    assert {"tests/e2e", "tests/node"} < set(run)


def test_make_test_with_a_path_ends_as_the_tests_do(tmp_path: Path) -> None:
    """It runs the tests that the path holds, and its status is theirs."""
    (tmp_path / "test_two.py").write_text("def test_true():\n    pass\n\n\ndef test_false():\n    raise ValueError\n")
    asked = ["make", "-o", ".venv/ready", "test", f"BIN={Path(sys.executable).parent}"]
    ends = {}
    for name in ("test_true", "test_false"):
        path = f"T={tmp_path}/test_two.py::{name}"
        ends[name] = subprocess.run([*asked, path], cwd=ROOT, capture_output=True, check=False)
    assert {name: done.returncode == 0 for name, done in ends.items()} == {"test_true": True, "test_false": False}
    assert b"1 passed" in ends["test_true"].stdout
    assert b"1 failed" in ends["test_false"].stdout


def test_the_loop_is_shown_before_the_whole_suite() -> None:
    """CONTRIBUTING.md shows how to set up, then the loop for one module, then everything."""
    shown = [line for block in fenced() if block.where.startswith("CONTRIBUTING.md:") for line in commands(block.text)]
    order = ["make install", "make demo", next(line for line in shown if "T=" in line), "make check", "make test"]
    assert [line for line in shown if line in order] == order


def test_the_changelog_keeps_its_form() -> None:
    """The unreleased changes come first, then releases down to the package's version, each with known headings."""
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert PROJECT["version"] in versions
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= CHANGES


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "SECURITY.md"])
def test_reports_are_sent_to_no_address(page: str) -> None:
    """Reports go through GitHub: no page names an e-mail address that nobody may read."""
    assert re.findall(r"[\w.+-]+@[\w-]+\.\w+", (ROOT / page).read_text()) == []


def test_hooks_are_local_and_part_of_make_check() -> None:
    """Hooks download nothing: each is a command of `make check`, as it stands there."""
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert len({hook["id"] for hook in hooks}) == len(hooks) == 5
    checks = MAKEFILE.partition("\ncheck:")[2].partition("\n\n")[0].replace("$(BIN)", ".venv/bin")
    assert [hook["entry"] for hook in hooks if f"\t{hook['entry']}\n" not in checks] == []


def test_the_workflow_runs_what_ci_runs() -> None:
    """The workflow runs `.ci/run`, as root, with Python versions that the package takes, and may only read."""
    workflow = yaml.safe_load(WORKFLOW.read_text())
    (job,) = workflow["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == ['sudo --preserve-env env "PATH=$PATH" .ci/run']
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert workflow["permissions"] == {"contents": "read"}
    assert PROJECT["requires-python"] == ">=3.11,<3.15"
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.14"]


CROWDED = """
from pathlib import Path

def test_it():
    failed = {fails}
    Path("ran").touch()
    assert not failed
"""


@pytest.mark.parametrize(
    ("fails", "more", "code"),
    [("not Path('ran').exists()", ["AGAIN=1"], 0), ("not Path('ran').exists()", [], 2), ("True", ["AGAIN=1"], 2)],
    ids=["once", "once, and nothing is run twice", "always"],
)
def test_what_fails_beside_others_runs_once_more_in_ci(tmp_path: Path, fails: str, more: list[str], code: int) -> None:
    """It is named, alone; what fails again ends the run. Without AGAIN=1 the first failure counts."""
    used = re.findall(r"^(?:ONCE_MORE|BIN) .*$", MAKEFILE, re.MULTILINE)
    (tmp_path / "test_one.py").write_text(CROWDED.format(fails=fails))
    (tmp_path / "Makefile").write_text("\n".join([*used, "test:", "\t$(BIN)/pytest test_one.py $(ONCE_MORE)", ""]))
    (tmp_path / ".venv").symlink_to(sys.prefix)
    done = subprocess.run(["make", "test", *more], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
    assert ("test_one.py::test_it" in done.stdout.partition("Once more")[2]) is bool(more)
    assert MAKEFILE.count(" $(ONCE_MORE)\n") == MAKEFILE.count(
        "/pytest ", MAKEFILE.index("\nelse\n"), MAKEFILE.index("\nendif\n")
    )


def test_each_used_workflow_action_says_its_pin() -> None:
    """What the workflow uses is pinned to a commit with its version beside it, or says that it is not."""
    used = re.findall(r"uses: (.*)", WORKFLOW.read_text())
    pinned = re.compile(r"[\w/-]+@(?:[0-9a-f]{40} # v\d+\.\d+\.\d+|v\d+ # not pinned)")
    assert [line for line in used if not pinned.fullmatch(line)] == []
    assert len(used) >= 2


@each_form
def test_each_issue_form_is_valid(form: Path) -> None:
    """Each form has what GitHub asks of one: known kinds of fields, each with its own id and a label."""
    content: dict[str, Any] = yaml.safe_load(form.read_text())
    assert content.keys() == {"name", "description", "labels", "body"}
    asked = [field for field in content["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in content["body"]} <= FIELDS
    assert len({field["id"] for field in asked}) == len(asked) > 2
    assert all(field["attributes"]["label"] for field in asked)
    assert [field["id"] for field in asked if field["type"] == "dropdown" and not field["attributes"]["options"]] == []
    assert any(field.get("validations", {}).get("required") for field in asked)


def test_the_issue_forms_are_these() -> None:
    """A bug, a feature and a wrong decision have a form each; other issues may be free text."""
    assert [path.stem for path in FORMS] == ["bug", "feature", "wrong-decision"]
    assert yaml.safe_load((FORMS[0].parent / "config.yml").read_text()) == {"blank_issues_enabled": True}


IN_SENTENCES = [*FORMS, *ROOT.glob("[A-Z]*.md"), *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("path", IN_SENTENCES, ids=lambda path: path.stem)
def test_commands_in_sentences_exist(path: Path) -> None:
    """Each command of ours that a sentence or a form names is one that its parser takes, or one of its names."""
    for command in re.findall(r"`(scc-responder [^`]+)`", path.read_text()):
        if re.search(r" --| [A-Z]+\b|\.json", command):
            assert list(mistakes(command)) == []
        else:
            assert run(f"{command} --help", ROOT).returncode == 0


@each_form
def test_files_that_a_form_names_exist(form: Path) -> None:
    """Each page and folder that a form names is there."""
    named = re.findall(r"\b(?:tests/[\w/]+|policies/[\w./]+|terraform/[\w/.-]+\.md|[A-Z]+\.md)", form.read_text())
    assert [name for name in named if not (ROOT / name.rstrip(".")).exists()] == []
