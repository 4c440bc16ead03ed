"""`policy`: each command below it is a module beside it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest

from scc_responder.cli import policy
from scc_responder.cli.main import main
from tests.cli.commands import environment


def test_each_module_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Named and described by its docstring, of which the first line is its line of help."""
    parser = argparse.ArgumentParser()
    policy.add_options(parser)
    shown = " ".join(parser.format_help().split())
    assert set(policy.POLICY_COMMANDS) == {one.name for one in iter_modules(policy.__path__) if not one.ispkg}
    for command, line in policy.POLICY_COMMANDS.items():
        assert f"{command} {line}" in shown
        assert (import_module(f"{policy.__name__}.{command}").__doc__ or "").startswith(line)
        options = parser.parse_args([command])
        assert callable(options.run_policy_command)


def test_only_the_wanted_command_is_imported() -> None:
    """A start pays for no other command."""
    code = (
        "import sys; from scc_responder.cli.main import main\n"
        "try: main(['policy', 'schema'])\n"
        "finally: print([name for name in sys.modules if name.startswith('scc_responder.cli.policy.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['scc_responder.cli.policy.schema']"


def test_a_command_below_policy_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Its status is the status of the whole; without one the use is wrong."""
    assert policy.run(argparse.Namespace(run_policy_command=lambda _: 3)) == 3
    with pytest.raises(SystemExit) as ended:
        main(["policy"])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err
