"""Notes of what is to be asked later: one of a kind for each finding, answered once, given up in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.reasons import Reason
from scc_responder.pipeline.later.later_notes import (
    ASKED_AFTER,
    MOST_NOTES,
    MOST_TRIES,
    LaterNote,
    answer_notes,
    leave_note,
)
from scc_responder.pipeline.services import Services
from tests.kits.local_store import LocalStoreServices
from tests.kits.settings import local_settings

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NOTE = LaterNote(finding_name="f", event_time=NOW, due_at=NOW)


def services(tmp_path: Path) -> Services:
    """A responder with an empty store."""
    made = LocalStoreServices(local_settings(STORE=f"sqlite:///{tmp_path}/journal.db"))
    made.clock = lambda: NOW
    return made


def test_a_note_is_answered_once(tmp_path: Path) -> None:
    """The first one of its kind stays; one of another kind, or that is not due, is left alone."""
    made, met = services(tmp_path), list[LaterNote]()
    for note in (NOTE, LaterNote(finding_name="g", event_time=NOW, due_at=NOW)):
        leave_note("a/", "key", note, made)
    leave_note("b/", "key", NOTE, made)
    leave_note("a/", "later", LaterNote(finding_name="h", event_time=NOW, due_at=NOW + timedelta(seconds=1)), made)

    def answer(note: LaterNote) -> bool:
        met.append(note)
        return True

    assert [answer_notes("a/", LaterNote, answer, made) for _ in range(2)] == [1, 0]
    assert met == [NOTE]


@pytest.mark.parametrize("value", [b"{", b'{"finding_name": "\xff"}', b'{"of": "later"}'])
def test_a_note_that_makes_no_sense_keeps_no_other_from_its_answer(tmp_path: Path, value: bytes) -> None:
    """A later version wrote it, or nobody did: the sweep goes on."""
    made = services(tmp_path)
    made.store.create("a/0", value)
    leave_note("a/", "key", NOTE, made)
    assert answer_notes("a/", LaterNote, lambda _note: True, made) == 1
    assert [entry.key for entry in made.store.scan("a/").entries] == ["a/0"]


def test_those_that_wait_keep_no_other_from_its_answer(tmp_path: Path) -> None:
    """More than a sweep asks for could not be answered a moment ago, or are a later version's."""
    made = services(tmp_path)
    for number in range(MOST_NOTES):
        made.store.create(f"a/0{number}", b"{")
        leave_note("a/", f"1{number}", LaterNote(finding_name="w", event_time=NOW, due_at=NOW + ASKED_AFTER), made)
    leave_note("a/", "2", NOTE, made)
    assert answer_notes("a/", LaterNote, lambda _note: True, made) == 1


@pytest.mark.parametrize(
    "error", [RetryableError(Reason.RECORD_NEWER), RetryableError(Reason.MALFORMED_FINDING_NAME, "f"), KeyError("pod")]
)
def test_a_note_that_fails_ends_no_sweep(tmp_path: Path, error: Exception) -> None:
    """Its case is a later version's, or makes no sense: the others are answered, and it is tried again."""
    made = services(tmp_path)
    for key in ("0", "1"):
        leave_note("a/", key, LaterNote(finding_name=key, event_time=NOW, due_at=NOW), made)

    def answer(note: LaterNote) -> bool:
        if note.finding_name == "0":
            raise error
        return True

    assert answer_notes("a/", LaterNote, answer, made) == 1
    assert [entry.key for entry in made.store.scan("a/").entries] == ["a/0"]


def test_what_is_not_answered_is_tried_again_and_given_up(tmp_path: Path) -> None:
    """Whether the API fails or does not know yet."""
    made, tries = services(tmp_path), list[datetime]()
    leave_note("a/", "key", NOTE, made)

    def answer(_note: LaterNote) -> bool:
        tries.append(made.clock())
        if len(tries) % 2:
            raise ApiError(Reason.MONITORING.of("unavailable"), status=503)
        return False

    for number in range(2 * MOST_TRIES):
        made.clock = lambda number=number: NOW + ASKED_AFTER * number  # type: ignore[misc]
        answer_notes("a/", LaterNote, answer, made)
    assert len(tries) == MOST_TRIES
    assert tries[1] - tries[0] == ASKED_AFTER
