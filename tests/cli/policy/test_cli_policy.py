"""`policy`: each command below it is a module beside it."""

from __future__ import annotations

import argparse

import pytest

from scc_responder.cli import policy
from scc_responder.cli.main import main


def test_each_module_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Named and described by its docstring."""
    parser = argparse.ArgumentParser()
    policy.add_options(parser)
    shown = parser.format_help()
    for command in ("coverage", "lint", "schema", "test"):
        assert command in shown
        options = parser.parse_args([command])
        assert callable(options.run_policy_command)


def test_a_command_below_policy_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Its status is the status of the whole; without one the use is wrong."""
    assert policy.run(argparse.Namespace(run_policy_command=lambda _: 3)) == 3
    with pytest.raises(SystemExit) as ended:
        main(["policy"])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err
