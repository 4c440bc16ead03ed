"""The writes of a case's holder: each stores what it says, and none is made after another holder took the case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from scc_responder.domain.errors import RetryableError, StoreError, StoreOutcomeUnknown, StoreUnavailable
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.claimed_case import ClaimedCase, LostLease
from scc_responder.journal.step import Step
from tests.kits.journal_worlds import START, JournalWorld, finding, step


def test_steps_of_an_earlier_holder_are_found_by_the_next(world: JournalWorld) -> None:
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


def test_steps_keep_their_order(world: JournalWorld) -> None:
    """The record reads in the order in which things were done."""
    case = world.held()
    case.save(step(2), step(1))
    case.save(step(2, StepStatus.DONE), step(3, index=1))
    assert [(int(each.action_id, 16), each.status) for each in world.record().steps] == [
        (2, "done"),
        (1, "intent"),
        (3, "intent"),
    ]


def test_one_save_is_one_write(world: JournalWorld) -> None:
    """The outcome of one step and the intent of the next go together."""
    case = world.held()
    world.store.writes = 0
    case.save(step(1, StepStatus.DONE), step(2), decision={"policies": [{"name": "contain-reverse-shell"}]})
    assert world.store.writes == 1
    assert world.record().decision == {"policies": [{"name": "contain-reverse-shell"}]}


def test_what_was_noted_is_written_with_the_release(world: JournalWorld) -> None:
    """A delivery that ends badly writes once, however much it did: the store may be what failed it."""
    case = world.held()
    world.store.writes = 0
    case.noted(step(1, StepStatus.DONE))
    assert world.store.writes == 0
    case.release("store_unavailable")
    assert world.store.writes == 1
    assert world.record().steps == (step(1, StepStatus.DONE),)


def test_a_closed_case_tells_how_it_ended(world: JournalWorld) -> None:
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
def test_a_case_given_up_can_not_be_written(world: JournalWorld, end: str) -> None:
    """The end is the end for this holder."""
    case = world.held()
    case.close(CaseState.DONE) if end == "close" else case.release()
    with pytest.raises(LostLease) as caught:
        case.save(step())
    assert caught.value.reason == "case_not_held"


def test_a_case_given_up_says_why(world: JournalWorld) -> None:
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
def test_a_holder_that_wakes_up_too_late_can_write_nothing(
    world: JournalWorld, write: Callable[[ClaimedCase], None]
) -> None:
    """A timed-out function runs on: the journal tells it to stop before it acts."""
    zombie = world.held()
    world.clock.forward(120)
    heir = world.held()
    with pytest.raises(LostLease) as caught:
        write(zombie)
    assert caught.value.reason == "lease_lost"
    heir.save(step(7))
    assert (2, (step(7),)) == (world.record().epoch, world.record().steps)


def test_a_zombie_stays_stopped(world: JournalWorld) -> None:
    """It can not come back when the case is open again."""
    zombie = world.held()
    world.clock.forward(120)
    world.held().release()
    for _ in range(2):
        with pytest.raises(LostLease):
            zombie.save(step())


def test_a_late_holder_may_write_where_nobody_took_over(world: JournalWorld) -> None:
    """An expired lease that nobody claimed is no reason to stop."""
    case = world.held()
    world.clock.forward(1000)
    case.save(step())
    assert world.claim().outcome == "in_progress"


CASE_WRITES: dict[str, Callable[[ClaimedCase], None]] = {
    "save": lambda case: case.save(step()),
    "close": lambda case: case.close(CaseState.DONE, "", step()),
}


@pytest.mark.parametrize("write", list(CASE_WRITES.values()), ids=list(CASE_WRITES))
def test_a_write_whose_answer_was_lost_is_recognised(world: JournalWorld, write: Callable[[ClaimedCase], None]) -> None:
    """It was stored, so the holder continues."""
    case = world.held()
    world.store.fail = "after"
    write(case)
    assert world.record().steps == (step(),)


@pytest.mark.parametrize("write", list(CASE_WRITES.values()), ids=list(CASE_WRITES))
def test_a_write_that_was_not_made_is_an_error_and_can_be_tried_again(
    world: JournalWorld, write: Callable[[ClaimedCase], None]
) -> None:
    """Nothing may be changed on an intent that is not stored."""
    case = world.held()
    world.store.fail = "before"
    with pytest.raises(StoreUnavailable):
        write(case)
    assert world.record().steps == ()
    write(case)
    assert world.record().steps == (step(),)


def test_a_record_that_can_not_be_made_small_enough_is_not_stored(world: JournalWorld) -> None:
    """Better no further action than one that is not recorded."""
    case = world.held()
    with pytest.raises(StoreError) as caught:
        case.save(*(step(number) for number in range(1000)))
    assert caught.value.reason == "value_too_large"
    assert world.record().steps == ()


def test_a_confirmed_finding_is_stored_by_the_next_write(world: JournalWorld) -> None:
    """The source's own event time and content take the place of what was notified."""
    case = world.held()
    case.confirmed(finding(minutes=3, content="as read"))
    assert world.record().event_time == START
    case.renew()
    assert world.record().event_time == START + timedelta(minutes=3)
    assert world.claim(minutes=3, content="as read").outcome == "in_progress"


