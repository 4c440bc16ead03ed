"""What waits for a route stays in the store until its receiver has it, and is tried by one process at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.store import MAX_VALUE_BYTES, CasStore
from scc_responder.journal.outbox import outbox
from scc_responder.journal.outbox.outbox import OUTBOX, Waiting
from tests.kits.notices import NOON, told

MINUTE = timedelta(minutes=1)


def unfinished(store: CasStore) -> list[Waiting]:
    return list(outbox.waiting_in(store.scan(OUTBOX, unfinished=True)))


def given_up(store: CasStore) -> list[Waiting]:
    return [item for item in outbox.waiting_in(store.scan(OUTBOX)) if item.notice.given_up]


def put(store: CasStore, number: int = 1) -> Waiting:
    item = outbox.put(store, "shop", told(number), NOON)
    assert item is not None
    return item


def test_what_is_put_waits_once(store: CasStore) -> None:
    """The same notice again is the same entry; its process has a minute before a sweep tries."""
    first = put(store)
    assert outbox.put(store, "shop", told(1), NOON + MINUTE) is None
    assert outbox.put(store, "other", told(1), NOON) is not None
    (_, waits) = unfinished(store)
    assert waits.notice == first.notice
    assert waits.notice.next_at == NOON + MINUTE
    assert waits.notice.thread == told(1).case


def test_of_two_processes_one_takes_it(store: CasStore) -> None:
    """Whoever read the same entry later gets nothing."""
    item = put(store)
    with ThreadPoolExecutor(4) as pool:
        taken = [*pool.map(lambda _: outbox.claim(store, item, NOON + MINUTE), range(4))]
    (mine,) = filter(None, taken)
    assert (mine.notice.tries, mine.notice.next_at) == (2, NOON + 3 * MINUTE)


def test_what_was_delivered_is_gone_and_its_thread_is_kept(store: CasStore) -> None:
    """The first receipt of a thread stays; another process's delivery of the same is no error."""
    item = put(store)
    assert outbox.receipt(store, "shop", item.notice.thread) == ""
    outbox.delivered(store, item, "", "1700000000.000100")
    outbox.delivered(store, item, "", "1700000000.000200")
    assert (unfinished(store), outbox.receipt(store, "shop", item.notice.thread)) == ([], "1700000000.000100")
    assert outbox.receipt(store, "other", item.notice.thread) == ""


