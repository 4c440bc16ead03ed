"""First shots and messages to people, as a person reads them in a terminal and in a pull request."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.cli.simulate.foretold_lines import foretold_lines, foretold_markdown
from scc_responder.cli.simulate.simulation_report import SimulationReport, simulation_json, simulation_text
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulation.replay import Replay
from scc_responder.workbench.simulation.replay_report import ReplayReport
from tests.kits.responder import CLUSTER, RAILS, policy, write_policies
from tests.workbench.simulation.test_replay import finding, told

WARM = f"{RAILS}warm_up: 60s\nlimits: {{owner: [], namespace: [], cluster: [{{most: 2, within: 1h}}]}}\n"


@pytest.fixture
def reported(tmp_path: Path) -> Callable[[int], ReplayReport]:
    """Makes the report of so many findings within a minute, each about a pod of a workload of its own."""

    def report(count: int) -> ReplayReport:
        written = write_policies(tmp_path / "policies", policy("isolate_pod", "delete_pod"), guardrails=WARM)
        replay = Replay(load_policies(written))
        for number in range(count):
            found = finding(number, pod=f"web{number}-6d5f9c7b4-aaaaa", minutes=1 + number / 20, severity="HIGH")
            replay.add(found, told(found))
        return replay.report()

    return report


def test_a_first_shot_that_fits(reported: Callable[[int], ReplayReport]) -> None:
    """Who waits, from when to when, and what is then done."""
    named = [f"Pod shop/web{number}-6d5f9c7b4-aaaaa in prod-1" for number in range(2)]
    assert list(foretold_lines(reported(2))) == [
        "First shots: what cannot be undone, where its policy has not acted yet",
        f"  contain in prod-1: 2 acts on 2 targets wait from 2026-03-02 09:01:00Z to 09:02:00Z: {', '.join(named)}",
        "    then       2 delete_pod",
        "",
    ]


def test_a_first_shot_that_is_refused(reported: Callable[[int], ReplayReport]) -> None:
    """Which limit it does not fit, and the one notice with its command. Nobody is told of each finding besides."""
    lines = list(foretold_lines(reported(7)))
    assert lines[1].endswith("web4-6d5f9c7b4-aaaaa in prod-1, 2 more")
    assert lines[2].startswith("    none is done  7 targets at once; cluster: 2 pods within 1h, at most 2 (2)")
    assert lines[3].startswith("    one notice  first_shot_too_wide: read the policy")
    assert f"scc-responder control clear --policy contain --cluster {CLUSTER} --reason 'WHY'" in lines[3]
    assert len(lines) == 5


def held(folder: Path, *findings: str) -> ReplayReport:
    """The report of findings about pods without an owner, whose deletion that holds."""
    replay = Replay(load_policies(write_policies(folder / "held", policy("delete_pod"))))
    for number, severity in enumerate(findings, start=1):
        alone = finding(number, pod=f"alone{number}", severity=severity)
        replay.add(alone, told(alone))
    return replay.report()


def test_what_is_told_has_its_command(tmp_path: Path) -> None:
    """How often, what is held and why, and what a person can do; a finding of MEDIUM is no such message."""
    assert list(foretold_lines(held(tmp_path, "HIGH", "CRITICAL", "MEDIUM"))) == [
        "Told to people: findings of HIGH or above that something holds: 2 messages",
        "          2  delete_pod: pod_standalone  scc-responder case resume CASE --apply",
        "",
    ]


def test_what_is_not_listed_is_counted(tmp_path: Path, reported: Callable[[int], ReplayReport]) -> None:
    """Findings that another one speaks for, findings that nothing answers, and what is beyond the list."""
    report = held(tmp_path, "HIGH")
    more = replace(
        report, told=replace(report.told, as_one=3, unanswered=4, further=5), shots=reported(2).shots, shot_count=9
    )
    lines = list(foretold_lines(more))
    assert "  ... and 8 more" in lines
    assert lines[-5].endswith("1 message, and 3 more findings that one of their workload speaks for")
    assert lines[-3:-1] == ["          4  no_policy_matched", "          5  others"]


def test_nothing_to_say_is_not_said(tmp_path: Path) -> None:
    """No heading stands over nothing."""
    report = held(tmp_path, "LOW")
    assert (list(foretold_lines(report)), list(foretold_markdown(report))) == ([], [])


def test_every_format_tells_both(tmp_path: Path, reported: Callable[[int], ReplayReport]) -> None:
    """A terminal, a pull request and a script read the same."""
    report = replace(reported(7), told=held(tmp_path, "HIGH").told)
    markdown = "".join(foretold_markdown(report))
    assert "| Policy | Where | Waits | Then | One notice |" in markdown
    assert "| 1 | delete\\_pod&#58; pod\\_standalone | scc-responder case resume CASE --apply |" in markdown
    assert "First shots" in simulation_text(SimulationReport(report=report))
    document = json.loads(simulation_json(SimulationReport(report=report)))
    assert [(shot["policy"], shot["state"], shot["targets"]) for shot in document["shots"]] == [
        ("contain", "refused", 7)
    ]
    assert document["told"]["holds"][0]["hold"]["to_do"] == "scc-responder case resume CASE --apply"