DELETE = {"change": "delete_pod", "namespace": "shop", "name": "web-1", "uid": "uid-1"}
ARM = {"change": "patch"}
ACTION = step(1).action_id
TARGET = "target"


def reserving(*steps: Step, state: CaseState | None = CaseState.DONE) -> Callable[[JournalWorld], None]:
    """Another finding reserves the target, records these steps and closes its case, unless `state` is None."""

    def arrange(world: JournalWorld) -> None:
        other = world.held(key="0b" * 32)
        assert other.reserve(TARGET, ACTION)
        other.save(*steps)
        if state:
            other.close(state)

    return arrange


def forgotten(world: JournalWorld) -> None:
    """Another finding reserved it, and its case is no longer kept."""
    reserving()(world)
    entry = world.sqlite.get("case/" + "0b" * 32)
    assert entry is not None
    world.sqlite.delete(entry.key, entry.version)


# what happened before; whether the target may be reserved now, or None where that is open
RESERVATIONS: dict[str, tuple[Callable[[JournalWorld], None], bool | None]] = {
    "nobody reserved it": (lambda _world: None, True),
    "the other finding is still open": (reserving(state=None), None),
    "the other finding did it": (reserving(step(1, StepStatus.DONE, change=DELETE)), False),
    "its end is awaited": (reserving(step(1, StepStatus.TERMINATING, change=DELETE), state=None), False),
    "it waits for a finalizer": (reserving(step(1, StepStatus.TERMINATING, change=DELETE)), False),
    "the other finding failed to": (reserving(step(1, StepStatus.FAILED, change=DELETE)), True),
    "the other finding did only what can be undone": (reserving(step(1, StepStatus.DONE, change=ARM)), True),
    "the other finding did something else": (reserving(step(2, StepStatus.DONE, change=DELETE)), True),
    "the other finding was held": (reserving(state=CaseState.HELD), True),
    "the other case is no longer kept": (forgotten, True),
}


@pytest.mark.parametrize(("arrange", "expected"), RESERVATIONS.values(), ids=RESERVATIONS)
def test_one_finding_may_do_what_cannot_be_undone(
    world: JournalWorld, arrange: Callable[[JournalWorld], None], *, expected: bool | None
) -> None:
    """Another may only if the first one is over and did not do it. While that is open, the message comes again."""
    arrange(world)
    case = world.held()
    if expected is None:
        with pytest.raises(RetryableError) as caught:
            case.reserve(TARGET, ACTION)
        assert caught.value.reason == "reserved_by_open_finding"
    else:
        assert case.reserve(TARGET, ACTION) is expected


def test_a_reservation_is_taken_again_by_its_holder(world: JournalWorld) -> None:
    """A redelivery finds what its case has reserved, and so does a write whose answer was lost."""
    case = world.held()
    world.store.fail = "after"
    assert case.reserve(TARGET, ACTION)
    case.release()
    assert world.held().reserve(TARGET, ACTION)


def test_an_unknown_reservation_is_an_error(world: JournalWorld) -> None:
    """Nobody knows whether the right was stored, and it is not there: nothing may be done."""
    case = world.held()
    world.store.fail = "unknown"
    with pytest.raises(StoreOutcomeUnknown):
        case.reserve(TARGET, ACTION)


def test_of_two_heirs_one_takes_a_reservation(world: JournalWorld) -> None:
    """Where another finding takes an unused reservation at the same moment, this one's message comes again."""
    reserving()(world)
    first, second = world.held(key="0c" * 32), world.held()

    def take() -> None:
        world.store.meanwhile = lambda: first.reserve(TARGET, ACTION)

    world.store.meanwhile = take
    with pytest.raises(RetryableError) as caught:
        second.reserve(TARGET, ACTION)
    assert caught.value.reason == "reserved_by_open_finding"
