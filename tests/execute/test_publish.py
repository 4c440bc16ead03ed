"""A decision is published once, and what comes of that is the step's outcome."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.changes import StepRun
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.reasons import Reason
from scc_responder.execute.publish import publish

FORBIDDEN = ApiError(Reason.PUBSUB.of("permission_denied"), status=403, permission="pubsub.topics.publish")

NOTICE = Notice(kind=NoticeKind.OUTCOME, severity=NoticeSeverity.NOTICE, facts={})


class Topic:
    """`ports.Notifier` that answers this."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.published: list[Notice] = []

    def tell(self, notice: Notice) -> str:
        self.published.append(notice)
        if isinstance(self.answer, Exception):
            raise self.answer
        return str(self.answer)


OUTCOMES = {
    "published": (Topic("1"), ("done", "published", "1"), 1),
    "nowhere": (None, ("skipped", "no_outcome_topic", ""), 0),
    "refused": (
        Topic(FORBIDDEN),
        ("failed", "pubsub_permission_denied", "missing permission: pubsub.topics.publish"),
        1,
    ),
}


STEP = StepRun(action_id="a", dry_run=False, intended=False, intend=lambda: None, renew=lambda: None)


@pytest.mark.parametrize(("topic", "expected", "count"), OUTCOMES.values(), ids=OUTCOMES)
def test_the_topics_answer_is_the_outcome(topic: Topic | None, expected: tuple[str, str, str], count: int) -> None:
    """Without a topic it is skipped."""
    result = publish(NOTICE, STEP, topic)

    assert (result.status, result.reason, result.detail) == expected
    assert len(topic.published if topic else []) == count


def test_a_topic_that_is_down_is_asked_again() -> None:
    """By a later delivery."""
    error = ApiError(Reason.PUBSUB.of("unavailable"), "unavailable", status=503)
    with pytest.raises(RetryableError, match="unavailable"):
        publish(NOTICE, STEP, Topic(error))
