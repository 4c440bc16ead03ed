"""What the pages, `case show` and the messages tell people to do about a case that is left undone does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.remedies import REMEDIES, Remedy, remedies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cli.case.test_marking import Desk
from tests.cluster import objects
from tests.kits.checkout_deployment import BAD, GOOD, escape, run_deployed, run_policy, split
from tests.kits.responder import NODE, deployed, finding_about, policy
from tests.pipeline.again import test_by_itself
from tests.pipeline.again.remedied import REHEARSED, SITUATIONS, WAYS, Night
from tests.pipeline.test_first_shots import pods, told_of

ELSEWHERE = {
    Reason.SEVERAL_REVISIONS,
    Reason.REVISION_GONE,
    Reason.REVISION_NOT_KNOWN,
    Reason.WAITING_FOR_APPROVAL,
    Reason.HELD_TOO_MANY,
    Reason.ERROR_BUDGET_SPENT,
}
"""Those with a test of their own below. What is chosen of several revisions is typed alike for all three."""
OF_ANOTHER_STEP = {Reason.NEEDS, Reason.EARLIER_STEP_STOPPED}
"""Those that have no remedy of their own."""


def test_each_remedy_is_typed_by_a_test() -> None:
    """No remedy is documented that no test types, but those by hand: for these there is nothing to type."""
    assert set(REMEDIES) - OF_ANOTHER_STEP == (set(SITUATIONS) | set(REHEARSED) | ELSEWHERE) & set(REMEDIES)
    typed = {remedy for reason in (*SITUATIONS, *REHEARSED, *ELSEWHERE) for remedy in remedies(reason)}
    assert {*Remedy} - typed == {Remedy.BY_HAND, Remedy.END_EXEMPTION}
    assert Remedy.END_EXEMPTION in remedies(Reason.EXEMPT.of("0123456789ab"))


@pytest.mark.parametrize("reason", SITUATIONS)
def test_what_case_show_says_gets_on_with_the_case(tmp_path: Path, cluster: SimulatedCluster, reason: Reason) -> None:
    """Typed in its order, once what the reason names is mended: the next sweep does what was left undone."""
    night = SITUATIONS[reason](tmp_path, cluster)
    before = night.deployment.case(night.document)
    assert before.state in {"held", "partial"}
    assert str(reason) in night.said
    commands = night.to_do()
    assert len(commands) == len(remedies(reason if "{}" not in reason else _completed(night, reason))), commands
    night.mend()
    for command in commands:
        night.type(command)
    night.sweep()
    assert night.deployment.case(night.document).state == "done", night.deployment.outcomes(night.document)


def _completed(night: Night, reason: Reason) -> str:
    """The reason with the name that completes it, as the case has it."""
    steps = night.deployment.case(night.document).current_steps
    return next(step.reason for step in steps if (read := Reason.read(step.reason)) and read.word is reason)


@pytest.mark.parametrize("reason", REHEARSED)
def test_what_a_notice_says_of_the_switch(tmp_path: Path, cluster: SimulatedCluster, reason: Reason) -> None:
    """The switch is set, and the case that was only rehearsed is tried again."""
    night = REHEARSED[reason](tmp_path, cluster)
    assert night.deployment.case(night.document).state == "rehearsed"
    (said,) = (each["remedy"] for each in night.deployment.published.messages if each.get("reason") == reason)
    enforce, resume = remedies(reason)
    assert said == enforce.sentence()
    night.type(said.partition(", then: ")[2])
    night.type(resume.typed(case=night.case))
    night.sweep()
    assert night.deployment.case(night.document).state == "done"


@pytest.mark.parametrize("reason", WAYS)
def test_a_way_that_is_open_again_is_taken(tmp_path: Path, cluster: SimulatedCluster, reason: Reason) -> None:
    """Also by a sweep alone: nobody has to type."""
    night = SITUATIONS[reason](tmp_path, cluster)
    night.mend()
    night.minutes = 20
    night.sweep()
    assert (night.deployment.case(night.document).state, len(cluster.objects("NetworkPolicy"))) == ("done", 1)


def test_a_plan_is_answered_by_what_is_shown(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """`case show` has the plan, and the command that approves it."""
    deployment, document = deployed(tmp_path, cluster, policy("isolate_pod", mode="approve")), finding_about(pod)
    deployment.respond_to(document)
    night = Night(deployment=deployment, document=document)
    (answer,) = remedies(Reason.WAITING_FOR_APPROVAL)
    shown = night.type(answer.typed(case=night.case))
    plan = deployment.case(document).plan
    assert plan is not None
    assert f"case approve {night.case} --plan {plan.digest}" in " ".join(shown.split())
    night.sweep()
    assert deployment.case(document).state == "done"


def test_a_revision_is_chosen(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """`case show` names those that may be meant, and the command; a new plan waits then."""
    with run_deployed(tmp_path, cluster, run_policy("roll_back_service", mode="enforce")) as running:
        split(running.world, {GOOD: 50, BAD: 50})
        document = escape(containers=[])
        running.respond_to(document)
        night = Night(deployment=running, document=document)
        (command,) = night.to_do()
        assert command == Remedy.CHOOSE.typed(case=night.case)
        night.type(command.replace("NAME", BAD))
        running.sweep()
        running.sweep()
        assert (running.case(document).state, running.served()) == ("done", {GOOD: 100})


def test_what_is_too_much_for_one_window(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The notice's command opens all of it again, and the window that is free does one of them."""
    cluster.create(objects.deployment("api", "shop", NODE, replicas=1))
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=test_by_itself.ONE)
    documents = test_by_itself.delivered(deployment, cluster.objects("Pod", "shop"))
    assert test_by_itself.swept(deployment, 16) == 0
    said = next(each for each in deployment.published.messages if each.get("reason") == Reason.HELD_TOO_MANY)
    night = Night(deployment=deployment, document=documents[1])
    night.type(said["remedy"].partition(", then: ")[2])
    test_by_itself.swept(deployment, 17)
    assert sorted(state for state, _ in test_by_itself.states(deployment, documents)) == ["done", "done", "held"]


def test_a_policy_is_raised_again(
    tmp_path: Path, cluster: SimulatedCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """What people called wrong lowered it; the notice's command lets it act."""
    desk = Desk(tmp_path, cluster, "delete_pod", capsys=capsys)
    documents = told_of(pods(cluster, 3))
    (case,) = desk.contain(documents[0])
    desk.mark(case, "wrong")
    desk.sweep()
    assert desk.modes(documents[1]) == [("approve", "mode_lowered_by:error_budget")]
    (said,) = (each["remedy"] for each in desk.notices())
    Night(deployment=desk.responder, document=documents[0]).type(said.partition(", then: ")[2])
    assert desk.modes(documents[2]) == [("enforce", "")]


def test_a_message_about_a_held_case_says_it_too(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The same commands as `case show`."""
    night = SITUATIONS[Reason.FOUGHT_OVER](tmp_path, cluster)
    told = [each for each in night.deployment.published.messages if each.get("reason") == Reason.FOUGHT_OVER]
    assert told[-1]["to_do"] == night.to_do() == [Remedy.RESUME.typed(case=night.case)]


def test_what_has_no_command_says_so(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A pod that is not the finding's: `case show` says that a person has to respond by hand."""
    document = finding_about(pod, node="another-node")
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    deployment.respond_to(document)
    night = Night(deployment=deployment, document=document)
    assert any((read := Reason.read(text)) and read.is_by_hand for text in night.said), night.said
    assert night.to_do() == []
    assert Remedy.BY_HAND.meaning in night.type(Remedy.ANSWER.typed(case=night.case))
