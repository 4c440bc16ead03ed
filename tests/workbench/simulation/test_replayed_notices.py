"""The messages that people would get in a simulation are counted, each hold with its command."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import PolicyDecision
from scc_responder.workbench.simulation.replayed_notices import MOST_HOLDS, ReplayedNotices, ToldCount
from tests.kits.decision_contexts import EVENT, THREAT, context
from tests.kits.decisions import decided, step

LIMITED = step("delete_pod", "held", Reason.LIMIT.of("owner"))
CUT = (step("isolate_pod"), LIMITED)


def pod(number: int) -> Context:
    """A finding about one pod of the same workload."""
    return context(finding={"key": f"{number:064x}"}, pod={"uid": f"pod-{number}"})


def counted(found: list[tuple[Context, tuple[PolicyDecision, ...], int]]) -> ToldCount:
    """What so many findings come to, each so many minutes after the first."""
    notices = ReplayedNotices()
    for each, policies, minutes in found:
        notices.add(each, policies, EVENT + timedelta(minutes=minutes))
    return notices.report()


def test_each_hold_is_counted_with_its_command() -> None:
    """The command has `CASE` for the case, so that what is the same is counted together."""
    protected = decided(a=[step("delete_pod", "held", Reason.NAMESPACE_PROTECTED)]).policies
    told = counted([(pod(1), protected, 0), (pod(2), protected, 1), (pod(3), decided(a=[LIMITED]).policies, 2)])
    assert told.messages == 3
    assert [(item.hold.action, item.hold.reason, item.hold.to_do, item.count) for item in told.holds] == [
        ("delete_pod", "namespace_protected", "scc-responder case resume CASE --apply", 2),
        ("delete_pod", "limit_owner", "scc-responder case do CASE delete_pod --reason 'WHY'", 1),
    ]


@pytest.mark.parametrize(
    ("steps", "minutes", "expected"),
    [
        (CUT, 9, (1, 1)),
        (CUT, 10, (2, 0)),
        ((LIMITED,), 1, (2, 0)),
        ((step("isolate_pod"), step("delete_pod", "held", Reason.NAMESPACE_PROTECTED)), 1, (2, 0)),
        ((*CUT, step("notify")), 1, (2, 0)),
    ],
    ids=["cut-off", "much-later", "not-cut-off", "held-by-something-else", "policy-notifies"],
)
def test_pods_of_a_workload_are_told_as_one(steps: tuple[object, ...], minutes: int, expected: tuple[int, int]) -> None:
    """Where all are cut off, and limits hold their deletion: one message in ten minutes says it for all."""
    policies = decided(a=list(steps)).policies  # type: ignore[arg-type]
    told = counted([(pod(1), policies, 0), (pod(2), policies, minutes)])
    assert (told.messages, told.as_one) == expected


def test_what_nothing_answers_is_told_if_severe() -> None:
    """It has no hold, and one that is not severe is no message."""
    mild = context(threat=replace(THREAT, severity="MEDIUM"))
    told = counted([(pod(1), (), 0), (mild, (), 1)])
    assert (told.messages, told.unanswered, told.holds) == (1, 1, ())


def test_what_waited_is_told_by_itself() -> None:
    """After the first message: if limits hold it then, and its pod was cut off, one stands for the workload."""
    notices = ReplayedNotices()
    at, earlier = EVENT + timedelta(minutes=1), decided(a=[step("isolate_pod"), step("notify")]).policies
    for number in (1, 2):
        notices.add(pod(number), earlier, EVENT)
        notices.add(pod(number), decided(a=[LIMITED]).policies, at, earlier)
    told = notices.report()
    assert (told.messages, told.as_one) == (1, 1)


def test_what_waited_and_is_done_is_no_message() -> None:
    """Neither is a wait whose policy is gone."""
    notices = ReplayedNotices()
    notices.add(pod(1), decided(a=[step("delete_pod")]).policies, EVENT, ())
    notices.add(pod(1), (), EVENT, ())
    assert notices.report() == ToldCount()


def test_holds_beyond_those_listed_are_counted() -> None:
    """A list of exemptions without end takes no memory without end."""
    notices = ReplayedNotices()
    for number in range(MOST_HOLDS + 3):
        held = step("delete_pod", "held", Reason.EXEMPT.of(f"e{number}"))
        notices.add(pod(number), decided(a=[held]).policies, EVENT)
    told = notices.report()
    assert (len(told.holds), told.further, told.messages) == (MOST_HOLDS, 3, MOST_HOLDS + 3)
