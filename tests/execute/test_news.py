"""Which outcomes people are told, and when a message is told again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scc_responder.domain.status import StepStatus
from scc_responder.execute.news import is_outdated, last_told, untold
from scc_responder.journal.step import Step

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def step(action: str, epoch: int, status: StepStatus = StepStatus.DONE, policy: str = "contain", at: int = 0) -> Step:
    """A step that was settled by the delivery of this epoch, `at` seconds after ten o'clock."""
    settled = NOW + timedelta(seconds=at)
    return Step(action_id=action, policy=policy, action=action, status=status, epoch=epoch, settled_at=settled)


TOLD = step("notify", 1)
OUTDATED = {
    "done after the message": ([TOLD, step("label_pod", 2)], True),
    "nothing since": ([TOLD, step("label_pod", 1)], False),
    "another message since": ([TOLD, step("label_pod", 2), step("notify", 2, policy="")], False),
    "no policy tells": ([step("notify", 1, policy=""), step("label_pod", 2)], False),
    "the message was not published": ([step("notify", 1, StepStatus.FAILED), step("label_pod", 2)], False),
    "another policy's message alone": ([TOLD, step("notify", 2, policy="other")], False),
    "only evidence since": ([TOLD, step("capture_evidence", 2)], False),
}


@pytest.mark.parametrize(("steps", "outdated"), OUTDATED.values(), ids=OUTDATED)
def test_a_message_is_outdated_by_later_steps(steps: list[Step], *, outdated: bool) -> None:
    """What a later delivery did is told once, and only where a policy tells outcomes."""
    assert is_outdated(steps, 2) == outdated


def test_bad_news_are_told_after_the_last_message() -> None:
    """What was held before it stands in it; a severe threat makes more of it news."""
    held, ending = step("label_pod", 1, StepStatus.HELD, at=5), step("delete_pod", 1, StepStatus.TERMINATING, at=5)
    assert last_told([held]) is None
    assert untold([held], severe=False) == [held]
    assert untold([held, step("notify", 1, at=9)], severe=False) == []
    assert [untold([ending], severe=severe) for severe in (True, False)] == [[ending], []]
