"""A person's choice between revisions: when a case takes one, and which."""

from __future__ import annotations

import pytest

from scc_responder.collect.meant_revision import MAX_CANDIDATES
from scc_responder.domain.clock import utc_now
from scc_responder.domain.status import CaseState as S
from scc_responder.domain.status import StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.step import Step
from scc_responder.workbench.revision_choice import awaits_choice, choose_revision, refused_choice, revision_candidates


def case(state: S, reason: str, epoch: int = 1, offered: str = "") -> CaseRecord:
    """A case of which one step is held for `reason`."""
    held = Step(action_id="a", status=StepStatus.HELD, reason=reason, epoch=epoch)
    decision = {"identity": {"checks": {"one_revision_of": offered}}} if offered else {}
    return CaseRecord(
        finding_key="k",
        finding_name="n",
        event_time=utc_now(),
        digest="d",
        state=state,
        steps=(held,),
        decision=decision,
    )


@pytest.mark.parametrize(
    ("state", "reason", "epoch", "expected"),
    [
        (S.HELD, "several_revisions", 1, True),
        (S.HELD, "revision_not_known", 1, True),
        (S.WAITING, "several_revisions", 1, True),
        (S.PARTIAL, "several_revisions", 1, True),
        (S.PARTIAL, "revision_gone", 1, True),
        (S.HELD, "namespace_protected", 1, False),
        (S.PARTIAL, "namespace_protected", 1, False),
        (S.OPEN, "several_revisions", 1, False),
        (S.DONE, "several_revisions", 1, False),
        (S.HELD, "several_revisions", 0, False),
    ],
)
def test_a_person_may_choose_where_a_step_is_held_for_it(state: S, reason: str, epoch: int, *, expected: bool) -> None:
    """Not while somebody works on the case, and not for what held it before it was opened again."""
    assert awaits_choice(case(state, reason, epoch)) == expected


FULL = ", ".join(f"checkout-{number:05}-abc" for number in range(MAX_CANDIDATES))


@pytest.mark.parametrize(
    ("offered", "revision", "reason"),
    [
        ("checkout-2, checkout-1", "checkout-1", None),
        ("checkout-2, checkout-1", "checkout-3", "revision_not_offered"),
        ("checkout-2, checkout-1", "checkout", "revision_not_offered"),
        ("", "checkout-3", None),
        (FULL, "checkout-99999-abc", None),
        ("checkout-1", "checkout-1; rm", "invalid_revision"),
        ("", "CHECKOUT", "invalid_revision"),
        ("", "projects/p/locations/l/services/s/revisions/r", "invalid_revision"),
        ("", "checkout-1\n", "invalid_revision"),
        ("", "c" * 64, "invalid_revision"),
    ],
)
def test_a_choice_is_one_of_those_that_are_offered(offered: str, revision: str, reason: str | None) -> None:
    """A list that may have been cut offers others, too; what is no name is refused whatever is offered."""
    assert refused_choice(case(S.PARTIAL, "several_revisions", offered=offered), revision) == reason


def test_a_case_without_a_decision_offers_nothing() -> None:
    """Its first delivery may have ended before anything was read."""
    assert revision_candidates(case(S.HELD, "several_revisions")) == ()


@pytest.mark.parametrize(
    ("state", "is_held", "revision", "reason"),
    [
        (S.HELD, False, "checkout-2", "resumed_by_person"),
        (S.WAITING, False, "checkout-2", "resumed_by_person"),
        (S.PARTIAL, False, "checkout-2", "resumed_by_person"),
        (S.HELD, True, "checkout-2", "case_in_progress"),
        (S.DONE, False, "checkout-2", "no_choice_awaited"),
        (S.HELD, False, "checkout-2; rm", "invalid_revision"),
    ],
)
def test_a_person_chooses_the_revision(state: S, is_held: bool, revision: str, reason: str) -> None:
    """Of several that may be meant: the case keeps the choice, and is planned anew for that one."""
    came = choose_revision(case(state, "several_revisions"), is_held, revision, now=utc_now())
    assert (came.reason, came.status) == (reason, 204 if came.record else 409)
    if came.record:
        assert (came.record.state, came.record.revision) == (S.OPEN, revision)
