"""What all commands share: help, errors and exit statuses."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scc_responder.cli.main import COMMANDS, main
from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.cli.commands import COMMAND, ROOT, environment, run

LIST_MODULES = """
import json, sys
from scc_responder.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)))
"""


def modules_after(*arguments: str) -> set[str]:
    """What is imported once a command has printed its help."""
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, *arguments], env=environment(), capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The help names every command and what it is for."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    for name, line in COMMANDS.items():
        assert f"\n    {name}" in shown
        assert line in shown


def test_help_is_cheap() -> None:
    """The help imports no command and nothing that a command needs."""
    imported = modules_after("--help")
    assert {name for name in imported if name.startswith("scc_responder.cli.")} == {
        "scc_responder.cli.main",
        "scc_responder.cli.terminal",
        "scc_responder.cli.terminal.late_parser",
        "scc_responder.cli.terminal.terminal",
    }
    assert imported.isdisjoint({"yaml", "msgspec", "kubernetes", "flask", "google.api_core"})


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_only_its_own(command: str) -> None:
    """A command's help imports no other command's module, and no client of a cloud."""
    imported = modules_after(command, "--help")
    others = {f"scc_responder.cli.{name}" for name in COMMANDS} - {f"scc_responder.cli.{command}"}
    # The demonstration starts the function as `serve` does.
    assert imported & others <= ({"scc_responder.cli.serve"} if command == "demo" else set())
    assert imported.isdisjoint({"kubernetes", "flask", "google.api_core", "grpc", "obstore"})


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_its_own_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command has a help of its own, with the description that stands in its module."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    shown = capsys.readouterr().out
    module = importlib.import_module(f"scc_responder.cli.{command}")
    assert ended.value.code == 0
    assert (module.__doc__ or "-").splitlines()[0] in shown
    assert "(default: None)" not in shown
    assert "(default: False)" not in shown


def test_defaults_in_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The help says what an option is where it is not given."""
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    assert "folder of policies (default: policies)" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["contain"],
        ["--frobnicate"],
        ["explain"],
        ["explain", "a.json", "--format", "xml"],
        ["demo", "--port", "x"],
        ["serve", "--port", "99999999"],
    ],
    ids=[
        "nothing",
        "unknown-command",
        "unknown-option",
        "no-finding",
        "unknown-format",
        "port-is-no-number",
        "port-out-of-range",
    ],
)
def test_wrong_use_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong use ends with 2, and the usage goes to the standard error alone."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    shown = capsys.readouterr()
    assert ended.value.code == 2
    assert shown.out == ""
    assert "usage: scc-responder" in shown.err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is printed."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("scc-responder ")


def test_error_that_is_foreseen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be used ends with 2 and one message that names it, without a traceback."""
    assert main(["explain", str(tmp_path / "none.json"), "--policies", str(PACK)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"scc-responder: {tmp_path / 'none.json'}: No such file or directory\n"


def test_error_with_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that would steer the terminal is shown, not obeyed, in an error too."""
    assert main(["explain", "a.json", "--policies", "\x1b[2Jpolicies"]) == 2
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert "\\u001b[2Jpolicies" in shown


@pytest.mark.parametrize("command", [["threats"], ["policy", "schema", "policy"], ["permissions"]], ids=" ".join)
def test_a_full_disk(command: list[str]) -> None:
    """Output that cannot be written is a problem and told in one line, however short the output is."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *command],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd=ROOT,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "scc-responder: [Errno 28] No space left on device\n"


def test_a_reader_that_left() -> None:
    """A pipe whose reader has gone, as `head` does, is no reason to complain."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "threats"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_as_a_program() -> None:
    """The module runs as a program and its exit status is the command's."""
    assert run("--version").returncode == 0
    assert run("explain", "none.json").returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        ("control", "set", "enforce", "--reason", "r", "--cluster", ""),
        ("control", "set", "enforce", "--reason", "r", "--cluster="),
        ("breaker", "reset", "--reason", "r", "--scope", ""),
        ("case", "show", ""),
    ],
    ids=["place", "place-with-equals-sign", "scope", "case"],
)
def test_an_empty_value_is_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A variable that is not set must not widen a command to all clusters, all scopes, or the only case there is."""
    assert main([*words, "--store", str(tmp_path / "journal.db")]) == 2
    shown = capsys.readouterr()
    assert (shown.out, "it is empty" in shown.err, list(tmp_path.iterdir())) == ("", True, [])


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_letters_that_a_terminal_lacks_are_shown_by_number(encoding: str, tmp_path: Path) -> None:
    """In a locale without the letters of a name a command says all that it says elsewhere."""
    beside = {"PYTHONIOENCODING": encoding}
    missing = tmp_path / "\u65e5\u672c"
    done = subprocess.run(
        [*COMMAND, "policy", "lint", str(missing)], env=environment() | beside, capture_output=True, check=False
    )
    assert (done.returncode, b"\\u65e5\\u672c: there is no such file" in done.stderr) == (2, True)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "guardrails.yaml").write_text("protected: {\u65e5: []}")
    lint = [*COMMAND, "policy", "lint", "--policies", str(tmp_path / "policies")]
    done = subprocess.run(lint, env=environment() | beside, capture_output=True, check=False)
    assert (done.returncode, b"protected['\\u65e5']: unknown field" in done.stdout) == (1, True)
