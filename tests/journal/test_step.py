"""A step of a case: whether its outcome is known, and whether a later delivery has to go on with it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scc_responder.domain.status import StepStatus
from tests.kits.journal_worlds import step


@pytest.mark.parametrize("status", list(StepStatus))
def test_a_step_is_settled_unless_its_outcome_is_open(status: StepStatus) -> None:
    """Only what was meant or is unknown is looked at again."""
    assert step(1, status).is_settled == (status.value not in {"intent", "unknown"})


@pytest.mark.parametrize(
    ("reason", "awaited", "again"),
    [("deletion_awaited", True, True), ("budget_awaited", False, True), ("isolated", False, False), ("", False, False)],
)
def test_a_sweep_goes_on_with_what_is_awaited(reason: str, *, awaited: bool, again: bool) -> None:
    """What was carried out is only looked at; what a budget held is tried again."""
    made = replace(step(1), reason=reason)
    assert (made.is_awaited, made.comes_again) == (awaited, again)


@pytest.mark.parametrize(
    ("status", "reason", "so_already", "left_out"),
    [
        (StepStatus.SKIPPED, "already_labeled", True, False),
        (StepStatus.DONE, "already_labeled", False, False),
        (StepStatus.SKIPPED, "a word of another version", False, False),
        (StepStatus.NOT_POSSIBLE, "no_collector_image", False, True),
        (StepStatus.HELD, "no_collector_image", False, False),
    ],
)
def test_status_and_reason_say_it_together(
    status: StepStatus, reason: str, *, so_already: bool, left_out: bool
) -> None:
    """A reason alone does not tell: the status says what became of the step."""
    made = replace(step(1, status), reason=reason)
    assert (made.is_so_already, made.is_left_out) == (so_already, left_out)
