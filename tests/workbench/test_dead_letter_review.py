"""What is known of a message that was given up on, and what will become of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.status import CaseState
from scc_responder.intake.dead_letters import DeadLetter
from scc_responder.intake.envelope import MAX_DATA_BYTES
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseRecord, case_digest
from scc_responder.workbench.dead_letter_review import copies, predicted_fate, prospect
from tests.findings import data, notification
from tests.pipeline.test_heartbeat import MESSAGE

GIVEN_UP = {
    "CloudPubSubDeadLetterSourceDeliveryCount": "20",
    "CloudPubSubDeadLetterSourceSubscription": "findings",
    "CloudPubSubDeadLetterSourceSubscriptionProject": "example-project",
    "CloudPubSubDeadLetterSourceTopicPublishTime": "2026-03-01T12:00:00Z",
}
DOCUMENT = notification("reverse_shell")
FINDING = parse_notification(DOCUMENT)


def letter(content: bytes | dict[str, Any] = DOCUMENT, number: int = 1, **attributes: str) -> DeadLetter:
    body = content if isinstance(content, bytes) else data(content)
    return DeadLetter(
        ack_id=f"a{number}", message_id=f"m{number}", data=body, attributes={**GIVEN_UP, "x": "y", **attributes}
    )


def test_a_dead_letter_names_its_finding() -> None:
    """It is told by its finding; nothing is known yet of what its case makes of it."""
    found = prospect((letter(),))
    assert (found.fate, found.finding, found.category) == ("delivered_again", FINDING.name, FINDING.category)
    assert (found.event_time, found.letters[0].attempts, found.is_published) == (FINDING.event_time, 20, True)


COUNTS = [
    pytest.param({}, "1", id="the-first-time"),
    pytest.param({"redrive": "1"}, "2", id="the-second"),
    pytest.param({"redrive": "41"}, "42", id="again-and-again"),
    pytest.param({"redrive": "many"}, "1", id="no-number"),
    pytest.param({"redrive": "-7"}, "1", id="less-than-nothing"),
]


@pytest.mark.parametrize(("attributes", "count"), COUNTS)
def test_attributes_gain_the_redrive_count(attributes: dict[str, str], count: str) -> None:
    """It keeps its own attributes, loses those of its failure, and says how often it was redriven."""
    assert letter(**attributes).republished == {"x": "y", "redrive": count}


NAMED = b'{"finding": {"name": "' + FINDING.name.encode() + b'", "pad": "' + b"x" * MAX_DATA_BYTES + b'"}}'
FATES = [
    pytest.param(b"", "junk", "not_json", id="empty"),
    pytest.param(b"\xff\x00", "junk", "not_json", id="bytes"),
    pytest.param(b'{"a": 1}', "junk", "not_a_finding", id="other-json"),
    pytest.param(b"x" * (MAX_DATA_BYTES + 1), "junk", "oversize", id="too-large-and-nameless"),
    pytest.param(NAMED, "delivered_again", "oversize", id="too-large-but-named"),
    pytest.param(data(MESSAGE), "old_heartbeat", "", id="a-heartbeat"),
]


@pytest.mark.parametrize(("content", "fate", "reason"), FATES)
def test_junk_and_heartbeats_stay_unpublished(content: bytes, fate: str, reason: str) -> None:
    """Junk is not published again; nor is a heartbeat, which would prove what is not so."""
    found = prospect((letter(content),))
    assert (found.fate, found.reason) == (fate, reason)
    assert found.is_published == (fate == "delivered_again")


def record(**changes: Any) -> CaseRecord:
    values = {
        "finding_key": FINDING.key,
        "finding_name": FINDING.name,
        "event_time": FINDING.event_time,
        "digest": case_digest(FINDING),
        "finding_state": FINDING.state,
    }
    return CaseRecord(**{**values, **changes})


LATER = FINDING.event_time + timedelta(minutes=1)
CASES = [
    pytest.param(None, "claimed", "", id="no-case"),
    pytest.param(record(reason="store_unavailable"), "resumed", "store_unavailable", id="open"),
    pytest.param(record(state=CaseState.DONE), "duplicate", "done", id="done"),
    pytest.param(record(state=CaseState.DONE, event_time=LATER), "stale", "done", id="done-and-newer"),
    pytest.param(record(state=CaseState.HELD, reason="control_disabled"), "duplicate", "control_disabled", id="held"),
    pytest.param(
        record(state=CaseState.DONE, event_time=FINDING.event_time - timedelta(minutes=1), digest="0"),
        "reopened",
        "done",
        id="done-before",
    ),
]


@pytest.mark.parametrize(("case", "fate", "reason"), CASES)
def test_the_case_foretells_the_answer(case: CaseRecord | None, fate: str, reason: str) -> None:
    """By its case: exactly what the journal will say to it."""
    found = predicted_fate(prospect((letter(),)), case)
    assert (found.fate, found.reason, found.is_published) == (fate, reason, True)


def test_junk_has_no_case() -> None:
    """What is not published again has no prospect to look up."""
    junk = prospect((letter(b""),))
    assert predicted_fate(junk, record()) == junk


def test_copies_of_a_message_are_found() -> None:
    """Pub/Sub may give up on one message twice: its copies are one."""
    letters = [letter(number=1), letter(b"other", number=2), letter(number=3)]
    assert [[one.message_id for one in same] for same in copies(letters)] == [["m1", "m3"], ["m2"]]


@given(st.binary(max_size=200), st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=4))
def test_any_dead_letter_can_be_examined(content: bytes, attributes: dict[str, str]) -> None:
    """Whatever was given up on can be looked at."""
    found = prospect((DeadLetter(ack_id="a", message_id="m", data=content, attributes=attributes),))
    assert found.fate
    assert int(found.letters[0].republished["redrive"]) >= 1
