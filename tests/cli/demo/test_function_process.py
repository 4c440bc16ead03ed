"""The function as a process of its own: started, asked, and ended."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from scc_responder.cli.demo.function_process import FunctionError, FunctionProcess
from scc_responder.cli.terminal.listening import PortError
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.story_folder import StoryFolder
from tests.cli.commands import ROOT
from tests.findings import push_body
from tests.kits.responder import SHIPPED


def test_a_function_is_served_until_it_is_left(tmp_path: Path) -> None:
    """Junk is settled and logged; afterwards nobody answers."""
    folder = StoryFolder(tmp_path)
    with SimulatedCluster(stop_seconds=0) as cluster:
        folder.lay_out(cluster, SHIPPED)
        process = FunctionProcess(ROOT / "functions", folder.log, folder.settings)
        assert process.pid == 0
        with process:
            assert process.pid > 0
            assert process.push(push_body(b"junk", message_id="7")) == 204
            assert process.logged("7")["severity"]
            assert process.logged("8") == {}
    with pytest.raises(FunctionError, match=r"http://127\.0\.0\.1"):
        process.push(b"{}")


def test_a_function_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    """What it printed last says why."""
    (tmp_path / "local_main.py").write_text("raise SystemExit('no start today')")
    with (
        pytest.raises(FunctionError, match="no start today") as caught,
        FunctionProcess(tmp_path, tmp_path / "log", {}),
    ):
        pass
    assert caught.value.reason == "function_not_started"


def test_a_taken_port_is_refused_at_once(tmp_path: Path) -> None:
    """Before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortError):
            FunctionProcess(ROOT / "functions", tmp_path / "log", {}, taken.getsockname()[1])


def test_a_log_may_hold_anything(tmp_path: Path) -> None:
    """Lines that are no JSON are passed over."""
    log = tmp_path / "log"
    told = {"logging.googleapis.com/labels": {"message_id": "7"}, "n": 1}
    log.write_text(f"text\n{json.dumps(told)}\nmore\n")
    process = FunctionProcess(ROOT / "functions", log, {})
    assert process.logged("7")["n"] == 1
    assert process.url == f"http://127.0.0.1:{process.port}"
