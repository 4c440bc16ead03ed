"""The outcome of a step, and whether the object is still the one."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, failed, not_the_target, target_gone

GONE = Result(status=StepStatus.TARGET_GONE, reason=Reason.GONE_BY_OTHER)
REPLACED = Result(status=StepStatus.TARGET_REPLACED, reason=Reason.TARGET_REPLACED)


def test_outcomes_are_named_with_detail() -> None:
    """A word for the record, and more of it for people."""
    assert done("labeled", "more") == Result(status=StepStatus.DONE, reason="labeled", detail="more")
    assert failed("denied") == Result(status=StepStatus.FAILED, reason="denied")
    assert target_gone() == GONE


@pytest.mark.parametrize(
    ("read", "expected"), [(None, GONE), ({"metadata": {"uid": "b"}}, REPLACED), ({"metadata": {"uid": "a"}}, None)]
)
def test_another_object_is_not_the_target(read: Any, expected: Result | None) -> None:
    """One that is gone or has another UID."""
    assert not_the_target(read, "a") == expected
