"""What is said of a record's chain, and a stored record beside its chain."""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.domain.status import StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.chain.chain_check import chain_fields, chain_statement, checked, said, write_fields
from scc_responder.journal.chain.step_chain import link_of
from tests.kits.journal_worlds import JournalWorld, step


def delivered(world: JournalWorld) -> CaseRecord:
    """The record after a delivery that did one step."""
    case = world.held()
    case.save(step(1, StepStatus.DONE))
    case.release()
    return world.record()


def test_a_fault_that_is_met_is_noted(world: JournalWorld) -> None:
    """By lines too, with the write at which it was met. A record that is its chain's stays as it is."""
    last = delivered(world)
    met = checked(replace(last, steps=()))
    assert met.chain is not None
    assert chain_fields(met)["chain_faults"] == [f"chain_broken:{last.seq}"]
    assert checked(last) is last


def test_a_step_is_named_with_its_link(world: JournalWorld) -> None:
    """So that another step of the same name is another."""
    (done,) = delivered(world).steps
    told = said(done)
    assert (told.action_id, told.action, told.status, told.link) == (done.action_id, "label_pod", "done", link_of(done))


def test_a_record_without_a_chain_says_nothing_of_one(world: JournalWorld) -> None:
    """Neither in a line nor in a manifest."""
    record = replace(delivered(world), chain=None)
    assert (chain_fields(record), write_fields(record), chain_statement(record), chain_statement(None)) == (
        {},
        {},
        None,
        None,
    )
    assert checked(record) is record


def test_a_manifest_says_which_steps_there_were(world: JournalWorld) -> None:
    """With the head of that moment."""
    record = delivered(world)
    stated = chain_statement(record)
    assert stated is not None
    assert record.chain is not None
    assert (stated["head"], stated["write"]) == (record.chain.head, record.seq)
    assert [(each["action"], each["status"]) for each in stated["steps"]] == [("label_pod", "done")]
