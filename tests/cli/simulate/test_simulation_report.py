"""A simulation's results as text, Markdown and JSON: every part is told, and names stay text."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.cli.simulate.simulation_report import (
    SimulationReport,
    simulation_json,
    simulation_markdown,
    simulation_text,
)
from scc_responder.domain.mode import Mode
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.sample_findings import facts_as_told
from scc_responder.workbench.simulation.edits.edit import Edit
from scc_responder.workbench.simulation.edits.policy_edits import PolicyEdit
from scc_responder.workbench.simulation.impact import AffectedObject, Difference
from scc_responder.workbench.simulation.replay import Replay
from scc_responder.workbench.simulation.replay_report import Comparison, RaisedMode, Reached, ReplayReport
from scc_responder.workbench.simulation.replayed_limits import Trip
from tests.findings import notification
from tests.kits.responder import CLUSTER, policy, write_policies

HOSTILE = "a\x1b[31m\u202e|<img src=x onerror=alert(1)>[a](javascript:b)@team"
T0 = datetime(2026, 3, 2, 9, 40, tzinfo=UTC)
POD = AffectedObject(cluster=CLUSTER, kind="Pod", namespace="shop", name="web-1")
NOTHING = Comparison(counts={}, differences=(), raised=(), guardrails=(), complete=True)


@pytest.fixture
def report(tmp_path: Path) -> ReplayReport:
    """Three findings on two days, one of them twice, and what is no finding; one policy matches nothing."""
    policies = policy("label_pod", "notify"), policy("label_pod", name="quiet", when="threat: added_binary_executed")
    replay = Replay(load_policies(write_policies(tmp_path / "policies", *policies)))
    for number, days in enumerate((0, 1, 1)):
        moment = f"{T0 + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
        found = parse_notification(notification("reverse_shell", event_time=moment, finding_id=f"f{number}"))
        replay.add(found, facts_as_told(found))
    replay.add(found, facts_as_told(found))
    replay.bad("bad.json", "not_json")
    return replay.report()


def reached(name: str) -> Reached:
    """A pod of this name that a policy of this name would have labelled."""
    target = replace(POD, namespace=name, name=name)
    return Reached(target=target, action="label_pod", mode=Mode.ENFORCE, policy=name)


def every_format(simulation: SimulationReport) -> tuple[str, str, dict[str, Any]]:
    """Text, Markdown and the JSON document."""
    return simulation_text(simulation), simulation_markdown(simulation), json.loads(simulation_json(simulation))


def test_every_format_has_policies_and_days(report: ReplayReport) -> None:
    """Findings, what came twice and what could not be read are counted, and each policy's days are told apart."""
    text, markdown, document = every_format(SimulationReport(report=report))
    assert text.startswith("4 findings from 2026-03-02 to 2026-03-03, 3 matched by a policy\n  1 came twice\n")
    assert "  1 could not be read: not_json\n    bad.json: not_json\n" in text
    assert "contain (enforce): 3 findings\n  act            3  label_pod\n" in text
    assert "  2026-03-03  matched 2, 4 actions act, 0 held; touches 1 pod" in text
    assert text.endswith("Matched nothing: quiet\n")
    assert [row.split(" | ")[2] for row in markdown.splitlines() if row.startswith("| contain")] == [
        "all",
        "2026-03-02",
        "2026-03-03",
    ]
    assert "Would have been touched" not in markdown
    assert [item["name"] for item in document["policies"]] == ["contain", "quiet"]
    assert (document["targets"], document["without_snapshot"], "comparison" in document) == (None, {}, False)


def test_totals_leave_days_out(report: ReplayReport) -> None:
    """Where only totals are asked for, no day has a line."""
    simulation = SimulationReport(report=report, days=False)
    assert "2026-03-03  matched" not in simulation_text(simulation)
    assert "| 2026-03-03 |" not in simulation_markdown(simulation)


