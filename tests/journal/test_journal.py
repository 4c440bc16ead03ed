"""One holder at a time works on a case, and what it meant and did outlives it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import RetryableError, StoreError, StoreUnavailable
from scc_responder.domain.finding import FindingContainer
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import CaseRecord, Step
from scc_responder.journal.claimed_case import ClaimedCase, LostLease
from scc_responder.journal.journal import NOTED_COPIES, Claim, Journal
from tests.kits.journal_worlds import START, FaultyStore, SetClock, finding
from tests.kits.racers import in_threads

FINDING = finding()


class World:
    """A journal on an empty store, with a clock and faults at hand."""

    def __init__(self, path: Path) -> None:
        self.clock = SetClock()
        self.sqlite = SqliteStore(path, clock=self.clock)
        self.store = FaultyStore(self.sqlite)
        self.journal = Journal(self.store, self.clock)

    def claim(self, **fields: Any) -> Claim:
        return self.journal.claim(finding(**fields))

    def held(self, **fields: Any) -> ClaimedCase:
        case = self.claim(**fields).case
        assert case is not None
        return case

    def closed(self, state: CaseState = CaseState.DONE) -> World:
        self.held().close(state, "contained")
        return self

    def record(self) -> CaseRecord:
        record = self.journal.read(FINDING.key)
        assert record is not None
        return record

    def stored(self) -> dict[str, Any]:
        entry = self.sqlite.get(f"case/{FINDING.key}")
        assert entry is not None
        fields: dict[str, Any] = json.loads(entry.value)
        return fields

    def rewrite(self, value: bytes) -> None:
        """Put other bytes in the case's place, as another version of the product or an intruder would."""
        entry = self.sqlite.get(f"case/{FINDING.key}")
        assert entry is not None
        self.sqlite.replace(entry.key, value, entry.version)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "store.db")
    yield world
    world.sqlite.close()


def step(number: int = 1, status: StepStatus = StepStatus.INTENT, **fields: Any) -> Step:
    return Step(action_id=f"{number:032x}", action="label_pod", status=status, expected_uid=f"uid-{number}", **fields)


def absent(world: World) -> None:
    """No delivery was seen yet."""


def held_long(seconds: float) -> Callable[[World], None]:
    def arrange(world: World) -> None:
        world.held()
        world.clock.forward(seconds)

    return arrange


def renewed(world: World) -> None:
    case = world.held()
    world.clock.forward(100)
    case.renew()
    world.clock.forward(100)


def saved(world: World) -> None:
    case = world.held()
    world.clock.forward(100)
    case.save(step())
    world.clock.forward(119)


def released(world: World) -> None:
    world.held().release()


def closed(state: CaseState) -> Callable[[World], None]:
    def arrange(world: World) -> None:
        world.closed(state)

    return arrange


