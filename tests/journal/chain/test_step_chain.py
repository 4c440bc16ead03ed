"""The hash chain over a case's steps, write by write, also through a version that knows none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.status import StepStatus
from scc_responder.domain.store import MAX_VALUE_BYTES
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.chain.step_chain import StepChain, extended, fault_of, link_of, noted, step_digest
from scc_responder.journal.step import Step
from tests.kits.journal_worlds import JournalWorld, finding, step


def chain_of(record: CaseRecord) -> StepChain:
    """The record's chain."""
    assert record.chain is not None
    return record.chain


def fault(record: CaseRecord) -> str | None:
    """Why the record's steps are not those of its chain."""
    return fault_of(record.chain, record.finding_key, record.steps, record.seq)


def test_each_write_that_changes_a_step_extends_the_chain(world: JournalWorld) -> None:
    """Its head is made of the steps and of the head before; a write that changes none leaves it."""
    case = world.held()
    heads = [chain_of(world.record()).head]
    for number in (1, 2):
        case.save(step(number))
        assert chain_of(world.record()).before == heads[-1]
        heads.append(chain_of(world.record()).head)
    case.renew()
    case.close("done", "done")  # type: ignore[arg-type]
    stored = world.record()
    assert len({*heads}) == 3
    assert (chain_of(stored).head, chain_of(stored).at, chain_of(stored).seq) == (heads[-1], 3, stored.seq)
    assert (chain_of(stored).since, fault(stored)) == (1, None)


def test_what_stood_before_a_write_is_known(world: JournalWorld) -> None:
    """Of the last write alone: whether it changed a step or not."""
    case = world.held()
    first = chain_of(case.record).head
    case.save(step(1))
    assert chain_of(case.record).before_write(case.record.seq) == first
    case.renew()
    assert chain_of(case.record).before_write(case.record.seq) == chain_of(case.record).head


CHANGES: list[Any] = [
    pytest.param(lambda steps: steps[1:], id="dropped"),
    pytest.param(lambda steps: steps[::-1], id="in-another-order"),
    pytest.param(lambda steps: (replace(steps[0], expected_uid="u2"), *steps[1:]), id="another-uid"),
    pytest.param(lambda steps: (replace(steps[0], change={"uid": "u2"}), *steps[1:]), id="another-change"),
    pytest.param(lambda steps: (*steps, step(9)), id="added"),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("later", "reason"), [(0, "chain_broken"), (1, "written_without_chain")])
def test_other_steps_are_not_those_of_the_chain(world: JournalWorld, change: Any, later: int, reason: str) -> None:
    """Whoever wrote them: a version that knows no chain counts its write, and leaves the chain as it was."""
    case = world.held()
    case.save(step(1), step(2))
    stored = world.record()
    assert fault(replace(stored, steps=change(stored.steps), seq=stored.seq + later)) == reason
    assert fault(replace(stored, seq=stored.seq + later)) is None


def test_a_record_of_the_last_release_begins_one(world: JournalWorld) -> None:
    """With the first write, which the chain names: what came before it is not covered."""
    case = world.held()
    case.save(step(1))
    case.release()
    fields = world.stored()
    del fields["chain"]
    world.rewrite(json.dumps(fields).encode())
    assert fault(world.record()) == "no_chain"
    world.held()
    assert (chain_of(world.record()).since, fault(world.record())) == (world.record().seq, None)


def test_what_is_met_is_kept(world: JournalWorld) -> None:
    """A record whose steps were changed tells of it for good, also after a delivery has taken the case."""
    case = world.held()
    case.save(step(1), step(2))
    case.release()
    fields = world.stored()
    fields["steps"].pop()
    world.rewrite(json.dumps(fields).encode())
    taken = world.held()
    taken.save(step(3))
    assert chain_of(world.record()).faults == (f"chain_broken:{fields['seq']}",)
    assert fault(world.record()) is None


def test_faults_are_bounded() -> None:
    """Each once, and the first ten."""
    chain = StepChain(head="h")
    for number in (*range(20), 3):
        chain = noted(chain, "chain_broken", number)  # type: ignore[arg-type]
    assert chain.faults == tuple(f"chain_broken:{number}" for number in range(10))


def test_a_field_that_says_nothing_changes_no_digest() -> None:
    """So a field that a later version adds leaves the chains of today as they are; one that says something counts."""
    plain, more = step(1), replace(step(1), extra={"later": ""})
    assert step_digest(plain) == step_digest(more)
    assert step_digest(replace(plain, extra={"later": "x"})) != step_digest(plain)
    assert step_digest(replace(plain, change={"uid": "u", "spec": {"a": None}})) == step_digest(
        replace(plain, change={"uid": "u", "spec": {}})
    )
    assert link_of(plain) == step_digest(plain)[:16]


def test_what_is_stored_in_short_is_what_is_chained() -> None:
    """A record that is too large leaves changes out: its chain is made of what is stored."""
    large = step(1, StepStatus.DONE)
    large = replace(
        large, change={"change": "patch", "kind": "Pod", "name": "n", "labels": {"a": MAX_VALUE_BYTES * "x"}}
    )
    record = replace(_record(), steps=(large, step(2)))
    record = replace(record, chain=extended(None, record.finding_key, record.steps, record.seq))
    read = decode(encode(record))
    assert "labels" not in read.steps[0].change
    assert (fault(read), chain_of(read).head != chain_of(record).head) == (None, True)


def _record() -> CaseRecord:
    told = finding()
    return CaseRecord(finding_key=told.key, finding_name=told.name, event_time=told.event_time, digest="d")


def test_a_read_step_has_the_digest_of_the_written_one() -> None:
    """Moments, tuples and words are the same after a round through the store."""
    written: Step = step(1, StepStatus.DONE)
    record = replace(_record(), steps=(written,))
    assert step_digest(decode(encode(record)).steps[0]) == step_digest(written)
