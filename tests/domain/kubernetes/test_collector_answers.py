"""What the collector tells is believed where it has its form, and nothing is read into what it does not tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from scc_responder.domain.kubernetes.collector_answers import CutAnswer, Socket, document, documents, told_time
from scc_responder.domain.kubernetes.collector_stream import Frame, FrameKind, Truncated


def frames(*names: str) -> Iterator[Frame]:
    """A document of each name, as frames; nothing may be read after `end`."""
    for name in names:
        if name == "end":
            raise Truncated("read too far")
        yield Frame(kind=FrameKind.DOCUMENT, payload=f'{{"name": "{name}"}}'.encode())


def test_documents_end_where_they_are_waited_for() -> None:
    """Nothing after it is read; without a name, all of them are."""
    assert list(documents(frames("run", "cut", "end"), "cut")) == ["run", "cut"]
    assert list(documents(frames("run", "cut"))) == ["run", "cut"]


@pytest.mark.parametrize("last", ["", "freeze"])
def test_a_stream_that_breaks_off_is_no_answer(last: str) -> None:
    """What came of it before is not returned."""
    with pytest.raises(Truncated, match="read too far"):
        documents(frames("cut", "end"), last)


@pytest.mark.parametrize("told", [{}, {"cut": {"found": 1, "destroyed": 1}}, {"cut": {"complete": "yes"}}])
def test_a_document_of_another_form_is_none(told: dict[str, dict[str, object]]) -> None:
    """One that lacks what it is asked for is as good as none."""
    with pytest.raises(Truncated, match="document cut"):
        document(told, "cut", CutAnswer)


def test_new_fields_are_passed_over() -> None:
    """A later collector may say more."""
    answer = document({"cut": {"found": 1, "destroyed": 0, "complete": False, "more": []}}, "cut", CutAnswer)
    assert answer == CutAnswer(found=1, destroyed=0, complete=False)


def test_an_answer_in_words_is_visible() -> None:
    """Counts first, then some of what is left; nothing in it hides."""
    left = tuple(Socket(protocol="tcp", remote=f"203.0.113.{n}:443\u202e", state="established") for n in range(30))
    text = str(CutAnswer(found=40, destroyed=10, complete=False, left=left, left_count=30, errors={"tcp EPERM": 30}))
    assert text.startswith("10 of 40 connections ended, 30 left: tcp 203.0.113.0:443\\u202e established, ")
    assert text.endswith(" and 10 more; 30 tcp EPERM")


def test_times_are_read_in_utc() -> None:
    """Or are none."""
    assert told_time("2026-03-02T10:37:05.120+01:00") == datetime(2026, 3, 2, 9, 37, 5, 120000, UTC)
    assert [told_time(text) for text in ("", "soon")] == [None, None]
