"""One holder at a time works on a case, and what it meant and did outlives it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from scc_responder.domain.errors import RetryableError, StoreUnavailable
from scc_responder.domain.finding import FindingContainer
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.journal import NOTED_COPIES, Journal
from scc_responder.journal.listed_cases import cases_of
from tests.kits.journal_worlds import START, JournalWorld, SetClock, finding, step
from tests.kits.racers import in_threads

FINDING = finding()


def absent(world: JournalWorld) -> None:
    """No delivery was seen yet."""


def held_long(seconds: float) -> Callable[[JournalWorld], None]:
    def arrange(world: JournalWorld) -> None:
        world.held()
        world.clock.forward(seconds)

    return arrange


def renewed(world: JournalWorld) -> None:
    case = world.held()
    world.clock.forward(100)
    case.renew()
    world.clock.forward(100)


def saved(world: JournalWorld) -> None:
    case = world.held()
    world.clock.forward(100)
    case.save(step())
    world.clock.forward(119)


def released(world: JournalWorld) -> None:
    world.held().release()


def closed(state: CaseState) -> Callable[[JournalWorld], None]:
    def arrange(world: JournalWorld) -> None:
        world.closed(state)

    return arrange


# what happened before; the copy that arrives; what it may do
DELIVERIES: dict[str, tuple[Callable[[JournalWorld], None], dict[str, Any], str]] = {
    "a new finding is claimed": (absent, {}, "claimed"),
    "a copy while the lease is held comes again": (held_long(0), {}, "in_progress"),
    "and so it does just before the lease runs out": (held_long(119.9), {}, "in_progress"),
    "and so does a newer one": (held_long(0), {"minutes": 5, "content": "other"}, "in_progress"),
    "and so does an older one": (held_long(0), {"minutes": -5}, "in_progress"),
    "a case whose lease ran out is resumed": (held_long(120), {}, "resumed"),
    "by a newer copy too": (held_long(120), {"minutes": 5, "content": "other"}, "resumed"),
    "by an older copy too": (held_long(120), {"minutes": -5}, "resumed"),
    "renewing prolongs the lease": (renewed, {}, "in_progress"),
    "saving prolongs the lease": (saved, {}, "in_progress"),
    "a released case is resumed at once": (released, {}, "resumed"),
    "a copy of a done case is a duplicate": (closed(CaseState.DONE), {}, "duplicate"),
    "of a partial one too": (closed(CaseState.PARTIAL), {}, "duplicate"),
    "of a held one too": (closed(CaseState.HELD), {}, "duplicate"),
    "of a superseded one too": (closed(CaseState.SUPERSEDED), {}, "duplicate"),
    "of a rejected one too": (closed(CaseState.REJECTED), {}, "duplicate"),
    "the same time with other content is a duplicate": (closed(CaseState.DONE), {"content": "other"}, "duplicate"),
    "an older copy is stale": (closed(CaseState.DONE), {"minutes": -1}, "stale"),
    "an older copy with other content is stale": (closed(CaseState.DONE), {"minutes": -1, "content": "o"}, "stale"),
    "a newer copy of the same content opens the case": (closed(CaseState.DONE), {"minutes": 1}, "reopened"),
    "of a held one too, as it happens again": (closed(CaseState.HELD), {"minutes": 1}, "reopened"),
    "of a partial one it opens, too": (closed(CaseState.PARTIAL), {"minutes": 1}, "reopened"),
    "of a rehearsed one it opens, too": (closed(CaseState.REHEARSED), {"minutes": 1}, "reopened"),
    "of one that no policy matched, too": (closed(CaseState.NOTHING_MATCHED), {"minutes": 1}, "reopened"),
    "of one whose target was absent, too": (closed(CaseState.TARGET_ABSENT), {"minutes": 1}, "reopened"),
    "of one that waits for a person it does not": (closed(CaseState.WAITING), {"minutes": 1}, "duplicate"),
    "of one that waits, other content opens it": (
        closed(CaseState.WAITING),
        {"minutes": 1, "content": "o"},
        "reopened",
    ),
    "a newer copy of other content opens the case": (
        closed(CaseState.DONE),
        {"minutes": 1, "content": "o"},
        "reopened",
    ),
    "a newer copy in another state opens the case": (closed(CaseState.HELD), {"minutes": 1, "state": "X"}, "reopened"),
    "a newer copy that is muted leaves it closed": (
        closed(CaseState.DONE),
        {"minutes": 1, "content": "other", "mute": "MUTED"},
        "duplicate",
    ),
    "and so does one that is inactive": (
        closed(CaseState.DONE),
        {"minutes": 1, "content": "other", "state": "INACTIVE"},
        "duplicate",
    ),
    "a rejected finding that is notified anew opens the case": (closed(CaseState.REJECTED), {"minutes": 1}, "reopened"),
    "an older one too, for what was rejected may be forged": (
        closed(CaseState.REJECTED),
        {"minutes": -1},
        "reopened",
    ),
    "another finding has its own case": (closed(CaseState.DONE), {"key": "0b" * 32}, "claimed"),
}


@pytest.mark.parametrize("delivery", list(DELIVERIES.values()), ids=list(DELIVERIES))
def test_what_a_delivery_may_do(
    world: JournalWorld, delivery: tuple[Callable[[JournalWorld], None], dict[str, Any], str]
) -> None:
    """Only claimed, resumed and reopened cases are handed out, and only those may be worked on."""
    arrange, fields, expected = delivery
    arrange(world)
    claim = world.claim(**fields)
    assert expected == claim.outcome
    assert (claim.case is not None) == (expected in {"claimed", "resumed", "reopened"})


CONTAINER = {"name": "app", "image": "registry.example.com/app:1"}
RECREATED = {"containers": (FindingContainer(**CONTAINER, create_time=START),)}
AGAIN = {"containers": (FindingContainer(**CONTAINER, create_time=START + timedelta(minutes=1)),)}


def test_a_pod_recreated_under_the_same_name_opens_the_case(world: JournalWorld) -> None:
    """Its container is another one: what was done to the first was not done to it."""
    world.held(**RECREATED).close(CaseState.DONE)
    same = world.held(minutes=1, **RECREATED)
    assert same.record.history == ()
    same.close(CaseState.DONE)
    assert len(world.held(minutes=2, **AGAIN).record.history) == 1


SPELLINGS: dict[str, dict[str, Any]] = {
    "name": {"name": "projects/3/sources/2/findings/f1"},
    "wire shape": {"shape": "v1"},
    "marks": {"marks": {"scc-responder": "contained"}},
    "link": {"external_uri": "https://example.com/other"},
}


@pytest.mark.parametrize("fields", list(SPELLINGS.values()), ids=list(SPELLINGS))
def test_another_spelling_or_a_mark_is_no_new_content(world: JournalWorld, fields: dict[str, Any]) -> None:
    """A mark that the responder sets must not make it respond again; a newer event goes on with the same case."""
    assert world.closed().claim(**fields).outcome == "duplicate"
    assert world.held(minutes=1, **fields).record.history == ()


def test_a_new_case_records_what_it_is_about(world: JournalWorld) -> None:
    """The record can be read by a person and by a program."""
    world.claim(content="x")
    stored = world.stored()
    expected = {"schema": 1, "state": "open", "epoch": 1, "attempts": 1, "category": "Reverse Shell", "seen": 0}
    assert expected == {name: stored[name] for name in expected}
    assert (FINDING.name, "ACTIVE") == (stored["finding_name"], stored["finding_state"])


def test_each_claim_is_a_new_epoch_and_counts_the_attempts(world: JournalWorld) -> None:
    """After the attempt limit, nothing more is tried: the count is in the record."""
    for expected in (1, 2, 3):
        case = world.held()
        assert (expected, expected) == (case.record.epoch, case.record.attempts)
        case.release()


def test_a_reopened_case_counts_its_attempts_anew_and_keeps_how_it_ended(world: JournalWorld) -> None:
    """What was once done stays told."""
    record = world.closed(CaseState.PARTIAL).held(minutes=1, content="other").record
    assert (record.epoch, record.attempts, record.state, record.reason) == (2, 1, "open", "")
    assert [(closing.state, closing.reason, closing.epoch, closing.closed_at) for closing in record.history] == [
        ("partial", "contained", 1, START)
    ]


def test_a_case_that_opens_and_closes_for_ever_keeps_its_last_twenty_ends(world: JournalWorld) -> None:
    """A record does not grow without bound."""
    world.closed()
    for minutes in range(1, 26):
        world.held(minutes=minutes, content=str(minutes)).close(CaseState.DONE)
    assert list(range(6, 26)) == [closing.epoch for closing in world.record().history]


def test_steps_stay_when_a_case_is_reopened(world: JournalWorld) -> None:
    """An action done on an object is never done to it again, whatever the finding says next."""
    world.held().close(CaseState.DONE, "", step(1, StepStatus.DONE))
    assert world.held(minutes=1, content="other").record.steps == (step(1, StepStatus.DONE),)


@pytest.mark.parametrize("skew", [-3600, 3600], ids=["an hour behind", "an hour ahead"])
def test_the_holders_own_clock_plays_no_part(world: JournalWorld, skew: float) -> None:
    """Leases are judged by the store's clock at one read."""
    skewed = SetClock()
    skewed.forward(skew)
    journal = Journal(world.store, skewed)
    assert journal.claim(FINDING).outcome == "claimed"
    assert journal.claim(FINDING).outcome == "in_progress"
    assert world.claim().outcome == "in_progress"
    world.clock.forward(120)
    assert journal.claim(FINDING).outcome == "resumed"


