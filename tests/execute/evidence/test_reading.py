"""Sources are read side by side, each under its deadline, and none hides what another read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import Threat
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import EvidenceItem, Moment, NotPossible, Source, SourceInput, source
from scc_responder.execute.evidence.reading import read_sources
from scc_responder.journal.claimed_case import LostLease
from tests.kits.captures import given, read
from tests.kits.journal_worlds import finding

SUBJECT = given(Context(finding=finding(), threat=Threat(name="t", surface="pod", kind="ioc", confidence="likely")))
ITEM = EvidenceItem(kind="thing", content={"a": 1})


def made(name: str, answer: Callable[[], Any], **declared: Any) -> Source:
    """A source of this name."""

    def reads(_given: SourceInput) -> Sequence[EvidenceItem]:
        found: Sequence[EvidenceItem] = answer()
        return found

    reads.__name__ = name
    return source(**{"moment": Moment.BEFORE_DELETION, **declared})(reads)


def raising(error: Exception) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer


FORBIDDEN = ApiError(Reason.KUBERNETES_FORBIDDEN, "no", status=403, permission="secrets: list")
ANSWERS = {
    "kept": (lambda: [ITEM], ("kept", "", "", False, False)),
    "nothing": (list, ("empty", "", "", False, False)),
    "an-empty-list": (
        lambda: [EvidenceItem(kind="list", content=[], is_empty=True)],
        ("empty", "", "", False, False),
    ),
    "refused": (raising(FORBIDDEN), ("refused", "kubernetes_forbidden", "secrets: list", True, False)),
    "not-found": (raising(ApiError(Reason.NOT_FOUND, status=404)), ("not_possible", "not_found", "", True, False)),
    "unavailable": (
        raising(ApiError(Reason.SERVER_ERROR, status=503)),
        ("not_possible", "server_error", "", True, True),
    ),
    "nothing-to-read": (
        raising(NotPossible("pod_not_named")),
        ("not_possible", "pod_not_named", "", False, False),
    ),
    "refused-before": (
        raising(NotPossible("kubernetes_forbidden", permission="nodes: get")),
        ("refused", "kubernetes_forbidden", "nodes: get", False, False),
    ),
    "a-mistake": (raising(KeyError("metadata")), ("not_possible", "internal_error", "", True, True)),
}


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_what_a_source_meets_is_told(answer: Callable[[], Any], expected: tuple[Any, ...]) -> None:
    """In one word, with the reason and the permission; the other source's result stands beside it."""
    odd, other = read(SUBJECT, [made("odd", answer), made("other", lambda: [ITEM])])

    assert (odd.outcome, odd.why, odd.permission, odd.is_failed, odd.passing is not None) == expected
    assert (other.outcome, other.items) == ("kept", (ITEM,))


def test_a_source_past_its_deadline_is_left_behind() -> None:
    """It timed out; what the quick one read is kept, and nobody waits for the slow one."""
    may = threading.Event()
    began = time.monotonic()

    def slow() -> list[EvidenceItem]:
        may.wait(10)
        return [ITEM]

    try:
        found = _read_without_waiting([made("slow", slow, deadline_seconds=0.05), made("quick", lambda: [ITEM])])
        elapsed = time.monotonic() - began
    finally:
        may.set()

    assert [(each.outcome, each.is_failed, each.detail) for each in found] == [
        ("timed_out", True, "no answer within 0.05 s"),
        ("kept", False, ""),
    ]
    assert elapsed < 5


def _read_without_waiting(asked: list[Source]) -> Any:
    pool = ThreadPoolExecutor(4)
    try:
        return read_sources(asked, SUBJECT, pool, lambda: None)
    finally:
        pool.shutdown(wait=False)


def test_sources_of_one_moment_run_side_by_side() -> None:
    """Each waits for the other: one after the other they would never end."""
    together = threading.Barrier(2, timeout=10)

    def meets() -> list[EvidenceItem]:
        together.wait()
        return [ITEM]

    found = read(SUBJECT, [made("a", meets), made("b", meets)])

    assert [each.outcome for each in found] == ["kept", "kept"]


def test_moments_come_in_their_order() -> None:
    """What isolation would change is read first, what is still growing last, however the files are called."""
    seen: list[str] = []

    def noted(name: str) -> Callable[[], Any]:
        return lambda: seen.append(name) or [ITEM]

    moments = {"a": Moment.LATE, "b": Moment.BEFORE_ISOLATION, "c": Moment.BEFORE_DELETION}
    found = read(SUBJECT, [made(name, noted(name), moment=moment) for name, moment in moments.items()])

    assert seen == ["b", "c", "a"] == [each.source.name for each in found]


def test_a_long_reading_keeps_its_case() -> None:
    """The lease is renewed while a source is being read, so that no other delivery takes over."""
    may = threading.Event()
    found = read(SUBJECT, [made("slow", lambda: may.wait(10) and [ITEM])], may.set, renew_seconds=0.01)

    assert found[0].outcome == "kept"


def test_a_lost_case_ends_the_reading() -> None:
    """Where another delivery has taken over, nothing is stored by this one."""
    may = threading.Event()

    def lost() -> None:
        may.set()
        raise LostLease(Reason.LEASE_LOST)

    with pytest.raises(LostLease):
        read(SUBJECT, [made("slow", lambda: may.wait(10) and [ITEM])], lost, renew_seconds=0.01)


def test_a_lost_case_cancels_what_has_not_begun() -> None:
    """A source whose turn has not come is never asked."""
    may, asked = threading.Event(), list[str]()

    def lost() -> None:
        raise LostLease(Reason.LEASE_LOST)

    with ThreadPoolExecutor(1) as pool:
        sources = [
            made("slow", lambda: may.wait(10) and [ITEM]),
            made("waits", lambda: asked.append("waits") or [ITEM]),
        ]
        with pytest.raises(LostLease):
            read_sources(sources, SUBJECT, pool, lost, renew_seconds=0.05)
        may.set()
    assert asked == []
