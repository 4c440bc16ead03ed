"""How far a policy goes at one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.context import Namespace
from scc_responder.domain.mode import Mode
from scc_responder.guard.guard import guard
from scc_responder.guard.kill_switch import KillSwitchCeiling, under
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.policy.decide import decide
from scc_responder.policy.effective_mode import effective_mode
from scc_responder.policy.guardrails import Guardrails, Protected
from scc_responder.policy.hours import Day, Hours
from scc_responder.policy.policy_set import ClusterMode
from tests.kits.decision_contexts import context
from tests.policy.test_decide import policy_of

MONDAY, SUNDAY = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
WEEKDAYS = (Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI)
OFFICE = Hours(start="09:00", end="17:00", days=WEEKDAYS)
NIGHT = Hours(start="22:00", end="06:00")
CASES = [
    pytest.param({}, MONDAY.replace(hour=3), Mode.ENFORCE, id="no-hours"),
    pytest.param({"office_hours": (OFFICE,)}, MONDAY.replace(hour=9), Mode.ENFORCE, id="in-the-office"),
    pytest.param({"office_hours": (OFFICE,)}, MONDAY.replace(hour=17), Mode.DRY_RUN, id="after-work"),
    pytest.param({"office_hours": (OFFICE,)}, SUNDAY.replace(hour=12), Mode.DRY_RUN, id="on-sunday"),
    pytest.param({"office_hours": (OFFICE, NIGHT)}, SUNDAY.replace(hour=23), Mode.ENFORCE, id="in-one-of-two"),
    pytest.param({"quiet_hours": (NIGHT,)}, MONDAY.replace(hour=5), Mode.DRY_RUN, id="at-night"),
    pytest.param({"quiet_hours": (NIGHT,)}, MONDAY.replace(hour=6), Mode.ENFORCE, id="in-the-morning"),
    pytest.param({"quiet_hours": (NIGHT,), "office_hours": (OFFICE,)}, MONDAY.replace(hour=8), Mode.DRY_RUN, id="both"),
    pytest.param({"quiet_hours": (NIGHT,)}, None, Mode.DRY_RUN, id="at-no-known-time"),
    pytest.param(
        {"quiet_hours": (NIGHT,), "out_of_hours": Mode.APPROVE},
        MONDAY.replace(hour=5),
        Mode.APPROVE,
        id="asks-then",
    ),
    pytest.param(
        {"quiet_hours": (NIGHT,), "mode": Mode.DRY_RUN, "out_of_hours": Mode.ENFORCE},
        MONDAY.replace(hour=5),
        Mode.DRY_RUN,
        id="raised-never",
    ),
]


@pytest.mark.parametrize(("fields", "now", "mode"), CASES)
def test_hours_lower_a_mode(fields: dict[str, Any], now: datetime | None, mode: Mode) -> None:
    """Out of hours it goes as far as the policy says for that time, and the reason says so."""
    policy = replace(policy_of(), **{"mode": Mode.ENFORCE, **fields})
    found, reason = effective_mode(policy, context(now=now))
    assert found == mode
    assert reason == ("mode_lowered_by:out_of_hours" if mode != policy.mode else "")
    (decided,) = decide(context(now=now), (policy,)).policies
    assert (decided.mode, decided.mode_reason) == (found, reason)


DEV = "projects/*/locations/*/clusters/dev-*"
PROD = "projects/*/locations/*/clusters/prod-*"


def mode_of(mode: Mode, cluster: str, **labels: Any) -> ClusterMode:
    """A mode in clusters, in namespaces with labels."""
    return ClusterMode(mode=mode, clusters=(cluster,), namespace_labels=labels or None)


RAISED = mode_of(Mode.ENFORCE, PROD, stage=("canary", "test-*"))
LABELS = [
    pytest.param((RAISED,), {"stage": "canary"}, Mode.ENFORCE, id="raised"),
    pytest.param((RAISED,), {"stage": "test-2", "tier": "3"}, Mode.ENFORCE, id="by-a-pattern"),
    pytest.param((RAISED,), {"stage": "live"}, Mode.DRY_RUN, id="another-value"),
    pytest.param((RAISED,), {}, Mode.DRY_RUN, id="no-label"),
    pytest.param((mode_of(Mode.ENFORCE, PROD, stage="*"),), {"tier": ""}, Mode.DRY_RUN, id="any-value-is-one"),
    pytest.param((mode_of(Mode.ENFORCE, DEV, stage="canary"),), {"stage": "canary"}, Mode.DRY_RUN, id="elsewhere"),
    pytest.param(
        (mode_of(Mode.APPROVE, PROD), mode_of(Mode.DRY_RUN, PROD, stage="canary")),
        {"stage": "canary"},
        Mode.APPROVE,
        id="never-lowered",
    ),
    pytest.param((mode_of(Mode.APPROVE, PROD), RAISED), {"stage": "canary"}, Mode.ENFORCE, id="beyond-the-cluster-s"),
    pytest.param(
        (mode_of(Mode.ENFORCE, PROD, stage="canary", tier="3"),), {"stage": "canary"}, Mode.DRY_RUN, id="all-keys"
    ),
]


@pytest.mark.parametrize(("modes", "labels", "mode"), LABELS)
def test_labels_of_the_namespace_raise_a_mode(
    modes: tuple[ClusterMode, ...], labels: dict[str, str], mode: Mode
) -> None:
    """In the clusters that are named beside them, and never lower one."""
    policy = replace(policy_of(), mode=Mode.DRY_RUN, modes=modes)
    space = Namespace(name="shop", uid="u", labels=labels)
    assert effective_mode(policy, context(namespace=space)) == (mode, "")


def test_a_namespace_that_was_not_read_raises_nothing() -> None:
    """And the reason says so, where a label might; hours lower what a label raised."""
    policy = replace(policy_of(), mode=Mode.DRY_RUN, modes=(RAISED,))
    assert effective_mode(policy, context(namespace=None)) == (Mode.DRY_RUN, "mode_not_raised")
    elsewhere = replace(policy, modes=(mode_of(Mode.ENFORCE, DEV, stage="canary"),))
    assert effective_mode(elsewhere, context(namespace=None)) == (Mode.DRY_RUN, "")
    at_night = replace(policy, quiet_hours=(NIGHT,), out_of_hours=Mode.APPROVE)
    canary = context(namespace=Namespace(name="shop", uid="u", labels={"stage": "canary"}), now=MONDAY.replace(hour=5))
    assert effective_mode(at_night, canary) == (Mode.APPROVE, "mode_lowered_by:out_of_hours")


def test_ceilings_and_the_kill_switch_win_over_labels() -> None:
    """Whoever may label a namespace lifts no guardrail."""
    policy = replace(policy_of(), mode=Mode.DRY_RUN, modes=(RAISED,))
    canary = context(namespace=Namespace(name="shop", uid="u", labels={"stage": "canary"}))
    decision = decide(canary, (policy,))
    assert decision.policies[0].mode == Mode.ENFORCE
    rails = Guardrails(protected=Protected(), max_mode=Mode.APPROVE)
    assert guard(canary, decision, rails, MONDAY, reach=EVERYWHERE_IN_RUN).policies[0].mode == Mode.APPROVE
    switched = under(KillSwitchCeiling(mode=Mode.DRY_RUN), decision, canary)
    assert switched.policies[0].mode == Mode.DRY_RUN


def test_a_policy_may_be_off_out_of_hours() -> None:
    """Then it does not match at all."""
    policy = replace(policy_of(), mode=Mode.ENFORCE, quiet_hours=(NIGHT,), out_of_hours=Mode.DISABLED)
    (decided,) = decide(context(now=MONDAY), (policy,)).policies
    assert (decided.matched, decided.reason, decided.actions) == (False, "mode_disabled", ())