def test_a_duplicate_of_a_closed_case_costs_one_read_in_the_end(world: JournalWorld) -> None:
    """A flood of copies costs at most twenty writes."""
    world.closed()
    world.store.reads = world.store.writes = 0
    for _ in range(50):
        assert world.claim().outcome == "duplicate"
    assert (world.store.reads, world.store.writes) == (50, NOTED_COPIES)
    assert world.record().seen == NOTED_COPIES


def test_an_unconfirmed_time_is_not_kept(world: JournalWorld) -> None:
    """A copy that nobody confirmed cannot make the finding's next notification look stale."""
    world.closed()
    assert world.claim(minutes=10, state="INACTIVE").outcome == "duplicate"
    assert world.record().event_time == START
    assert world.claim(minutes=5, content="other").outcome == "reopened"


def test_a_claim_whose_answer_was_lost_is_held(world: JournalWorld) -> None:
    """Of a new case, and of one taken over."""
    world.store.fail = "after"
    claim = world.claim()
    assert claim.outcome == "claimed"
    world.clock.forward(120)
    world.store.fail = "after"
    heir = world.held()
    heir.save(step())
    assert heir.record.epoch == 2


@pytest.mark.parametrize("fail", ["before", "all"])
def test_a_claim_that_was_not_stored_is_an_error(world: JournalWorld, fail: str) -> None:
    """No claim, no action."""
    world.store.fail = fail
    with pytest.raises(StoreUnavailable):
        world.claim()
    world.store.fail = ""
    assert world.claim().outcome == "claimed"


