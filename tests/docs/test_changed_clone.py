"""Whoever clones the repository may change `policies/`: the product's own checks and tests stay as they were."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.counts import Cases
from tests.docs.examples import ROOT, fenced

LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "dist", ".terraform", "__pycache__", ".*_cache", ".hypothesis")
COVERAGE = "tests/cli/policy/test_coverage.py"
FEW = ("tests/test_pack.py", "tests/test_policies.py", "tests/docs/test_reference.py", COVERAGE)
ALL = (*FEW, "tests/docs", "tests/cli", "tests/findings", "tests/policy", "tests/workbench", "tests/shape")
TESTS = Cases("places of tests in a clone whose policies are changed", FEW, ALL)
MAKEFILE = (ROOT / "Makefile").read_text()
(PACK_LINE,) = re.finditer(r"^PACK := (.*)$", MAKEFILE, re.MULTILINE)
CHECKS = re.findall(r"^\t\$\(BIN\)/scc-responder ((?:policy|permissions) .*)$", MAKEFILE, re.MULTILINE)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which one policy is raised, one edited, one removed, and the README's first example added."""
    folder = tmp_path_factory.mktemp("clone") / "clone"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    policies = folder / "policies"
    change(policies / "isolate-reverse-shell.yaml", "\nmode: dry_run\n", "\nmode: approve\n")
    change(policies / "mark-added-library.yaml", "  - action: annotate_pod\n", "")
    change(policies / "guardrails.yaml", "  approvers: []\n", "  approvers: [oncall@example.com]\n")
    (policies / "report-node-rootkit.yaml").unlink()
    for name, opening in (("isolate-web-shell.yaml", "name: "), ("isolate-web-shell.test.yaml", "policy: ")):
        shown = (block.text for block in fenced() if block.where.startswith("policies/README.md:"))
        (policies / name).write_text(next(text for text in shown if f"{opening}isolate-web-shell\n" in text))
    return folder


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def in_clone(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{clone / 'functions'}{os.pathsep}{clone}"}
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("line", CHECKS)
def test_make_check_stays_green(clone: Path, line: str) -> None:
    """Each command of `make check` looks at the policies as they were shipped."""
    words = line.replace("$(PACK)", PACK_LINE[1]).partition(" > ")[0].split()
    done = in_clone(clone, "scc_responder.cli.main", *words)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_make_test_stays_green(clone: Path) -> None:
    """The tests that are about shipped policies ask those that were shipped."""
    own = str(Path(__file__).relative_to(ROOT))
    done = in_clone(clone, "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS.chosen, "--ignore", own)
    assert done.returncode == 0, done.stdout[-3000:]


def test_their_own_checks_see_the_change(clone: Path) -> None:
    """The commands without `--policies` look at what somebody made of `policies/`, and so does the zip."""
    told = in_clone(clone, "scc_responder.cli.main", "policy", "test", "isolate-web-shell").stdout
    assert "isolate-web-shell" in told
    made = in_clone(clone, "scc_responder.cli.main", "bundle", "--out", "f.zip")
    shipped = in_clone(clone, "scc_responder.cli.main", "bundle", "--policies", "functions/scc_responder/pack")
    assert (made.returncode, shipped.returncode) == (0, 0), made.stderr
    assert made.stdout.split()[-1] != shipped.stdout.split()[-1]
