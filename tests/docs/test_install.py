"""Whoever follows a page has the command line that it shows: two lines make it and put it on the `PATH`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.examples import ON_PATH, ROOT, commands, fenced

LINES = ["make install", ON_PATH]
PAGES = (
    "README.md",
    "docs/local.md",
    "terraform/README.md",
    "terraform/docs/first-hour.md",
    "terraform/docs/on-call.md",
)


@pytest.mark.parametrize("page", PAGES)
def test_starting_pages_show_both_lines_first(page: str) -> None:
    """Each page where somebody starts shows the two lines, before it shows a command of ours."""
    blocks = [example for example in fenced() if example.where.startswith(f"{page}:") and example.kind == "sh"]
    shown = [line for example in blocks for line in commands(example.text)]
    at = shown.index(LINES[0])

    assert shown[at : at + 2] == LINES
    assert [line for line in shown[:at] if line.startswith("scc-responder")] == []


def in_clone(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script where only the system's programs are on the `PATH`, in a folder with this environment as `.venv`."""
    (folder / ".venv").symlink_to(sys.prefix)
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "")}
    return subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_second_line_finds_the_command(tmp_path: Path) -> None:
    """With the second line the command is found, and works."""
    done = in_clone(tmp_path, f"{ON_PATH}\ncommand -v scc-responder\nscc-responder --help")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{tmp_path}/.venv/bin/scc-responder\nusage: scc-responder")


def test_not_on_path_without(tmp_path: Path) -> None:
    """Without it, the command is not found: the test above could fail."""
    assert in_clone(tmp_path, "scc-responder --help").returncode == 127


def test_the_first_line_installs_the_package() -> None:
    """The first line installs this package, whose entry point the command is, into `.venv`."""
    told = subprocess.run(
        ["make", "--dry-run", "--always-make", "install"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert "-m venv .venv" in told
    assert ".venv/bin/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e ." in told
    assert 'scc-responder = "scc_responder.cli.main:main"' in (ROOT / "pyproject.toml").read_text()