UNREADABLE = {
    "not JSON": (b"\xff", "record_unreadable"),
    "no object": (b"[]", "record_unreadable"),
    "no fields": (b'{"schema":1}', "record_unreadable"),
    "no schema": (b"{}", "record_newer"),
    "a later schema": (b'{"schema":3}', "record_newer"),
}


@pytest.mark.parametrize(("value", "reason"), list(UNREADABLE.values()), ids=list(UNREADABLE))
def test_nothing_is_done_on_a_case_that_can_not_be_read(world: JournalWorld, value: bytes, reason: str) -> None:
    """The message comes again, and reaches a person through the dead letters."""
    world.held()
    world.rewrite(value)
    with pytest.raises(RetryableError) as caught:
        world.claim()
    assert caught.value.reason == reason


def test_cases_are_listed_page_by_page(world: JournalWorld) -> None:
    """For people who look for them."""
    keys = [f"{number:064x}" for number in range(5)]
    for key in keys:
        world.claim(key=key)
    world.journal.reject("0c" * 32, "junk")
    first = cases_of(world.journal.cases(limit=3))
    rest = cases_of(world.journal.cases(first.cursor, limit=3))
    assert [record.finding_key for record in first.records + rest.records] == keys
    assert (len(first.records), rest.cursor) == (3, None)


