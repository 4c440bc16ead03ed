"""What came in a storm is told as one, each notice counted once, whatever ends in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.store import CasStore
from scc_responder.journal.account.notice_card import notice_card
from scc_responder.journal.outbox import digest
from scc_responder.journal.outbox.digest import MOST_CASES_TOLD, DigestState, GatheredNotice, digest_notice, gather
from scc_responder.journal.outbox.outbox import notice_id, put
from tests.kits.notices import NOON, told

MINUTE = timedelta(minutes=1)


def fold(store: CasStore, minute: float, put: Callable[[Notice], object], *, ends: int = 1_000_000) -> int:
    """A sweep at so many minutes after noon, which has time for so many pages."""
    left = iter([True] * ends)
    return digest.told_together(store, "shop", NOON + minute * MINUTE, put, lambda: next(left, False))


def entries(store: CasStore) -> list[str]:
    return [entry.key for entry in store.scan("gathered/", limit=1000).entries if not entry.key.endswith(".digest")]


def test_a_digest_tells_how_many_of_what(store: CasStore) -> None:
    """By kind, threat, severity and reason, with the first cases; the gathered notices are gone then."""
    for number in range(7):
        gather(store, "shop", told(number, severity="HIGH" if number < 2 else "LOW"), NOON + number * MINUTE / 10)
    gather(store, "shop", told(6), NOON)
    gather(store, "other", told(9), NOON)
    said: list[Notice] = []
    assert fold(store, 1, said.append) == 7
    (notice,) = said
    assert notice.facts["count"] == 7
    assert notice.facts["by_kind"] == {"outcome": 7}
    assert notice.facts["by_threat"] == {"reverse_shell": 7}
    assert notice.facts["by_finding_severity"] == {"HIGH": 2, "LOW": 5}
    assert sorted(notice.facts["cases"]) == [f"{number:012x}" for number in range(7)]
    assert (notice.facts["first_at"], notice.facts["last_at"]) == (NOON, NOON + 6 * MINUTE / 10)
    assert entries(store) == [f"gathered/other/{notice_id(told(9))}"]


@pytest.mark.parametrize(
    ("is_over", "odd", "ends"), [([True, True], False, True), ([True, False], False, False), ([True], True, False)]
)
def test_a_digest_of_what_needs_nobody_is_over(store: CasStore, is_over: list[bool], *, odd: bool, ends: bool) -> None:
    """One that tells of anything that needs people is not, nor is one with what makes no sense in it."""
    for number, each in enumerate(is_over):
        gather(store, "shop", told(number, is_over=each), NOON)
    if odd:
        store.create("gathered/shop/x", b"{")
    said: list[Notice] = []
    fold(store, 1, said.append)
    assert [notice.subject.is_over for notice in said] == [ends]


def test_a_route_has_one_digest_in_five_minutes(store: CasStore) -> None:
    """What comes meanwhile is counted by each sweep, and told by the next digest."""
    said: list[Notice] = []
    for minute in range(11):
        gather(store, "shop", told(minute), NOON + minute * MINUTE)
        fold(store, minute, said.append)
        assert entries(store) == []
    assert [notice.facts["count"] for notice in said] == [1, 5, 5]
    assert len({notice_id(notice) for notice in said}) == 3


def test_nothing_gathered_is_no_digest(store: CasStore) -> None:
    """One read, and nothing is written."""
    said: list[Notice] = []
    assert fold(store, 0, said.append) == 0
    assert (said, store.scan("gathered/").entries) == ([], ())


def test_a_sweep_without_time_tells_what_it_counted(store: CasStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is told by the next digest."""
    monkeypatch.setattr(digest, "_PAGE", 3)
    for number in range(8):
        gather(store, "shop", told(number), NOON)
    said: list[Notice] = []
    fold(store, 1, said.append, ends=2)
    fold(store, 7, said.append)
    assert [notice.facts["count"] for notice in said] == [6, 2]