def test_what_hides_results_is_told_first(report: ReplayReport) -> None:
    """Findings that were left alone, breakers that tripped, missing snapshots, and counts that are too low."""
    trips = (Trip(cluster=CLUSTER, at=T0, detail="11 targets in 10m"),)
    hidden = replace(report, left_alone={"source_not_allowed": 2}, trips=trips, tripped=3, complete=False)
    text, markdown, document = every_format(SimulationReport(report=hidden, unseen={CLUSTER: 4}))
    lines = [
        "2 left alone: source_not_allowed",
        f"4 about a cluster without a snapshot: {CLUSTER}",
        "storm breaker of prod-1 trips at 2026-03-02 09:40:00Z: 11 targets in 10m",
        "... and 2 more times",
        "there are more targets than are told apart: counts of them are too low",
    ]
    assert [line for line in lines if f"  {line}\n" not in text] == []
    assert sum(line.startswith("- ") for line in markdown.splitlines()) == len(lines) + 4
    assert document["without_snapshot"] == {CLUSTER: 4}


def test_targets_beyond_those_listed_are_counted(report: ReplayReport) -> None:
    """Targets are told where they are asked for; the rest of a long list is a number."""
    listed = replace(report, reached=(reached("web"),), reached_count=3)
    text, markdown, document = every_format(SimulationReport(report=listed, targets=True))
    assert "  Pod web/web in prod-1  label_pod  web (enforce)\n  ... and 2 more\n" in text
    assert "| Pod web/web in prod-1 | label\\_pod | web | enforce |" in markdown
    assert markdown.endswith("  ... and 2 more")
    assert [item["policy"] for item in document["targets"]] == ["web"]


def changed(kind: str, before: str, after: str, *, behind_limits: bool = False) -> Difference:
    """What is done otherwise to the pod."""
    modes = {"before": before, "after": after, "behind_limits": behind_limits}
    return Difference(kind=kind, target=POD, action="label_pod", policy="contain", **modes)


@pytest.mark.parametrize(
    ("fields", "told", "widens"),
    [
        ({}, "  does not widen: no target is touched otherwise\n", False),
        (
            {"counts": {"added": 1}, "differences": (changed("added", "", "enforce"),)},
            "  added    Pod shop/web-1 in prod-1  label_pod  contain (enforce)\n  WIDENS: 1 added\n",
            True,
        ),
        (
            {
                "counts": {"raised_behind_limits": 2},
                "differences": (changed("raised", "dry_run", "enforce", behind_limits=True),),
            },
            "contain (dry_run -> enforce) behind limits\n  ... and 1 more\n  WIDENS: 2 raised behind limits\n",
            True,
        ),
        (
            {"raised": (RaisedMode(policy="contain", before=Mode.DRY_RUN, after=Mode.ENFORCE),)},
            "  raised   contain: dry_run -> enforce\n  WIDENS: no target is touched otherwise\n",
            True,
        ),
        (
            {"guardrails": (Edit(field="limits.most", before=1, after=2, widens=True),)},
            "otherwise; 1 edit of the guardrails, 1 of them widening\n",
            True,
        ),
        (
            {"guardrails": (Edit(field="a", after="b", widens=False), Edit(field="c", before="d", widens=False))},
            "otherwise; 2 edits of the guardrails, 0 of them widening\n",
            False,
        ),
        (
            {"complete": False},
            "  WIDENS, as far as can be told: there are more targets than are told apart\n",
            True,
        ),
    ],
    ids=["same", "added", "behind-limits", "raised", "loosened", "edited", "too-many"],
)
def test_a_comparison_ends_with_its_conclusion(
    report: ReplayReport, fields: dict[str, Any], told: str, widens: bool
) -> None:
    """What changes is told line by line, and last whether reach widens; every format says the same."""
    simulation = SimulationReport(report=report, comparison=replace(NOTHING, **fields))
    text, markdown, document = every_format(simulation)
    assert text.endswith(told)
    assert ("**Widens reach.**" in markdown, "**Does not widen reach.**" in markdown) == (widens, not widens)
    assert document["comparison"]["widens"] is widens


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (Edit(field="limits.most", before=1, after=2, widens=True), "  WIDENS   guardrails limits.most  1 -> 2"),
        (Edit(field="a", after="b", widens=False), '  edited   guardrails a  added "b"'),
        (Edit(field="a", before="b\n", widens=False), '  edited   guardrails a  removed "b\\n"'),
    ],
)
def test_an_edit_of_the_guardrails_is_one_line(report: ReplayReport, edit: Edit, line: str) -> None:
    """What was and what is there now, as JSON; an edit that widens says so."""
    comparison = replace(NOTHING, guardrails=(edit,))
    assert line in simulation_text(SimulationReport(report=report, comparison=comparison)).splitlines()