@pytest.mark.parametrize("value", [b'{"schema":3}', b"[]"], ids=["later", "no-object"])
def test_an_unreadable_case_hides_no_other(world: JournalWorld, value: bytes) -> None:
    """It is told by its key and why, in its place."""
    keys = [f"{number:064x}" for number in range(3)]
    for key in (keys[0], keys[2]):
        world.claim(key=key)
    world.store.create(f"case/{keys[1]}", value)
    found = cases_of(world.journal.cases())
    assert [record.finding_key for record in found.records] == [keys[0], keys[2]]
    ((key, reason),) = [(item.finding_key, item.reason) for item in found.unreadable]
    assert (key, reason) == (keys[1], "record_newer" if b"schema" in value else "record_unreadable")
    assert cases_of(world.journal.cases(beginning=keys[2])).unreadable == ()


def test_a_finding_without_a_case_has_no_record(world: JournalWorld) -> None:
    """Nothing is None."""
    assert world.journal.read("0d" * 32) is None


def test_of_threads_that_claim_at_once_one_holds_the_case(world: JournalWorld) -> None:
    """Two deliveries at once: one acts. New, released and reopened cases alike."""
    for minutes in range(6):
        claims = in_threads(8, lambda now=minutes: world.claim(minutes=now, content=str(now)))
        holders = [claim.case for claim in claims if claim.case]
        assert [holder is not None for holder in holders] == [True]
        assert {"in_progress"} == {claim.outcome for claim in claims if claim.case is None}
        holders[0].close(CaseState.DONE)


def test_who_creates_a_case_second_waits_for_the_first(world: JournalWorld) -> None:
    """Both found no case; the store lets one create it."""
    world.store.meanwhile = world.claim
    assert world.claim().outcome == "in_progress"


def test_who_resumes_a_case_second_waits_for_the_first(world: JournalWorld) -> None:
    """Both found the lease given up."""
    world.held().release()
    world.store.meanwhile = world.claim
    assert world.claim().outcome == "in_progress"


def test_a_copy_is_settled_even_where_another_was_noted_first(world: JournalWorld) -> None:
    """A count is not worth a second try."""
    world.closed()
    world.store.meanwhile = world.claim
    assert world.claim().outcome == "duplicate"
    assert (world.record().seen, world.store.writes) == (1, 4)


def test_a_case_that_others_change_at_every_try_comes_again(world: JournalWorld) -> None:
    """Bounded time, and nothing lost."""
    world.closed()

    def contend() -> None:
        entry = world.sqlite.get(f"case/{FINDING.key}")
        assert entry is not None
        world.sqlite.replace(entry.key, entry.value, entry.version)
        world.store.meanwhile = contend

    world.store.meanwhile = contend
    with pytest.raises(RetryableError) as caught:
        world.claim(minutes=1, content="other")
    assert caught.value.reason == "case_contended"


def test_threads_that_note_copies_at_once_all_settle(world: JournalWorld) -> None:
    """Copies that arrive together do not hinder each other."""
    world.closed()
    assert [claim.outcome for claim in in_threads(6, world.claim)] == ["duplicate"] * 6


def test_a_rejected_message_is_recorded_once_and_its_copies_counted(world: JournalWorld) -> None:
    """Junk is known by its hash; a flood of it costs at most twenty writes."""
    for _ in range(30):
        rejection = world.journal.reject("0e" * 32, "not_json", size=17)
        world.clock.forward(1)
    assert (
        rejection.reason,
        rejection.size,
        rejection.count,
        rejection.first_seen,
    ) == ("not_json", 17, NOTED_COPIES, START)
    assert world.store.writes == NOTED_COPIES
    entry = world.sqlite.get("rejected/" + "0e" * 32)
    assert entry is not None
    assert msgspec.json.decode(entry.value)["count"] == NOTED_COPIES


def test_a_message_rejected_by_many_at_once_is_recorded(world: JournalWorld) -> None:
    """Nobody fails because another was first."""
    assert {"junk"} == {each.reason for each in in_threads(6, lambda: world.journal.reject("0f" * 32, "junk"))}


def test_a_rejection_that_can_not_be_recorded_is_an_error(world: JournalWorld) -> None:
    """The message must come again."""
    world.store.fail = "before"
    with pytest.raises(StoreUnavailable):
        world.journal.reject("0f" * 32, "junk")


def test_less_than_a_case_id_names_no_case(world: JournalWorld) -> None:
    """A slip of the hand, or a variable that is not set, must not choose the only case that there is."""
    world.closed()
    key = finding().key
    assert [world.journal.find(key[:length]) for length in (0, 1, 11)] == [None, None, None]
    assert [world.journal.find(key[:length]) for length in (12, 64)] == [key, key]
