"""One line of ASCII JSON per delivery, whatever an attacker put into it; end states computed from outcomes alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.finding import PodRef
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import CaseRecord, Step
from scc_responder.journal.messages import Ending, conclusion, contained_seconds, finding_summary, log_line
from tests.kits.decision_contexts import context

ENDING = Ending(status=204, reason="done", severity="NOTICE")
EVIL = st.text() | st.sampled_from(
    ['"}\n{"severity":"DEFAULT', "\u2028\u2029", "\x1b[2J\x07", "\u202etxt.exe", "\ud800", "a\r\nb", "\x00", "\x85"]
)


@given(name=EVIL, category=EVIL, message_id=EVIL)
def test_a_finding_cannot_split_the_log(name: str, category: str, message_id: str) -> None:
    """Whatever stands in a finding, the log gets exactly one line of printable ASCII that reads back the same."""
    finding = context(
        finding={"name": name, "category": category, "pods": (PodRef(namespace=name, name=name),)}
    ).finding
    line = log_line(ENDING, message_id, "", "", {"finding": finding_summary(finding), "threat": category})
    told = json.loads(line)
    assert line.isascii()
    assert line.isprintable()
    assert told["finding"]["name"] == name
    assert told["severity"] == "NOTICE"


def test_cloud_logging_finds_its_special_fields() -> None:
    """Cloud Logging finds severity, trace and labels where it looks for them."""
    told = json.loads(log_line(ENDING, "11", "a" * 32, "example-project", {"case": "0a0a", "state": "done", "x": 1}))
    assert told["logging.googleapis.com/trace"] == f"projects/example-project/traces/{'a' * 32}"
    assert told["logging.googleapis.com/labels"] == {
        "reason": "done",
        "message_id": "11",
        "case": "0a0a",
        "state": "done",
    }


@pytest.mark.parametrize(("trace", "project"), [("", "example-project"), ("a" * 32, "")])
def test_half_a_trace_is_none(trace: str, project: str) -> None:
    """Half a trace's name is none."""
    assert "logging.googleapis.com/trace" not in log_line(ENDING, "11", trace, project, {})


def steps(*outcomes: tuple[str, StepStatus]) -> list[Step]:
    return [Step(action_id=str(n), action=action, status=status) for n, (action, status) in enumerate(outcomes)]


DONE = ("label_pod", StepStatus.DONE)
CONCLUSIONS: list[Any] = [
    pytest.param([DONE], CaseState.DONE, id="done"),
    pytest.param([], CaseState.DONE, id="nothing"),
    pytest.param([("label_pod", StepStatus.SKIPPED)], CaseState.DONE, id="nothing-to-do"),
    pytest.param([("label_pod", StepStatus.DRY_RUN)], CaseState.DONE, id="dry-run"),
    pytest.param([("label_pod", StepStatus.HELD)], CaseState.HELD, id="held"),
    pytest.param([("label_pod", StepStatus.HELD), ("notify", StepStatus.DONE)], CaseState.HELD, id="held-and-told-of"),
    pytest.param([DONE, ("delete_pod", StepStatus.HELD)], CaseState.PARTIAL, id="some-held"),
    *[
        pytest.param([DONE, ("delete_pod", status)], CaseState.PARTIAL, id=str(status))
        for status in StepStatus
        if status not in {StepStatus.DONE, StepStatus.SKIPPED, StepStatus.DRY_RUN, StepStatus.WAITING}
    ],
    pytest.param([("notify", StepStatus.FAILED)], CaseState.PARTIAL, id="not-told"),
    pytest.param([DONE, ("delete_pod", StepStatus.WAITING)], CaseState.WAITING, id="waiting"),
    pytest.param([("label_pod", StepStatus.FAILED), ("delete_pod", StepStatus.WAITING)], CaseState.WAITING, id="both"),
]


@pytest.mark.parametrize(("outcomes", "state"), CONCLUSIONS)
def test_only_verified_outcomes_end_as_success(outcomes: list[tuple[str, StepStatus]], state: CaseState) -> None:
    """No outcome but one that was carried out and read back ends as a success."""
    assert conclusion(steps(*outcomes)) == state


EVENT = datetime(2026, 3, 2, 9, 38, 16, tzinfo=UTC)
CONTAINED = [
    pytest.param("delete_pod", StepStatus.DONE, CaseState.DONE, 90, 90.0, id="contained"),
    pytest.param("isolate_pod", StepStatus.DONE, CaseState.DONE, -2, 0.0, id="clocks-differ"),
    pytest.param("label_pod", StepStatus.DONE, CaseState.DONE, 90, None, id="only-marked"),
    pytest.param("capture_evidence", StepStatus.DONE, CaseState.DONE, 90, None, id="only-evidence"),
    pytest.param("delete_pod", StepStatus.DRY_RUN, CaseState.DONE, 90, None, id="dry-run"),
    pytest.param("delete_pod", StepStatus.DONE, CaseState.PARTIAL, 90, None, id="in-part"),
    pytest.param("delete_pod", StepStatus.DONE, CaseState.OPEN, None, None, id="still-open"),
]


@pytest.mark.parametrize(("action", "status", "state", "after", "seconds"), CONTAINED)
def test_time_to_contain(
    action: str, status: StepStatus, state: CaseState, after: int | None, seconds: float | None
) -> None:
    """The time to contain is that of cases that ended well and in which something was done that contains."""
    record = CaseRecord(
        finding_key="k",
        finding_name="f",
        event_time=EVENT,
        digest="d",
        state=state,
        steps=(Step(action_id="a", action=action, status=status, epoch=1),),
        closed_at=None if after is None else EVENT + timedelta(seconds=after),
    )
    assert contained_seconds(record) == seconds
