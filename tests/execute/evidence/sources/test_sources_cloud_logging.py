"""Entries of Cloud Logging are evidence, as many as two requests give."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.changes.capture_cloud_logs import CaptureCloudLogs
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import NotPossible, SourceInput
from scc_responder.execute.evidence.sources.cloud_logging import cloud_logging
from tests.kits.decision_contexts import context
from tests.kits.google.logging_server import audit_entry, line_entry

AT = "2026-03-02T09:28:00Z"
EXEC = audit_entry(
    "core/v1/namespaces/shop/pods/web-1/exec", "io.k8s.core.v1.pods.exec.create", "alice@example.com", AT
)
BUSY = ApiError(Reason.LOGGING.of("resource_exhausted"), status=429)
DENIED = ApiError(Reason.LOGGING.of("permission_denied"), status=403, permission="logging.logEntries.list")


class Logs:
    """`ports.CloudLogs` that answers, or raises, in this order."""

    def __init__(self, *answers: list[dict[str, Any]] | ApiError) -> None:
        self.answers = [*answers]
        self.asked: list[str] = []

    def entries(self, project: str, filter_: str, most: int) -> tuple[list[dict[str, Any]], bool]:
        self.asked.append(project)
        assert most == 1000
        answer = self.answers.pop(0)
        if isinstance(answer, ApiError):
            raise answer
        return answer, False


def given(*answers: list[dict[str, Any]] | ApiError, **facts: Any) -> SourceInput:
    """What the source may look at."""
    return SourceInput(context=context(**facts), change=CaptureCloudLogs(), logs=Logs(*answers))


def test_two_requests_are_sent_and_kept() -> None:
    """With who entered, in a few words."""
    who, written = cloud_logging.read(given([EXEC], [line_entry("a", AT)]))
    assert who.summary == "exec by alice@example.com 09:28, no call of the pod's identity"
    assert (who.title, written.title, written.summary) == ("who", "written", "1 entries of the pod, 0 of its node")


FAILED = {
    "busy": ((BUSY, BUSY), NotPossible, "logs_later"),
    "denied": ((DENIED, DENIED), ApiError, "logging_permission_denied"),
}


@pytest.mark.parametrize(("answers", "kind", "reason"), FAILED.values(), ids=FAILED)
def test_no_answer_says_why(answers: Any, kind: type[Exception], reason: str) -> None:
    """A quota that is used up is left to a sweep."""
    with pytest.raises(kind, match=reason):
        cloud_logging.read(given(*answers))


def test_one_answer_of_two_is_kept() -> None:
    """With what the other one met."""
    _, errors = cloud_logging.read(given([EXEC], BUSY))
    assert errors.summary == "logs_later"


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        (SourceInput(context=context(), change=CaptureCloudLogs()), "no_cloud_logging"),
        (given(finding={"cluster": None}), "nothing_to_ask"),
    ],
)
def test_what_cannot_be_asked_says_so(subject: SourceInput, reason: str) -> None:
    """Nothing is sent."""
    with pytest.raises(NotPossible, match=reason):
        cloud_logging.read(subject)
