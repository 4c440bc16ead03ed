"""Which cases an instance of the last release leaves alone, and which it goes on with."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.again.persons_request import as_requested, asked_of
from scc_responder.journal.again.reopening import gone_on_with, opened_anew, opened_by_sweep, undone
from scc_responder.journal.again.stored_schema import AGAIN_SCHEMA, READABLE_SCHEMAS, stored_schema
from scc_responder.journal.case import CASE_SCHEMA, CaseRecord, PersonsMark, WordKind
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.persons_word import with_word
from scc_responder.journal.plan import AskedStep, Plan, PlanState, RequestKind
from tests.journal.again.test_reopening import EVIDENCE, HELD, HOUR, LABEL, PLAN, claimed, closed
from tests.kits.journal_worlds import START

RECORDS = Path(__file__).parents[1] / "records"
LATER = START + HOUR
ASKED = AskedStep(policy="p", action="delete_pod", reason="limit_owner", by="a@example.com", said="now", at=START)


PLAN_FIELDS = frozenset(Plan.__struct_fields__) - {"asked", "extra"}
"""Those that the last release knows: a plan that may be carried out, with any other, is `record_newer` as well."""


def last_release_reads(value: bytes) -> bool:
    """Whether the last release reads the record: its decoder asks this first, and raises `record_newer`."""
    fields = msgspec.json.decode(value, type=dict[str, Any])
    return fields.get("schema") == 1 and (fields["plan"] or {}).keys() <= PLAN_FIELDS


UNDOING = replace(LABEL, action_id="9", undoes="1/0")


def step_with(reason: str, status: StepStatus = StepStatus.HELD, **fields: Any) -> CaseRecord:
    """A case whose one step has this reason."""
    return closed(replace(HELD, reason=reason, status=status, **fields))


def plan(state: PlanState) -> Plan:
    return replace(PLAN, state=state)


NEW: dict[str, CaseRecord] = {
    "opened by the same content": claimed(gone_on_with(closed(LABEL, HELD), LATER)),
    "opened by a sweep": claimed(opened_by_sweep(closed(HELD), LATER)),
    "opened by a sweep, and not claimed yet": opened_by_sweep(closed(HELD), LATER),
    "opened by a person": claimed(as_requested(asked_of(closed(HELD), RequestKind.TRY, LATER), LATER)),
    **{f"asked of by a person: {kind}": asked_of(closed(HELD), kind, LATER) for kind in RequestKind},
    "opened to go on, and claimed again": claimed(claimed(gone_on_with(closed(HELD), LATER))),
    "opened anew, and then to go on": claimed(gone_on_with(claimed(opened_anew(closed(HELD), LATER)), LATER)),
    "closed after it went on": replace(claimed(gone_on_with(closed(HELD), LATER)), state=CaseState.DONE),
    "waits for a person, after a sweep": step_with("waits_for_person"),
    "begun by a sweep": closed(unasked=True),
    "undone by others": undone(closed(LABEL, state=CaseState.OPEN), (LABEL,), LATER),
    "undone by others, and then opened anew": claimed(opened_anew(closed(undone=(START,)), LATER)),
    "fought over": step_with("fought_over"),
    "waits for its warm-up": step_with("warming_up", epoch=1),
    "taken back": closed(LABEL, UNDOING),
    "taken back, and then opened by a person": claimed(
        as_requested(asked_of(closed(LABEL, UNDOING), RequestKind.TRY, LATER), LATER)
    ),
    "taken back, and then opened anew": claimed(opened_anew(closed(LABEL, UNDOING), LATER)),
    "a step that a person asks for": closed(HELD, asked=ASKED),
    "an approval that a reopening kept": claimed(opened_anew(closed(HELD, plan=plan(PlanState.APPROVED)), LATER)),
    "a question that a reopening kept": claimed(opened_anew(closed(HELD, plan=plan(PlanState.WAITING)), LATER)),
    **{f"a person's word: {kind}": with_word(closed(LABEL), kind, "a@example.com", START) for kind in WordKind},
}

KNOWN: dict[str, CaseRecord] = {
    "claimed for the first time": closed(state=CaseState.OPEN, epoch=1, attempts=1, opened_at=START),
    "claimed again after a crash": claimed(closed(LABEL, state=CaseState.OPEN, opened_at=START)),
    "held by a limit": closed(HELD, LABEL),
    "opened for other content": claimed(opened_anew(closed(LABEL, HELD), LATER)),
    "opened twice for other content": claimed(
        opened_anew(claimed(opened_anew(closed(LABEL), LATER)), 2 * HOUR + START)
    ),
    "opened for other content, and claimed again": claimed(claimed(opened_anew(closed(EVIDENCE), LATER))),
    "a plan that waits": closed(plan=PLAN, state=CaseState.WAITING, opened_at=START - HOUR),
    "a plan that is begun": claimed(closed(plan=plan(PlanState.USED), opened_at=START - HOUR)),
    "a plan that ended before": claimed(opened_anew(closed(plan=plan(PlanState.EXPIRED)), LATER)),
    "what a person said of it": closed(LABEL, mark=PersonsMark(is_wrong=True, by="a@example.com", at=START)),
    "an earlier word": claimed(opened_anew(with_word(closed(), WordKind.UNDONE, "a@example.com", START), LATER)),
}


@pytest.mark.parametrize("named", NEW)
def test_the_last_release_leaves_a_case_in_new_forms_alone(named: str) -> None:
    """It would carry out what waits for a person or a warm-up, or is not wanted; this version reads it as it was."""
    record = NEW[named]
    value = encode(record)
    assert not last_release_reads(value)
    assert decode(value) == replace(record, schema=AGAIN_SCHEMA)


@pytest.mark.parametrize("named", KNOWN)
def test_the_last_release_goes_on_with_all_others(named: str) -> None:
    """What it knows stays readable for it, also once this version has written it."""
    record = KNOWN[named]
    assert stored_schema(record) == CASE_SCHEMA
    assert last_release_reads(encode(record))
    assert decode(encode(record)) == record


def test_a_case_gets_its_first_number_back_once_it_is_opened_anew() -> None:
    """Other content begins a chapter that the last release knows, too."""
    went_on = decode(encode(NEW["opened by the same content"]))
    assert went_on.schema == AGAIN_SCHEMA
    assert last_release_reads(encode(claimed(opened_anew(went_on, LATER))))


def test_what_the_last_release_stored_is_read_and_keeps_its_number() -> None:
    """Records as its own code wrote them."""
    values = [
        item["value"].encode()
        for path in sorted(RECORDS.iterdir())
        for item in json.loads(path.read_text())["documents"]
        if item["key"].startswith("case/")
    ]
    assert len(values) >= 3
    for value in values:
        record = decode(value)
        assert last_release_reads(encode(record))
        assert last_release_reads(encode(replace(claimed(record), updated_at=START + timedelta(days=1))))


def test_no_other_number_is_readable() -> None:
    """A later release raises it again for what this one must leave alone."""
    assert sorted(READABLE_SCHEMAS) == [CASE_SCHEMA, AGAIN_SCHEMA]
