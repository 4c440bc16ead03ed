"""terraform/docs/first-hour.md: a team's own policies, from the first command to the raised mode, as it is typed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.examples import ROOT, commands, fenced

BLOCKS = [one for one in fenced() if one.where.startswith("terraform/docs/first-hour.md:")]
LINES = [line for one in BLOCKS if one.kind == "sh" for line in commands(one.text)]
SHIPPED, RAILS = (one.text for one in BLOCKS if one.kind == "yaml")
OURS = "../our-policies/policies"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the product, for as much of it as the desk needs."""
    made = tmp_path_factory.mktemp("first-hour") / "scc-responder"
    made.mkdir()
    for name in ("functions", "tests", "terraform"):
        (made / name).symlink_to(ROOT / name)
    return made


def typed(clone: Path, line: str) -> subprocess.CompletedProcess[str]:
    """What a line of the page does in the clone."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "functions")}
    return subprocess.run(
        ["bash", "-euc", line], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )


def of_the_desk(word: str) -> list[str]:
    """The lines of the page that work on the team's own policies, and have this word in them."""
    return [line for line in LINES if "our-policies" in line and word in line]


def test_the_page_as_it_is_typed(clone: Path) -> None:
    """Begin, check and bundle; raise one shipped policy in one cluster; check, compare and bundle again."""
    begins, (bundles,), (simulates,) = of_the_desk(" init "), of_the_desk(" bundle "), of_the_desk(" simulate ")
    checks = list(dict.fromkeys(of_the_desk(" policy ")))
    assert [line.split()[2] for line in checks] == ["lint", "test", "prove"]
    for line in (*begins, *checks[:2]):
        done = typed(clone, line)
        assert done.returncode == 0, line + done.stdout + done.stderr
    first = typed(clone, bundles)
    assert first.returncode == 0, first.stderr
    made = {path.relative_to(clone / "dist").as_posix() for path in (clone / "dist").rglob("*")}
    assert {"scc-responder.zip", "permissions.json", "kubernetes/identity.yaml"} <= made

    policies = (clone / OURS).resolve()
    deployed = shutil.copytree(policies, clone.parent / "deployed" / "policies")
    shipped = policies / "shipped.yaml"
    shipped.write_text(f"{shipped.read_text().splitlines()[0]}\n{SHIPPED}")
    rails = policies / "guardrails.yaml"
    approvers = yaml.safe_load(RAILS)["approval"]["approvers"]
    text = rails.read_text()
    assert "  approvers: []\n" in text
    rails.write_text(text.replace("  approvers: []\n", f"  approvers: {approvers}\n".replace("'", "")))

    for line in checks:
        done = typed(clone, line)
        assert done.returncode == 0, line + done.stdout + done.stderr
    shutil.copy(ROOT / "tests" / "findings" / "reverse_shell.json", clone / "findings.json")
    simulated = typed(clone, simulates.replace("/tmp/deployed/policies", str(deployed)))
    assert simulated.returncode == 1, simulated.stderr
    assert "isolate-reverse-shell (approve)" in simulated.stdout
    assert typed(clone, bundles).stdout.split()[-1] != first.stdout.split()[-1]


def test_nothing_of_the_clone_is_edited() -> None:
    """No line and no sentence of the page has people change policies of the product's own clone."""
    page = (ROOT / "terraform" / "docs" / "first-hour.md").read_text()
    assert "make bundle" not in page
    assert [line for line in LINES if " policy " in line and "--policies ../our-policies/policies" not in line] == []
    assert "terraform/examples/project apply" in page
    applied = [line for line in LINES if " apply " in line and line.startswith("terraform ")]
    assert all("permissions=../../../dist/permissions.json" in line for line in applied)