def test_tries_are_the_further_apart_the_more_there_were(store: CasStore) -> None:
    """1, 2, 4 minutes and so on up to an hour; after a day it is given up, and is still listed."""
    item, now, pauses = put(store), NOON, []
    while True:
        noted = outbox.not_taken(store, item, "receiver_unreachable", now, after=0, lasts=False)
        if noted.given_up:
            break
        pauses.append(int((noted.next_at - now).total_seconds() // 60))
        now = noted.next_at
        (found,) = unfinished(store)
        taken = outbox.claim(store, found, now)
        assert taken is not None
        item = taken
    assert (pauses[:8], set(pauses[8:])) == ([1, 2, 4, 8, 16, 32, 60, 60], {60})
    assert timedelta(hours=23) <= now - NOON < timedelta(hours=24)
    assert unfinished(store) == []
    (listed,) = given_up(store)
    assert (listed.notice.refused, listed.notice.notice) == ("receiver_unreachable", told(1))


def test_a_receiver_that_asks_for_rest_has_it(store: CasStore) -> None:
    """For an hour at most."""
    noted = outbox.not_taken(store, put(store), "receiver_status_429", NOON, after=300, lasts=False)
    assert noted.next_at == NOON + 5 * MINUTE
    noted = outbox.not_taken(store, put(store, 2), "receiver_status_429", NOON, after=86400, lasts=False)
    assert noted.next_at == NOON + timedelta(hours=1)


def test_what_is_never_taken_is_given_up_at_once(store: CasStore) -> None:
    """It is listed, and no sweep reads it."""
    assert outbox.not_taken(store, put(store), "receiver_status_400", NOON, after=0, lasts=True).given_up
    assert (unfinished(store), len(given_up(store))) == ([], 1)


def test_what_was_given_up_is_tried_anew_when_it_is_told_anew(store: CasStore) -> None:
    """A receiver that was down for a day hears of the same a month long again."""
    outbox.not_taken(store, put(store), "receiver_status_400", NOON, after=0, lasts=True)
    again = outbox.put(store, "shop", told(1), NOON + 99 * MINUTE)
    assert again is not None
    assert [item.notice for item in unfinished(store)] == [again.notice]
    assert (again.notice.tries, again.notice.first_at, again.notice.given_up) == (1, NOON + 99 * MINUTE, False)
    assert outbox.put(store, "shop", told(1), NOON + 100 * MINUTE) is None
    outbox.delivered(store, again, "", "")
    assert store.scan(OUTBOX).entries == ()


def test_a_route_has_so_many_in_five_minutes(store: CasStore) -> None:
    """Then no more, until the five minutes are over; other routes are counted apart."""
    found = [outbox.has_room(store, "shop", 3, NOON + each * MINUTE) for each in range(5)]
    assert found == [True, True, True, False, False]
    assert outbox.has_room(store, "other", 3, NOON)
    assert outbox.has_room(store, "shop", 3, NOON + 5 * MINUTE)


def test_many_at_the_same_moment_are_counted_each(store: CasStore) -> None:
    """No more than so many have room, whoever counts."""
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(lambda _: outbox.has_room(store, "shop", 5, NOON), range(24))]
    assert 1 <= sum(found) <= 5


def test_a_count_that_makes_no_sense_begins_anew(store: CasStore) -> None:
    """Nobody is silenced by it."""
    store.create("route/shop", b'{"since": "\xff"}')
    assert outbox.has_room(store, "shop", 1, NOON)
    assert not outbox.has_room(store, "shop", 1, NOON)


def test_what_a_later_version_wrote_is_left_alone(store: CasStore) -> None:
    """It hides nothing."""
    store.create(f"{OUTBOX}shop/0", b'{"of": "later"}', unfinished=True)
    store.create(f"{OUTBOX}shop/1", b'{"id": "\xff"}', unfinished=True)
    store.create("thread/shop/1", b"\xff")
    assert outbox.receipt(store, "shop", "1") == "\ufffd"
    put(store)
    assert [item.notice.notice for item in unfinished(store)] == [told(1)]


@given(sizes=st.lists(st.integers(0, 60_000), max_size=8))
def test_facts_that_are_too_large_are_left_out_by_name(sizes: list[int]) -> None:
    """The largest first: what is stored fits, and says what is missing."""
    facts = {f"f{index}": "x" * size for index, size in enumerate(sizes)}
    waits = outbox.WaitingNotice(
        id="1", route="shop", notice=msgspec.structs.replace(told(), facts=facts), first_at=NOON, next_at=NOON
    )
    value = outbox.encoded(waits)
    read = msgspec.json.decode(value, type=outbox.WaitingNotice).notice.facts
    assert len(value) <= MAX_VALUE_BYTES
    assert {name for name in read if name != "left_out"} | set(read.get("left_out", ())) == set(facts)
    if sum(sizes) < 60_000:
        assert read == facts


ALIKE: dict[str, tuple[Notice, bool]] = {
    "other facts": (msgspec.structs.replace(told(1), facts={"attempts": 2}), True),
    "another case": (told(2), False),
    "another key": (msgspec.structs.replace(told(1), key="2 notify"), False),
    "another route that a policy names": (msgspec.structs.replace(told(1), labels={"to": "x"}), False),
    "no key": (msgspec.structs.replace(told(1), key=""), False),
}


@pytest.mark.parametrize(("other", "same"), ALIKE.values(), ids=ALIKE)
def test_the_id_is_that_of_what_is_said(other: Notice, *, same: bool) -> None:
    """Said again after a crash it is the same, whatever changed in its facts."""
    assert (outbox.notice_id(told(1)) == outbox.notice_id(other)) is same
    bare = msgspec.structs.replace(told(1), key="")
    assert outbox.notice_id(bare) != outbox.notice_id(msgspec.structs.replace(bare, facts={}))