def test_an_edit_of_a_policy_is_one_line(report: ReplayReport) -> None:
    """By the policy's name and the field; how a folder is called stays text."""
    edit = PolicyEdit(policy="contain", field="when.namespace", before="shop", widens=True)
    scope = Edit(field=f"{HOSTILE}/scope.yaml", after={}, widens=False)
    comparison = replace(NOTHING, edits=(edit,), scopes=(scope,))
    shown = simulation_text(SimulationReport(report=report, comparison=comparison))
    assert '  WIDENS   contain when.namespace  removed "shop"\n' in shown
    assert "\x1b" not in shown
    ends = "1 edit of policies, 1 of them widening; 1 edit of the folders, 0 of them widening\n"
    assert shown.endswith(ends)


def test_a_raised_mode_is_told_once(report: ReplayReport) -> None:
    """It is no edit beside itself."""
    raised = (RaisedMode(policy="contain", before=Mode.DRY_RUN, after=Mode.APPROVE),)
    edit = PolicyEdit(policy="contain", field="mode", before="dry_run", after="approve", widens=True)
    shown = simulation_text(SimulationReport(report=report, comparison=replace(NOTHING, raised=raised, edits=(edit,))))
    assert shown.count("approve") == 1


def test_markdown_has_a_table_of_changes(report: ReplayReport) -> None:
    """A pull request shows changes of targets and modes in one table, and those of the guardrails in another."""
    comparison = replace(
        NOTHING,
        counts={"removed": 1},
        differences=(changed("removed", "enforce", ""),),
        raised=(RaisedMode(policy="contain", before=Mode.DRY_RUN, after=Mode.APPROVE),),
        guardrails=(Edit(field="limits", before=1, after=2, widens=True),),
    )
    lines = simulation_markdown(SimulationReport(report=report, comparison=comparison)).splitlines()
    assert "| raised | contain | mode | dry\\_run -&#62; approve |" in lines
    assert any(line.startswith("| removed | Pod shop/web-1 in prod-1 | label\\_pod | contain ") for line in lines)
    assert "| widens | guardrails | limits | 1 -&#62; 2 |" in lines


def test_hostile_names_stay_text_everywhere(report: ReplayReport, tmp_path: Path) -> None:
    """Names are text in every format: no escape, no reordering, no markup, no cell of their own."""
    policies = load_policies(write_policies(tmp_path / "same", policy("label_pod")))
    replay = Replay(policies, policies)
    replay.bad(HOSTILE, "not_json")
    hostile = replace(report, bad_named=replay.report().bad_named, reached=(reached(HOSTILE),))
    told = SimulationReport(report=hostile, comparison=replay.comparison(date(2026, 3, 2)), targets=True)
    for shown in (simulation_text(told), simulation_markdown(told), simulation_json(told)):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    markdown = simulation_markdown(told)
    assert [part for part in ("<img", "](javascript", "@team") if part in markdown] == []
    rows = [line for line in markdown.splitlines() if line.startswith("| Pod")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [5]
    assert json.loads(simulation_json(told))["bad_named"][0]["where"] == HOSTILE
    assert simulation_json(told).isascii()
