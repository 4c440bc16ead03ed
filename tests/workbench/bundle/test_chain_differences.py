"""A record against what was said of its case: lines of whole deliveries, messages, manifests."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import CaseRecord, Closing
from scc_responder.journal.chain.chain_check import said, write_fields
from scc_responder.journal.step import Step
from scc_responder.workbench.bundle.chain_differences import Statement, chain_differences
from tests.kits.journal_worlds import JournalWorld, step

DONE = StepStatus.DONE


def line(record: CaseRecord, began: str, where: str) -> Statement:
    """What a delivery that ended with this record would have logged."""
    assert record.chain is not None
    steps = tuple(map(said, record.steps))
    return Statement(where=where, head=record.chain.head, write=record.seq, began=began, steps=steps)


def delivered(world: JournalWorld, *numbers: int) -> tuple[CaseRecord, Statement]:
    """A delivery that did these steps, and its line."""
    case = world.held()
    began = write_fields(case.record)["chain_from"]
    for number in numbers:
        case.save(step(number, DONE))
    case.release()
    return world.record(), line(world.record(), began, f"entry {numbers[0]}")


def wrong(record: CaseRecord, *statements: Statement) -> list[tuple[str, str, str]]:
    """What differs."""
    return [(str(each.reason), each.where, each.step) for each in chain_differences(record, statements)]


def test_deliveries_in_a_row_agree(world: JournalWorld) -> None:
    """Whatever order their lines come in: an export may have the newest first."""
    (_, first), (_, second), (last, third) = delivered(world, 1), delivered(world, 2, 3), delivered(world, 4)
    assert wrong(last, first, second, third) == wrong(last, third, second, first) == wrong(last) == []
    assert wrong(last, second, third) == []


def test_a_write_without_a_line_is_a_gap(world: JournalWorld) -> None:
    """Between two lines, and after the last one; the first step that differs is named where a line has steps."""
    (_, first), _, (last, third) = delivered(world, 1), delivered(world, 2), delivered(world, 3)
    assert wrong(last, first, third) == [("chain_gap", "between entry 1 and entry 3", "")]
    assert wrong(last, first) == [("chain_gap", "after entry 1", "step 2 label_pod was added")]
    assert wrong(last, replace(first, steps=())) == [("chain_gap", "after entry 1", "")]


def taken_back(world: JournalWorld, *others: Step) -> CaseRecord:
    """An undo of the first step, which has no line, and whatever else was written with it."""
    case = world.held()
    for added in (step(8, DONE, undoes=step(1).name), *others):
        case.save(added)
    case.release()
    return world.record()


def test_an_undo_whose_message_nobody_kept_is_no_riddle(world: JournalWorld) -> None:
    """It is not verified either: but for the record nothing says that it was one."""
    _, first = delivered(world, 1)
    undone = taken_back(world)
    assert wrong(undone, first) == [("undo_untold", "after entry 1", "step 2 label_pod was added")]
    last, third = delivered(world, 3)
    idle = replace(third, steps=third.steps[:-1])
    assert wrong(last, first, idle) == [("undo_untold", "between entry 1 and entry 3", "")]
    assert wrong(last, replace(first, steps=()), idle)[0][0] == "chain_gap"
    # What the next delivery did could have been added before it.
    assert wrong(last, first, third)[0][0] == "chain_gap"


def test_an_undo_excuses_nothing_beside_it(world: JournalWorld) -> None:
    """A step that is another, is missing, or was added, leaves the gap what it is."""
    _, first = delivered(world, 1)
    record = taken_back(world, step(2, DONE))
    assert wrong(record, first)[0][0] == "chain_gap"
    other = replace(first, steps=(replace(first.steps[0], link="another"),))
    missing = replace(first, steps=(*first.steps, replace(first.steps[0], link="gone")))
    assert [wrong(record, said_so)[0][0] for said_so in (other, missing)] == ["chain_gap", "chain_gap"]


def test_a_step_that_a_gap_changed_is_named(world: JournalWorld) -> None:
    """What was done by the line before it, and is not so by the line after it."""
    (_, first), (_, second) = delivered(world, 1, 2), delivered(world, 3)
    changed = replace(second, began="other", steps=second.steps[1:])
    assert wrong(world.record(), first, changed)[0] == (
        "chain_gap",
        "between entry 1 and entry 3",
        f"label_pod {step(1).action_id[:16]} is not as it was",
    )


def test_what_a_message_saw_done_is_done(world: JournalWorld) -> None:
    """What it saw in another state may have gone on since."""
    last, whole = delivered(world, 1, 2)
    message = replace(whole, began=None, where="a message", head="of a moment within the delivery")
    assert wrong(last, message) == []
    waiting = replace(said(step(2)), status="waiting", link="another")
    assert wrong(last, replace(message, steps=(message.steps[0], waiting))) == []
    other = replace(message.steps[0], link="another")
    assert wrong(last, replace(message, steps=(other,))) == [
        ("chain_broken", "since a message", f"label_pod {step(1).action_id[:16]} is not as it was")
    ]


OPENED_AGAIN = [
    pytest.param({"action": "capture_evidence"}, [], id="evidence-is-dropped"),
    pytest.param({"action_id": step(1).action_id}, [], id="it-is-done-again"),
    pytest.param({"action_id": "f" * 32}, ["chain_broken"], id="it-is-gone"),
]


@pytest.mark.parametrize(("fields", "reasons"), OPENED_AGAIN)
def test_a_case_that_was_opened_again(world: JournalWorld, fields: dict[str, str], reasons: list[str]) -> None:
    """Drops what observes, and may do again what it did; it takes nothing else back."""
    last, whole = delivered(world, 1)
    opened = replace(last, history=(Closing(state=CaseState.DONE, epoch=1),))
    before = replace(whole, began=None, steps=(replace(whole.steps[0], link="before", **fields),))
    assert [reason for reason, _, _ in wrong(opened, before)] == reasons


def test_a_fault_that_the_record_notes_is_told(world: JournalWorld) -> None:
    """With the write at which it was met; a word that nobody knows is a fault too."""
    last, _ = delivered(world, 1)
    assert last.chain is not None
    kept = replace(last, chain=replace(last.chain, faults=("written_without_chain:3", "odd:4")))
    assert [each[:2] for each in wrong(kept)] == [
        ("written_without_chain", "the record before its write 3"),
        ("chain_broken", "the record before its write 4"),
    ]


def test_a_record_without_a_chain_is_not_verified(world: JournalWorld) -> None:
    """An earlier version wrote it, or somebody took the chain away."""
    assert wrong(replace(delivered(world, 1)[0], chain=None)) == [("no_chain", "the record", "")]
