"""A shell completes commands, options and choices, by what each command declares; without the library it says so."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import COMMAND, called, environment, run

ASKED = "_ARGCOMPLETE"


def completed(line: str, folder: Path) -> list[str]:
    """What the program tells a shell whose line is this one, as argcomplete's own code for shells asks it."""
    told = folder / "told"
    subprocess.run(
        [*COMMAND],
        env=environment(
            **{ASKED: "1", "_ARGCOMPLETE_STDOUT_FILENAME": str(told), "_ARGCOMPLETE_IFS": "\n"},
            COMP_LINE=line,
            COMP_POINT=str(len(line)),
            COMP_TYPE="9",
        ),
        check=False,
        capture_output=True,
        timeout=60,
    )
    return [word.strip() for word in told.read_text().split("\n") if word]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("scc-responder sim", {"simulate"}),
        ("scc-responder case li", {"list"}),
        ("scc-responder case list --sta", {"--state"}),
        ("scc-responder case list --state wai", {"waiting"}),
        ("scc-responder case list --wa", {"--watch"}),
        ("scc-responder policy li", {"lint"}),
        ("scc-responder completion ", {"bash", "zsh", "fish"}),
        ("scc-responder nothing --", set()),
    ],
)
def test_each_word_is_completed(line: str, words: set[str], tmp_path: Path) -> None:
    """Commands within commands too, though each is read only when it is named."""
    assert words <= set(completed(line, tmp_path)) <= words | {"-h", "--help", "--version"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_the_code(shell: str) -> None:
    """It names the program; a shell that is here reads it without a complaint."""
    done = called("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "scc-responder" in done.stdout
    assert "_ARGCOMPLETE" in done.stdout
    if shutil.which(shell) and shell != "zsh":
        checked = subprocess.run([shell, "-n"], input=done.stdout, text=True, capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")


def test_bash_completes_a_line(tmp_path: Path) -> None:
    """By the very code that is printed, in a shell of its own."""
    program = tmp_path / "scc-responder"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m scc_responder.cli.main "$@"\n')
    program.chmod(0o755)
    script = (
        f'export PATH="{tmp_path}:$PATH"\n{called("completion", "bash").stdout}\n'
        'COMP_LINE="scc-responder case sh"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9\n'
        "COMP_WORDS=(scc-responder case sh); COMP_CWORD=2\n"
        "_python_argcomplete scc-responder sh case\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc"], input=script, text=True, env=environment(), capture_output=True, timeout=60, check=False
    )
    assert [word.strip() for word in done.stdout.splitlines()] == ["show"], done.stderr


def test_without_the_library_it_says_what_to_install(tmp_path: Path) -> None:
    """The product itself goes without it."""
    (tmp_path / "argcomplete.py").write_text("raise ImportError")
    path = f"{tmp_path}:{environment()['PYTHONPATH']}"
    done = run("completion", "bash", PYTHONPATH=path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'scc-responder[desk]'" in done.stderr
    assert run("--version", PYTHONPATH=path).returncode == 0
