"""The port that `serve` and `demo` listen on: none is wrong use, one that is taken is told, both before all else."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from scc_responder.cli.terminal.listening import PortError, free
from tests.cli.commands import run, settings_given

NO_PORTS = ["-1", "65536", "99999999999999999999", "8o80", "", "8080.0", "\u0668\u0660", "\x1b[2J"]


@pytest.mark.parametrize("command", ["serve", "demo"])
@pytest.mark.parametrize("given", NO_PORTS)
def test_an_invalid_port_is_refused_first(tmp_path: Path, command: str, given: str) -> None:
    """What is no port is refused in one line that says which there are, and nothing was begun."""
    done = run(command, f"--port={given}", cwd=tmp_path, TMPDIR=str(tmp_path))
    least = 0 if command == "demo" else 1
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"is no port; give a number from {least} to 65535\n")
    assert "\x1b" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """`serve` names the port that something else listens on, and what to do, in place of the framework's traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        options = [word for pair in settings_given(tmp_path).items() for word in pair]
        done = run("serve", "--port", str(port), *options, cwd=tmp_path)
    told = f"scc-responder: --port {port}: cannot listen on 127.0.0.1: Address already in use; name another\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", told)


def test_no_such_address() -> None:
    """An address that is none of this machine's is told like a port that is taken."""
    with pytest.raises(PortError, match=r"^--port 8080: cannot listen on 192\.0\.2\.1: Cannot assign"):
        free("192.0.2.1", 8080)


def test_port_zero_means_any_free_port() -> None:
    """Of 0 some port that is free."""
    found = free("127.0.0.1", 0)
    assert free("127.0.0.1", found) == found
