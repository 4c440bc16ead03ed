"""How far policies may go, where and when: ceilings of environments, and quiet hours by the wall clock."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.context import Context
from scc_responder.domain.finding import CloudRunTarget
from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.reasons import Reason
from scc_responder.guard.ceilings import lowest
from scc_responder.guard.guard import guard
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision
from scc_responder.policy.guardrails import Ceiling, Guardrails, Protected, QuietHours
from scc_responder.policy.hours import Day, is_within
from tests.kits.decision_contexts import EVENT, context

PROD = "projects/example-project/locations/*/clusters/prod-*"
TEST = "projects/example-project/locations/*/clusters/test-*"
RUN = CloudRunTarget(kind="service", project="example-project", location="europe-west1", name="web")
NO_POD: dict[str, Any] = {"finding": {"pods": ()}, "pod": False}
UNKNOWN: dict[str, Any] = {"finding": {"pods": (), "cluster": None}, "pod": False}
ON_RUN: dict[str, Any] = {"finding": {"pods": (), "cluster": None, "cloud_run": RUN}, "pod": False}


def ceiling(mode: Mode = Mode.DRY_RUN, name: str = "it", **where: tuple[str, ...]) -> Ceiling:
    """A ceiling on some environment."""
    return Ceiling(name=name, max_mode=mode, **where)


WHERE = [
    pytest.param({}, ceiling(), "it", id="everywhere"),
    pytest.param({}, ceiling(clusters=(PROD,)), "it", id="cluster"),
    pytest.param({}, ceiling(clusters=(TEST, PROD)), "it", id="one-of-the-clusters"),
    pytest.param({}, ceiling(clusters=(TEST,)), "max_mode", id="other-cluster"),
    pytest.param({}, ceiling(namespaces=("sho?",)), "it", id="namespace"),
    pytest.param({}, ceiling(namespaces=("shop-*",)), "max_mode", id="other-namespace"),
    pytest.param({}, ceiling(clusters=(PROD,), namespaces=("bank",)), "max_mode", id="both-must-fit"),
    pytest.param({}, ceiling(clusters=(TEST,), namespaces=("shop",)), "max_mode", id="both-must-fit-too"),
    pytest.param(NO_POD, ceiling(namespaces=("bank",)), "it", id="namespace-unknown"),
    pytest.param(NO_POD, ceiling(clusters=(TEST,), namespaces=("bank",)), "max_mode", id="surely-in-another-cluster"),
    pytest.param(UNKNOWN, ceiling(clusters=(TEST,)), "it", id="cluster-unknown"),
    pytest.param(ON_RUN, ceiling(clusters=(PROD,)), "max_mode", id="cloud-run-is-in-no-cluster"),
    pytest.param(ON_RUN, ceiling(namespaces=("*",)), "max_mode", id="cloud-run-is-in-no-namespace"),
    pytest.param(ON_RUN, ceiling(), "it", id="everywhere-is-cloud-run-too"),
    pytest.param({}, ceiling(actions=("delete_pod",)), "it", id="an-action-that-is-planned"),
    pytest.param({}, ceiling(actions=("label_pod",)), "max_mode", id="an-action-that-is-not"),
    pytest.param({}, ceiling(actions=("delete_pod",), clusters=(TEST,)), "max_mode", id="the-action-elsewhere"),
]


@pytest.mark.parametrize(("changes", "wanted", "name"), WHERE)
def test_a_ceiling_holds_where_it_names(changes: dict[str, Any], wanted: Ceiling, name: str) -> None:
    """A ceiling holds in the clusters and namespaces it names, and wherever it cannot be known that it does not."""
    rails = Guardrails(protected=Protected(), ceilings=(wanted,))
    assert lowest(context(**changes), rails, EVENT, frozenset({"delete_pod", "notify"})).name == name


def lowered(mode: Mode, rails: Guardrails, found: Context | None = None, now: datetime = EVENT) -> PolicyDecision:
    """What becomes of a policy in this mode that wants to label the pod."""
    planned = PlannedAction(action="label_pod", result="planned", reason=Reason.PLANNED)
    policy = PolicyDecision(name="p", mode=mode, matched=True, reason=Reason.MATCHED, actions=(planned,))
    return guard(found or context(), Decision(policies=(policy,)), rails, now).policies[0]


NIGHT = QuietHours(name="night", start="09:00", end="10:00", max_mode=Mode.DRY_RUN)
LOWERED = [
    pytest.param(Mode.ENFORCE, (), (), "enforce", "", id="none"),
    pytest.param(Mode.ENFORCE, (ceiling(Mode.APPROVE, "prod"),), (), "approve", "mode_lowered_by:prod", id="approve"),
    pytest.param(Mode.APPROVE, (ceiling(Mode.APPROVE, "prod"),), (), "approve", "", id="as-far-as-it-wanted"),
    pytest.param(Mode.DRY_RUN, (ceiling(Mode.APPROVE, "prod"),), (), "dry_run", "", id="never-raised"),
    pytest.param(
        Mode.ENFORCE,
        (ceiling(Mode.APPROVE, "prod"), ceiling(Mode.DRY_RUN, "bank"), ceiling(Mode.DRY_RUN, "shop")),
        (),
        "dry_run",
        "mode_lowered_by:bank",
        id="the-first-of-the-lowest",
    ),
    pytest.param(
        Mode.ENFORCE, (ceiling(Mode.APPROVE, "prod"),), (NIGHT,), "dry_run", "mode_lowered_by:night", id="quiet-hours"
    ),
    pytest.param(
        Mode.ENFORCE, (ceiling(Mode.DRY_RUN, "prod"),), (NIGHT,), "dry_run", "mode_lowered_by:prod", id="ceilings-first"
    ),
]


@pytest.mark.parametrize(("mode", "ceilings", "quiet_hours", "came", "why"), LOWERED)
def test_the_lowest_wins(
    mode: Mode, ceilings: tuple[Ceiling, ...], quiet_hours: tuple[QuietHours, ...], came: str, why: str
) -> None:
    """The lowest ceiling decides how far a policy goes, and is named where the policy wanted more."""
    rails = Guardrails(protected=Protected(), ceilings=ceilings, quiet_hours=quiet_hours)
    found = lowered(mode, rails)
    assert (found.mode, found.mode_reason, found.matched, len(found.actions)) == (came, why, True, 1)


def test_a_disabled_ceiling_names_itself() -> None:
    """A ceiling of disabled ends what a policy would do, and says which one it was."""
    found = lowered(Mode.ENFORCE, Guardrails(protected=Protected(), ceilings=(ceiling(Mode.DISABLED, "freeze"),)))
    assert (found.matched, found.reason, found.actions) == (False, "mode_disabled_by_guardrails", ())
    assert found.mode_reason == "mode_lowered_by:freeze"


def test_max_mode_is_named() -> None:
    """The furthest mode of all is named as the field it is."""
    found = lowered(Mode.ENFORCE, Guardrails(protected=Protected(), max_mode=Mode.APPROVE))
    assert (found.mode, found.mode_reason) == ("approve", "mode_lowered_by:max_mode")


def quiet(start: str = "22:00", end: str = "06:00", days: str = "", zone: str = "UTC") -> QuietHours:
    """Quiet hours."""
    wanted = tuple(Day(day) for day in days.split())
    return QuietHours(name="n", start=start, end=end, days=wanted, timezone=zone, max_mode=Mode.DRY_RUN)


BERLIN, YORK = "Europe/Berlin", "America/New_York"
TIMES = [  # 2026-03-02 is a Monday
    pytest.param(quiet(), "2026-03-02T21:59:59+00:00", False, id="before"),
    pytest.param(quiet(), "2026-03-02T22:00:00+00:00", True, id="from"),
    pytest.param(quiet(), "2026-03-03T05:59:59+00:00", True, id="after-midnight"),
    pytest.param(quiet(), "2026-03-03T06:00:00+00:00", False, id="to"),
    pytest.param(quiet(days="mon"), "2026-03-03T05:00:00+00:00", True, id="tuesday-morning-is-mondays-night"),
    pytest.param(quiet(days="tue"), "2026-03-03T05:00:00+00:00", False, id="not-tuesdays"),
    pytest.param(quiet(days="sun"), "2026-03-02T01:00:00+00:00", True, id="sunday-into-monday"),
    pytest.param(quiet(days="sat sun"), "2026-03-02T22:30:00+00:00", False, id="not-on-monday"),
    pytest.param(quiet("09:00", "17:30"), "2026-03-02T17:29:59+00:00", True, id="by-day"),
    pytest.param(quiet("09:00", "17:30"), "2026-03-02T17:30:00+00:00", False, id="day-over"),
    pytest.param(quiet("00:00", "24:00", "sat sun"), "2026-03-01T23:59:59+00:00", True, id="whole-sunday"),
    pytest.param(quiet("00:00", "24:00", "sat sun"), "2026-03-02T00:00:00+00:00", False, id="sunday-over"),
    pytest.param(quiet("22:00", "24:00"), "2026-03-03T00:00:00+00:00", False, id="until-midnight"),
    pytest.param(quiet("22:00", "00:00"), "2026-03-02T23:59:00+00:00", True, id="until-midnight-too"),
    pytest.param(quiet("22:00", "00:00"), "2026-03-03T00:00:00+00:00", False, id="and-not-longer"),
    pytest.param(quiet(zone=BERLIN), "2026-03-02T21:00:00+00:00", True, id="winter-in-berlin"),
    pytest.param(quiet(zone=BERLIN), "2026-07-06T20:00:00+00:00", True, id="summer-in-berlin"),
    pytest.param(quiet(zone=BERLIN), "2026-03-02T20:59:00+00:00", False, id="not-yet-in-winter"),
    pytest.param(quiet(days="mon", zone=YORK), "2026-03-03T03:30:00+00:00", True, id="still-monday-in-new-york"),
    # 29 March 2026: from 02:00 it is 03:00 in Berlin. 25 October: from 03:00 it is 02:00 again.
    pytest.param(quiet("01:00", "03:00", zone=BERLIN), "2026-03-29T00:59:59+00:00", True, id="before-the-gap"),
    pytest.param(quiet("01:00", "03:00", zone=BERLIN), "2026-03-29T01:00:00+00:00", False, id="after-the-gap"),
    pytest.param(quiet("02:30", "04:00", zone=BERLIN), "2026-03-29T01:00:00+00:00", True, id="begins-in-the-gap"),
    pytest.param(quiet("02:00", "02:30", zone=BERLIN), "2026-10-25T00:10:00+00:00", True, id="first-time-round"),
    pytest.param(quiet("02:00", "02:30", zone=BERLIN), "2026-10-25T00:40:00+00:00", False, id="between"),
    pytest.param(quiet("02:00", "02:30", zone=BERLIN), "2026-10-25T01:10:00+00:00", True, id="second-time-round"),
    pytest.param(quiet(zone=BERLIN), "2026-10-25T04:59:59+00:00", True, id="a-night-of-nine-hours"),
    pytest.param(quiet(zone=BERLIN), "2026-10-25T05:00:00+00:00", False, id="and-its-end"),
    pytest.param(quiet(zone="Asia/Kathmandu"), "2026-03-02T16:15:00+00:00", True, id="a-zone-of-quarters"),
    pytest.param(quiet(), "2026-03-02T23:00:00+02:00", False, id="now-in-another-zone"),
]


@pytest.mark.parametrize(("wanted", "now", "expected"), TIMES)
def test_quiet_hours_follow_the_wall_clock(wanted: QuietHours, now: str, expected: bool) -> None:
    """Quiet hours go by the wall clock of their zone, across midnight and through the change to summer time."""
    assert is_within(wanted, datetime.fromisoformat(now)) is expected
    rails = Guardrails(protected=Protected(), quiet_hours=(wanted,))
    assert (lowest(context(), rails, datetime.fromisoformat(now)).name == "n") is expected


@given(modes=st.lists(st.sampled_from(Mode), min_size=1, max_size=5), wanted=st.sampled_from(Mode))
def test_order_does_not_matter(modes: list[Mode], wanted: Mode) -> None:
    """The lowest of all ceilings wins, in whatever order they stand."""
    rails = Guardrails(protected=Protected(), ceilings=tuple(ceiling(mode, f"c{n}") for n, mode in enumerate(modes)))
    assert lowered(wanted, rails).mode == capped(wanted, *modes)


@pytest.mark.parametrize(
    ("actions", "result", "mode"),
    [
        (("label_pod",), "planned", Mode.APPROVE),
        (("label_pod",), "skipped", Mode.ENFORCE),
        (("delete_pod",), "planned", Mode.ENFORCE),
        ((), "skipped", Mode.APPROVE),
    ],
)
def test_a_ceiling_on_an_action_holds_for_policies_that_plan_it(
    actions: tuple[str, ...], result: str, mode: Mode
) -> None:
    """All of such a policy is lowered; one that has nothing to do there is not."""
    rails = Guardrails(protected=Protected(), ceilings=(ceiling(Mode.APPROVE, actions=actions),))
    planned = PlannedAction(action="label_pod", result=result, reason=Reason.PLANNED)
    policy = PolicyDecision(name="p", mode=Mode.ENFORCE, matched=True, reason=Reason.MATCHED, actions=(planned,))
    came = guard(context(), Decision(policies=(policy,)), rails, EVENT).policies[0]
    assert (came.mode, came.mode_reason) == (mode, "" if mode is Mode.ENFORCE else "mode_lowered_by:it")
