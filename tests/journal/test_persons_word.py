"""A person's word on a case: what it is about, and which notifications it settles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.errors import RetryableError
from scc_responder.domain.finding import FindingContainer
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import CaseRecord, WordKind, case_digest
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.persons_word import is_about, settles, short_words, with_word
from tests.kits.journal_worlds import START, JournalWorld, finding, step

CONTAINER = (FindingContainer(name="web", create_time=START),)


def spoken(**fields: Any) -> CaseRecord:
    """A case that a person undid an hour after its event."""
    known = finding(containers=CONTAINER)
    record = CaseRecord(
        finding_key=known.key,
        finding_name=known.name,
        event_time=known.event_time,
        digest=case_digest(known),
        state=CaseState.HELD,
        steps=(step(status=StepStatus.DONE, change={"change": "patch"}, epoch=1),),
        decision={"pod": {"uid": "uid-of-pod"}, "cloud_run": None},
    )
    return with_word(record, WordKind.UNDONE, "a@example.com", START + timedelta(hours=1), "ours\n", **fields)


def test_a_word_is_about_what_was_acted_on_and_read() -> None:
    """It names the pod and the content, and has the words in a form that hides nothing."""
    word = spoken().word
    assert word is not None
    assert (word.uids, word.said, word.by) == (("uid-1", "uid-of-pod"), "ours\\u000a", "a@example.com")
    assert [is_about(word, uids) for uids in ({"uid-of-pod"}, {"uid-2"}, ())] == [True, False, False]
    assert is_about(replace(word, uids=()), {"uid-2"})
    assert not is_about(None, {"uid-2"})
    assert len(short_words("x" * 1000)) == 500


@pytest.mark.parametrize(
    ("fields", "until", "expected"),
    [
        pytest.param({"minutes": 90}, None, True, id="same content"),
        pytest.param({"minutes": 90, "content": "other"}, None, False, id="other content"),
        pytest.param({"minutes": 90, "containers": (FindingContainer(name="web"),)}, None, False, id="other container"),
        pytest.param({"minutes": 90}, timedelta(hours=2), True, id="before its end"),
        pytest.param({"minutes": 120}, timedelta(hours=2), False, id="at its end"),
    ],
)
def test_a_word_settles_the_same_content_alone(
    fields: dict[str, Any], until: timedelta | None, *, expected: bool
) -> None:
    """Other content is news, and a word may have an end."""
    word = spoken(until=START + until if until else None).word
    meant = finding(**({"containers": CONTAINER} | fields))
    assert settles(word, meant, case_digest(meant)) == expected
    assert not settles(None, meant, case_digest(meant))


def test_a_word_is_read_back_as_it_was_stored() -> None:
    """A kind of word that only a later version knows leaves the case alone."""
    record = spoken()
    assert decode(encode(record)).word == record.word
    with pytest.raises(RetryableError, match=r"record_newer|word\.kind"):
        decode(encode(record).replace(b'"undone"', b'"forgiven"'))


def test_a_newer_event_does_not_open_what_a_person_ended(world: JournalWorld) -> None:
    """Only other content does; the word is kept in the history then, and counts no longer."""
    held = world.held(containers=CONTAINER)
    held.keep(with_word(held.record, WordKind.UNDONE, "a@example.com", START))
    held.close(CaseState.HELD, "undone")
    assert world.claim(minutes=5, containers=CONTAINER).outcome == "duplicate"
    case = world.claim(minutes=6, content="other", containers=CONTAINER)
    assert case.outcome == "reopened"
    assert [closing.word.kind for closing in case.record.history if closing.word] == ["undone"]
