"""A person names the revision that is meant, before or after the rest of the plan is answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from scc_responder.cli.case import case_text
from scc_responder.domain.clock import utc_now
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import BAD, GOOD, RunDeployment, escape, run_deployed, run_policy, split

STEPS = ("roll_back_service", "cut_ingress", "remove_invokers")


def approved(running: RunDeployment, document: dict[str, object]) -> None:
    """The cut is approved and made."""
    running.answer(document)
    assert running.case(document).state == "partial"


def rejected(running: RunDeployment, document: dict[str, object]) -> None:
    """The cut is rejected."""
    running.answer(document, "reject")
    assert running.case(document).state == "held"


def expired(running: RunDeployment, document: dict[str, object]) -> None:
    """Nobody answers in time."""
    running.set_clock(lambda: utc_now() + timedelta(hours=5))
    running.sweep()
    plan = running.case(document).plan
    assert plan is not None
    assert plan.state == "expired"
    running.set_clock(utc_now)


@pytest.mark.parametrize(
    ("before", "rolled_back"),
    [(approved, ["UpdateService", "SetIamPolicy", "UpdateService"]), (rejected, None), (expired, None)],
)
def test_a_choice_after_the_answer_makes_a_new_plan(
    tmp_path: Path,
    cluster: SimulatedCluster,
    before: Callable[[RunDeployment, dict[str, object]], None],
    rolled_back: list[str] | None,
) -> None:
    """The rollback is asked for then, whatever became of the plan that was made without it; nothing is done twice."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS)) as running:
        split(running.world, {GOOD: 50, BAD: 50})
        document = escape(containers=[])
        running.respond_to(document)
        before(running, document)
        assert f"choose    one of {BAD}, {GOOD}" in "\n".join(case_text.case(running.case(document), utc_now()))
        assert running.choose(document, BAD) == "resumed_by_person"
        plan = running.case(document).plan
        assert plan is not None
        assert (plan.state, plan.after) == ("waiting", "approval_void_revision_chosen")
        assert plan.steps[0].action == "roll_back_service"
        assert running.answer(document).reason == "done"
        assert running.served() == {GOOD: 100}
        assert rolled_back is None or running.writes() == rolled_back


def test_a_choice_is_taken_where_a_policy_enforces_the_rest(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Nobody was asked: the cut is made at once, and the rollback follows the choice."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS, mode="enforce")) as running:
        split(running.world, {GOOD: 50, BAD: 50})
        document = escape(containers=[])
        running.respond_to(document)
        assert running.case(document).state == "partial"
        assert running.choose(document, BAD) == "resumed_by_person"
        assert (running.case(document).state, running.served()) == ("done", {GOOD: 100})


@pytest.mark.parametrize(
    ("name", "reason"),
    [("checkout-00009-abc", "revision_not_offered"), (f"{GOOD}; rm", "invalid_revision"), ("B", "invalid_revision")],
)
def test_a_choice_that_cannot_be_meant_is_refused(
    tmp_path: Path, cluster: SimulatedCluster, name: str, reason: str
) -> None:
    """Nothing becomes of it: the next choice is taken."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS)) as running:
        split(running.world, {GOOD: 50, BAD: 50})
        document = escape(containers=[])
        running.respond_to(document)
        before = running.case(document)
        assert running.choose(document, name) == reason
        assert running.case(document) == before
        assert running.choose(document, GOOD) == "resumed_by_person"