# what happened before; the copy that arrives; what it may do
DELIVERIES: dict[str, tuple[Callable[[World], None], dict[str, Any], str]] = {
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
    "a newer copy of the same content is a duplicate": (closed(CaseState.DONE), {"minutes": 1}, "duplicate"),
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
def test_what_a_delivery_may_do(world: World, delivery: tuple[Callable[[World], None], dict[str, Any], str]) -> None:
    """Only claimed, resumed and reopened cases are handed out, and only those may be worked on."""
    arrange, fields, expected = delivery
    arrange(world)
    claim = world.claim(**fields)
    assert expected == claim.outcome
    assert (claim.case is not None) == (expected in {"claimed", "resumed", "reopened"})


CONTAINER = {"name": "app", "image": "registry.example.com/app:1"}
RECREATED = {"containers": (FindingContainer(**CONTAINER, create_time=START),)}
AGAIN = {"containers": (FindingContainer(**CONTAINER, create_time=START + timedelta(minutes=1)),)}


def test_a_pod_recreated_under_the_same_name_opens_the_case(world: World) -> None:
    """Its container is another one: what was done to the first was not done to it."""
    world.held(**RECREATED).close(CaseState.DONE)
    assert world.claim(minutes=1, **RECREATED).outcome == "duplicate"
    assert world.claim(minutes=2, **AGAIN).outcome == "reopened"


SPELLINGS: dict[str, dict[str, Any]] = {
    "name": {"name": "projects/3/sources/2/findings/f1"},
    "wire shape": {"shape": "v1"},
    "marks": {"marks": {"scc-responder": "contained"}},
    "link": {"external_uri": "https://example.com/other"},
}


@pytest.mark.parametrize("fields", list(SPELLINGS.values()), ids=list(SPELLINGS))
def test_another_spelling_or_a_mark_is_no_new_content(world: World, fields: dict[str, Any]) -> None:
    """A mark that the responder sets must not make it respond again."""
    assert world.closed().claim(minutes=1, **fields).outcome == "duplicate"


def test_a_new_case_records_what_it_is_about(world: World) -> None:
    """The record can be read by a person and by a program."""
    world.claim(content="x")
    stored = world.stored()
    expected = {"schema": 1, "state": "open", "epoch": 1, "attempts": 1, "category": "Reverse Shell", "seen": 0}
    assert expected == {name: stored[name] for name in expected}
    assert (FINDING.name, "ACTIVE") == (stored["finding_name"], stored["finding_state"])


def test_each_claim_is_a_new_epoch_and_counts_the_attempts(world: World) -> None:
    """After the attempt limit, nothing more is tried: the count is in the record."""
    for expected in (1, 2, 3):
        case = world.held()
        assert (expected, expected) == (case.record.epoch, case.record.attempts)
        case.release()


def test_a_reopened_case_counts_its_attempts_anew_and_keeps_how_it_ended(world: World) -> None:
    """What was once done stays told."""
    record = world.closed(CaseState.PARTIAL).held(minutes=1, content="other").record
    assert (record.epoch, record.attempts, record.state, record.reason) == (2, 1, "open", "")
    assert [(closing.state, closing.reason, closing.epoch, closing.closed_at) for closing in record.history] == [
        ("partial", "contained", 1, START)
    ]


def test_a_case_that_opens_and_closes_for_ever_keeps_its_last_twenty_ends(world: World) -> None:
    """A record does not grow without bound."""
    world.closed()
    for minutes in range(1, 26):
        world.held(minutes=minutes, content=str(minutes)).close(CaseState.DONE)
    assert list(range(6, 26)) == [closing.epoch for closing in world.record().history]


def test_steps_of_an_earlier_holder_are_found_by_the_next(world: World) -> None:
    """What was settled is not done again, what was only meant is probed."""
    case = world.held()
    case.save(step(1))
    case.save(step(1, StepStatus.DONE), step(2))
    case.release()
    resumed = world.held()
    assert resumed.record.step(step(1).action_id) == step(1, StepStatus.DONE)
    assert resumed.record.step(step(2).action_id) == step(2)
    assert resumed.record.step(step(3).action_id) is None
    assert resumed.record.step(step(1).action_id, 1) is None


def test_steps_stay_when_a_case_is_reopened(world: World) -> None:
    """An action done on an object is never done to it again, whatever the finding says next."""
    world.held().close(CaseState.DONE, "", step(1, StepStatus.DONE))
    assert world.held(minutes=1, content="other").record.steps == (step(1, StepStatus.DONE),)


def test_steps_keep_their_order(world: World) -> None:
    """The record reads in the order in which things were done."""
    case = world.held()
    case.save(step(2), step(1))
    case.save(step(2, StepStatus.DONE), step(3, index=1))
    assert [(int(each.action_id, 16), each.status) for each in world.record().steps] == [
        (2, "done"),
        (1, "intent"),
        (3, "intent"),
    ]


@pytest.mark.parametrize("status", list(StepStatus))
def test_a_step_is_settled_unless_its_outcome_is_open(status: StepStatus) -> None:
    """Only what was meant or is unknown is looked at again."""
    assert step(1, status).is_settled == (status.value not in {"intent", "unknown"})


def test_one_save_is_one_write(world: World) -> None:
    """The outcome of one step and the intent of the next go together."""
    case = world.held()
    world.store.writes = 0
    case.save(step(1, StepStatus.DONE), step(2), decision={"policies": ["contain-reverse-shell"]})
    assert world.store.writes == 1
    assert world.record().decision == {"policies": ["contain-reverse-shell"]}


def test_a_closed_case_tells_how_it_ended(world: World) -> None:
    """The end is written with the last outcomes, in one write."""
    case = world.held()
    world.clock.forward(7)
    world.store.writes = 0
    case.close(CaseState.PARTIAL, "step_failed", step(1, StepStatus.FAILED), decision={"by": "policy"})
    record = world.record()
    assert world.store.writes == 1
    assert (record.state, record.reason, record.owner) == ("partial", "step_failed", "")
    assert (START + timedelta(seconds=7), {"by": "policy"}) == (record.closed_at, record.decision)


@pytest.mark.parametrize("end", ["close", "release"])
def test_a_case_given_up_can_not_be_written(world: World, end: str) -> None:
    """The end is the end for this holder."""
    case = world.held()
    case.close(CaseState.DONE) if end == "close" else case.release()
    with pytest.raises(LostLease) as caught:
        case.save(step())
    assert caught.value.reason == "case_not_held"


def test_a_case_given_up_says_why(world: World) -> None:
    """A person who looks at an open case sees what it waits for."""
    world.held().release("deadline_near")
    assert (world.record().state.value, world.record().reason) == ("open", "deadline_near")


ZOMBIE_WRITES: dict[str, Callable[[ClaimedCase], None]] = {
    "save": lambda case: case.save(step()),
    "renew": lambda case: case.renew(),
    "close": lambda case: case.close(CaseState.DONE),
    "release": lambda case: case.release(),
}


@pytest.mark.parametrize("write", list(ZOMBIE_WRITES.values()), ids=list(ZOMBIE_WRITES))
def test_a_holder_that_wakes_up_too_late_can_write_nothing(world: World, write: Callable[[ClaimedCase], None]) -> None:
    """A timed-out function goes on running: the journal tells it to stop before it acts."""
    zombie = world.held()
    world.clock.forward(120)
    heir = world.held()
    with pytest.raises(LostLease) as caught:
        write(zombie)
    assert caught.value.reason == "lease_lost"
    heir.save(step(7))
    assert (2, (step(7),)) == (world.record().epoch, world.record().steps)


def test_a_zombie_stays_stopped(world: World) -> None:
    """It can not come back when the case is open again."""
    zombie = world.held()
    world.clock.forward(120)
    world.held().release()
    for _ in range(2):
        with pytest.raises(LostLease):
            zombie.save(step())


def test_a_late_holder_goes_on_where_nobody_took_over(world: World) -> None:
    """An expired lease that nobody claimed is no reason to stop."""
    case = world.held()
    world.clock.forward(1000)
    case.save(step())
    assert world.claim().outcome == "in_progress"


@pytest.mark.parametrize("skew", [-3600, 3600], ids=["an hour behind", "an hour ahead"])
def test_the_holders_own_clock_plays_no_part(world: World, skew: float) -> None:
    """Leases are judged by the store's clock at one read."""
    skewed = SetClock()
    skewed.forward(skew)
    journal = Journal(world.store, skewed)
    assert journal.claim(FINDING).outcome == "claimed"
    assert journal.claim(FINDING).outcome == "in_progress"
    assert world.claim().outcome == "in_progress"
    world.clock.forward(120)
    assert journal.claim(FINDING).outcome == "resumed"


def test_a_duplicate_of_a_closed_case_costs_one_read_in_the_end(world: World) -> None:
    """A flood of copies costs at most twenty writes."""
    world.closed()
    world.store.reads = world.store.writes = 0
    for _ in range(50):
        assert world.claim().outcome == "duplicate"
    assert (world.store.reads, world.store.writes) == (50, NOTED_COPIES)
    assert world.record().seen == NOTED_COPIES


def test_an_unconfirmed_time_is_not_kept(world: World) -> None:
    """A copy that nobody confirmed cannot make the finding's next notification look stale."""
    world.closed()
    assert world.claim(minutes=10).outcome == "duplicate"
    assert world.record().event_time == START
    assert world.claim(minutes=5, content="other").outcome == "reopened"


CASE_WRITES: dict[str, Callable[[ClaimedCase], None]] = {
    "save": lambda case: case.save(step()),
    "close": lambda case: case.close(CaseState.DONE, "", step()),
}


@pytest.mark.parametrize("write", list(CASE_WRITES.values()), ids=list(CASE_WRITES))
def test_a_write_whose_answer_was_lost_is_recognised(world: World, write: Callable[[ClaimedCase], None]) -> None:
    """It was stored, so the holder goes on."""
    case = world.held()
    world.store.fail = "after"
    write(case)
    assert world.record().steps == (step(),)


@pytest.mark.parametrize("write", list(CASE_WRITES.values()), ids=list(CASE_WRITES))
def test_a_write_that_was_not_made_is_an_error_and_can_be_tried_again(
    world: World, write: Callable[[ClaimedCase], None]
) -> None:
    """Nothing may be changed on an intent that is not stored."""
    case = world.held()
    world.store.fail = "before"
    with pytest.raises(StoreUnavailable):
        write(case)
    assert world.record().steps == ()
    write(case)
    assert world.record().steps == (step(),)


def test_a_claim_whose_answer_was_lost_is_held(world: World) -> None:
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
def test_a_claim_that_was_not_stored_is_an_error(world: World, fail: str) -> None:
    """No claim, no action."""
    world.store.fail = fail
    with pytest.raises(StoreUnavailable):
        world.claim()
    world.store.fail = ""
    assert world.claim().outcome == "claimed"


def test_fields_of_a_later_version_are_kept(world: World) -> None:
    """An older version that serves during a roll-back loses nothing."""
    world.closed()
    world.rewrite(json.dumps(world.stored() | {"approvals": ["someone@example.com"]}).encode())
    world.held(minutes=1, content="other").save(step())
    assert world.stored()["approvals"] == ["someone@example.com"]
    assert "extra" not in world.stored()


UNREADABLE = {
    "not JSON": (b"\xff", "record_unreadable"),
    "no object": (b"[]", "record_unreadable"),
    "no fields": (b'{"schema":1}', "record_unreadable"),
    "no schema": (b"{}", "record_newer"),
    "a later schema": (b'{"schema":2}', "record_newer"),
}


@pytest.mark.parametrize(("value", "reason"), list(UNREADABLE.values()), ids=list(UNREADABLE))
def test_nothing_is_done_on_a_case_that_can_not_be_read(world: World, value: bytes, reason: str) -> None:
    """The message comes again, and reaches a person through the dead letters."""
    world.held()
    world.rewrite(value)
    with pytest.raises(RetryableError) as caught:
        world.claim()
    assert caught.value.reason == reason


def test_a_record_too_large_leaves_out_the_decision_then_settled_changes_but_no_step(world: World) -> None:
    """What keeps an action from being repeated is kept longest."""
    case = world.held()
    settled = [step(number, StepStatus.DONE, change={"labels": "x" * 1500}) for number in range(80)]
    case.save(*settled, step(99, change={"labels": "kept"}), decision={"why": "y" * 9000})
    record = world.record()
    assert record.decision == {"left_out": "too_large"}
    assert [f"{number:032x}" for number in [*range(80), 99]] == [each.action_id for each in record.steps]
    assert (record.steps[0].change, record.steps[-1].change) == ({}, {"labels": "kept"})


def test_a_record_that_can_not_be_made_small_enough_is_not_stored(world: World) -> None:
    """Better no further action than one that is not recorded."""
    case = world.held()
    with pytest.raises(StoreError) as caught:
        case.save(*(step(number) for number in range(1000)))
    assert caught.value.reason == "value_too_large"
    assert world.record().steps == ()


def test_a_long_detail_is_cut(world: World) -> None:
    """An API server's answer can be as long as an attacker's names."""
    case = world.held()
    case.save(step(detail="x" * 10_000))
    assert len(case.record.steps[0].detail) == 500


def test_cases_are_listed_page_by_page(world: World) -> None:
    """For people who look for them."""
    keys = [f"{number:064x}" for number in range(5)]
    for key in keys:
        world.claim(key=key)
    world.journal.reject("0c" * 32, "junk")
    first = world.journal.cases(limit=3)
    rest = world.journal.cases(first.cursor, limit=3)
    assert [record.finding_key for record in first.records + rest.records] == keys
    assert (len(first.records), rest.cursor) == (3, None)


@pytest.mark.parametrize("value", [b'{"schema":2}', b"[]"], ids=["later", "no-object"])
def test_an_unreadable_case_hides_no_other(world: World, value: bytes) -> None:
    """It is told by its key and why, in its place."""
    keys = [f"{number:064x}" for number in range(3)]
    for key in (keys[0], keys[2]):
        world.claim(key=key)
    world.store.create(f"case/{keys[1]}", value)
    found = world.journal.cases()
    assert [record.finding_key for record in found.records] == [keys[0], keys[2]]
    ((key, reason),) = [(item.finding_key, item.reason) for item in found.unreadable]
    assert (key, reason) == (keys[1], "record_newer" if b"schema" in value else "record_unreadable")
    assert world.journal.cases(beginning=keys[2]).unreadable == ()


def test_a_finding_without_a_case_has_no_record(world: World) -> None:
    """Nothing is None."""
    assert world.journal.read("0d" * 32) is None


def test_of_threads_that_claim_at_once_one_holds_the_case(world: World) -> None:
    """Two deliveries at once: one acts. New, released and reopened cases alike."""
    for minutes in range(6):
        claims = in_threads(8, lambda now=minutes: world.claim(minutes=now, content=str(now)))
        holders = [claim.case for claim in claims if claim.case]
        assert [holder is not None for holder in holders] == [True]
        assert {"in_progress"} == {claim.outcome for claim in claims if claim.case is None}
        holders[0].close(CaseState.DONE)


def test_who_creates_a_case_second_waits_for_the_first(world: World) -> None:
    """Both found no case; the store lets one create it."""
    world.store.meanwhile = world.claim
    assert world.claim().outcome == "in_progress"


def test_who_resumes_a_case_second_waits_for_the_first(world: World) -> None:
    """Both found the lease given up."""
    world.held().release()
    world.store.meanwhile = world.claim
    assert world.claim().outcome == "in_progress"


def test_a_copy_is_settled_even_where_another_was_noted_first(world: World) -> None:
    """A count is not worth a second try."""
    world.closed()
    world.store.meanwhile = world.claim
    assert world.claim().outcome == "duplicate"
    assert (world.record().seen, world.store.writes) == (1, 4)


def test_a_case_that_others_change_at_every_try_comes_again(world: World) -> None:
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


def test_threads_that_note_copies_at_once_all_settle(world: World) -> None:
    """Copies that arrive together do not hinder each other."""
    world.closed()
    assert [claim.outcome for claim in in_threads(6, world.claim)] == ["duplicate"] * 6


def test_a_rejected_message_is_recorded_once_and_its_copies_counted(world: World) -> None:
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


def test_a_message_rejected_by_many_at_once_is_recorded(world: World) -> None:
    """Nobody fails because another was first."""
    assert {"junk"} == {each.reason for each in in_threads(6, lambda: world.journal.reject("0f" * 32, "junk"))}


def test_a_rejection_that_can_not_be_recorded_is_an_error(world: World) -> None:
    """The message must come again."""
    world.store.fail = "before"
    with pytest.raises(StoreUnavailable):
        world.journal.reject("0f" * 32, "junk")
