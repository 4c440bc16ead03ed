"""The demonstration's part on Cloud Run, where something does not come as it has to."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

from scc_responder.cli.demo.run_scene import RunScene, plan_lines
from scc_responder.cli.terminal.screen import Screen
from scc_responder.domain.clock import utc_now
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.plan import Plan, PlanStep
from scc_responder.workbench.simulated_cloud_run.checkout import checkout_world
from scc_responder.workbench.simulated_cloud_run.run_server import SimulatedCloudRun

NO_SERVICES: Any = None
"""Nothing is taken back here."""


def record(plan: Plan | None = None) -> CaseRecord:
    """A case, with this plan."""
    return CaseRecord(finding_key="k" * 64, finding_name="n", event_time=utc_now(), digest="d", plan=plan)


def test_a_plan_that_does_not_wait_is_noticed() -> None:
    """Where no plan waits nothing is approved, and the demonstration fails."""
    stream = io.StringIO()
    with SimulatedCloudRun(checkout_world(0.05)) as server:
        scene = RunScene(Screen(stream), server, record, "http://127.0.0.1:9", NO_SERVICES)
        assert [check.held for check in scene.play()] == [False]
        assert server.requests == []
    assert "case approve" not in stream.getvalue()


def test_the_plan_says_what_is_felt() -> None:
    """Under each step; a step that is felt as its name says has no more lines."""
    change = {
        "change": "restrict_access",
        "path": "p",
        "uid": "u",
        "wanted": {"ingress": "X"},
        "prior": {"ingress": "Y"},
    }
    steps = tuple(PlanStep(policy="p", action=name, changes=(change,) * count) for name, count in (("a", 1), ("b", 0)))
    plan = Plan(digest="d", policy_digest="p", steps=steps, created_at=utc_now(), expires_at=utc_now() + timedelta(1))
    first, felt, second = plan_lines(record(plan))
    assert (first.strip(), second.strip()) == ("1. a", "2. b")
    assert felt.strip().startswith("felt callers from outside its networks are refused")
