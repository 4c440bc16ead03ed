"""Approvals are used up by a step that began, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.again import again
from tests.kits.answers import HERE, answered, plan_of
from tests.kits.responder import RAILS, Deployment, deployed, finding_about, policy

ASKING = policy("isolate_pod", "notify", mode="approve")
ONE_A_TIME = f"{RAILS}isolation: {{limits: {{owner: [{{most: 1, within: 10m}}]}}}}\n"
TWO_PEOPLE = f"{RAILS}approval: {{approvers: [a@example.com, b@example.com], needed: 2}}\n"


class Tokens:
    """A token is the address of who shows it."""

    def email(self, token: str) -> str:
        return token


def held_by_limit(tmp_path: Path, cluster: SimulatedCluster) -> tuple[Deployment, dict[str, Any]]:
    """A plan that a person approved, of which a limit holds the only step."""
    deployment = deployed(tmp_path, cluster, ASKING, guardrails=ONE_A_TIME)
    first, second = (finding_about(pod, finding_id=f"{n:032x}") for n, pod in enumerate(cluster.objects("Pod", "shop")))
    for name, document in (("first", first), ("second", second)):
        deployment.list_finding(document, name)
        deployment.deliver(document)
        answered(deployment, document)
    assert deployment.case(first).state == "done"
    return deployment, second


def minutes_later(deployment: Deployment, minutes: float) -> None:
    """Let it be so many minutes later."""
    deployment.set_clock(lambda: utc_now() + timedelta(minutes=minutes))


def by_event(deployment: Deployment, document: dict[str, Any]) -> None:
    """The same detection comes again."""
    again(deployment, document, 20, name="second")


def by_approval(deployment: Deployment, document: dict[str, Any]) -> None:
    """The same person approves the same plan again."""
    minutes_later(deployment, 20)
    assert answered(deployment, document).status == 204


@pytest.mark.parametrize("go_on", [by_event, by_approval])
def test_a_limit_does_not_use_an_approval_up(
    tmp_path: Path, cluster: SimulatedCluster, go_on: Callable[[Deployment, dict[str, Any]], None]
) -> None:
    """The plan stays approved; once the limit is free it is carried out without another question."""
    deployment, document = held_by_limit(tmp_path, cluster)
    plan = plan_of(deployment, document)
    assert (deployment.case(document).state, plan.state) == ("held", "approved")
    go_on(deployment, document)
    assert (deployment.case(document).state, plan_of(deployment, document).state) == ("done", "used")
    assert plan_of(deployment, document).digest == plan.digest
    assert len(cluster.objects("NetworkPolicy")) == 2
    assert answered(deployment, document).reason == "approval_used"


def test_what_a_limit_held_may_still_be_rejected(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Nothing of it has begun, so a person may take the approval back."""
    deployment, document = held_by_limit(tmp_path, cluster)
    assert answered(deployment, document, "reject", reason="a test").reason == "approval_rejected"
    minutes_later(deployment, 20)
    assert answered(deployment, document).reason == "approval_rejected"
    assert again(deployment, document, 30, name="second").reason == "duplicate"


def test_an_approval_is_over_with_its_plan(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """After its time a plan that a limit held is asked for again, not carried out."""
    deployment, document = held_by_limit(tmp_path, cluster)
    left = plan_of(deployment, document).expires_at - utc_now()
    minutes_later(deployment, left / timedelta(minutes=1) + 1)
    assert answered(deployment, document).reason == "approval_used"
    again(deployment, document, left / timedelta(minutes=1) + 2, name="second")
    assert (deployment.case(document).state, plan_of(deployment, document).approvals) == ("waiting", ())


def test_news_does_not_wipe_an_approval(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """The intruder runs something more between two approvals: the plan is the same, and so the second one is enough."""
    deployment = deployed(
        tmp_path, cluster, ASKING, guardrails=TWO_PEOPLE, approval_audience="https://responder.example.com"
    )
    deployment.services.approvers = Tokens()
    document = finding_about(pod)
    deployment.respond_to(document)
    digest = plan_of(deployment, document).digest

    def approve(by: str) -> str:
        return answered(deployment, document, token=by, headers={**HERE, "host": "r.example.com"}, peer="").reason

    assert approve("a@example.com") == "approval_noted"
    document["finding"]["processes"] = [{"binary": {"path": "/bin/more"}}]
    document["finding"]["eventTime"] = later_by_a_second(document["finding"]["eventTime"])
    deployment.respond_to(document)
    plan = plan_of(deployment, document)
    assert (plan.digest, [given.by for given in plan.approvals]) == (digest, ["a@example.com"])
    assert (approve("b@example.com"), deployment.case(document).state) == ("done", "done")


def later_by_a_second(moment: str) -> str:
    """The next second, as findings write it."""
    return (datetime.fromisoformat(moment) + timedelta(seconds=1)).isoformat()