def test_a_sealed_digest_never_changes(store: CasStore) -> None:
    """What comes after a process ended, that had sealed and put it, is told by the next one: same id, same text."""
    gather(store, "shop", told(1), NOON)
    said: list[Notice] = []

    def put_and_end(notice: Notice) -> None:
        said.append(notice)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fold(store, 1, put_and_end)
    gather(store, "shop", told(2), NOON + MINUTE)
    assert fold(store, 2, said.append) == 1
    assert said[0] == said[1]
    assert fold(store, 8, said.append) == 1
    assert said[2].facts["cases"] == [told(2).case]


def test_the_largest_count_fits_the_store(store: CasStore) -> None:
    """A route of the longest name, a whole page at once, and more words than are told apart."""
    route, state = "r" * 63, DigestState(id="0" * 16)
    for page in range(4):
        items = [
            GatheredNotice(
                kind=NoticeKind.UNDONE_BY_OTHERS,
                severity=NoticeSeverity.WARNING,
                at=NOON,
                case=f"{number:012x}",
                reason=f"reason_{number:0100d}",
                threat=f"threat_{number:0100d}",
                finding_severity=f"SEVERITY_{number:0100d}",
            )
            for number in range(page * 250, page * 250 + 250)
        ]
        state = digest.with_counted(state, [(f"gathered/{route}/{item.case:0>32}", item) for item in items])
    store.create(f"gathered/{route}/.digest", msgspec.json.encode(state))
    made = digest_notice(route, state)
    assert (made.facts["count"], len(made.facts["by_reason"])) == (1000, 151)
    assert put(store, route, made, NOON)
    card = notice_card(RoutedNotice(id="n", thread="n", notice=made))
    assert max(len(line.text.encode()) for line in card.lines) <= 704


def test_what_makes_no_sense_counts_as_well(store: CasStore) -> None:
    """Nobody can hide a notice by spoiling it; a spoilt count begins anew."""
    store.create("gathered/shop/0", b"{")
    store.create("gathered/shop/1", b'{"kind": "\xff"}')
    store.create("gathered/shop/.digest", b'{"id": "\xff"}')
    said: list[Notice] = []
    assert fold(store, 0, said.append) == 2
    assert said[0].facts["by_kind"] == {"other": 2}


class Dies(BaseException):
    """The process ends here."""


class Mortal:
    """A store whose process ends before or after its N-th write."""

    def __init__(self, store: CasStore, dies: int) -> None:
        self._store = store
        self._left = dies

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in {"create", "replace", "delete"}:
            return method

        def called(*given: Any, **named: Any) -> Any:
            self._pass()
            try:
                return method(*given, **named)
            finally:
                self._pass()

        return called

    def _pass(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Dies


def test_each_is_counted_once_wherever_a_process_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after each write, twice over: what is told adds up, and what is told again has the same id."""
    monkeypatch.setattr(digest, "_PAGE", 2)
    ended = 0
    for point in range(24):
        store = SqliteStore(tmp_path / f"{point}.db")
        for number in range(5):
            gather(store, "shop", told(number), NOON)
        said: dict[str, Notice] = {}

        def put(notice: Notice, said: dict[str, Notice] = said) -> None:
            known = said.setdefault(notice_id(notice), notice)
            assert known == notice

        for dies in (point, point):
            try:
                fold(Mortal(store, dies), 1, put)
            except Dies:
                ended += 1
        fold(store, 1, put)
        fold(store, 9, put)
        assert sum(notice.facts["count"] for notice in said.values()) == 5, point
        assert entries(store) == []
        store.close()
    assert ended >= 20


WORDS = st.text(max_size=4)


@settings(max_examples=50)
@given(reasons=st.lists(WORDS, min_size=1, max_size=400))
def test_counts_add_up_in_a_bounded_message(reasons: list[str]) -> None:
    """Words beyond a bound are counted together; cases beyond a bound are not named."""
    found = [GatheredNotice(kind=told().kind, severity=told().severity, at=NOON, reason=reason) for reason in reasons]
    state = digest.with_counted(DigestState(id="1"), [(f"k{n}", item) for n, item in enumerate(found)])
    facts = digest_notice("shop", state).facts
    expected = Counter(filter(None, reasons))
    if len(set(reasons)) <= 150:
        assert facts.get("by_reason", {}) == dict(expected)
    assert state.count == len(reasons)
    assert sum(state.by["reason"].values()) == len(reasons)
    assert len(facts["cases"]) <= MOST_CASES_TOLD
