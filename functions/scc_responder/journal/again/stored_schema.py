"""The schema number that a case is stored with: which versions may go on with it. Pure.

The last release reads 1 alone. It knows no reopening and no person's word: it would go on with such a case by rules of
its own, to acts that cannot be undone. So it leaves each case with 2 alone, as `record_newer`.
"""

from __future__ import annotations

from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CASE_SCHEMA, CaseRecord
from scc_responder.journal.step import UNDONE, Step

AGAIN_SCHEMA = 2
"""Of a case that was opened to go on, that waits in a way of its own, or on which a person's word counts."""

READABLE_SCHEMAS = frozenset({CASE_SCHEMA, AGAIN_SCHEMA})

_NEW_REASONS = UNDONE | {Reason.WARMING_UP, Reason.WAITS_FOR_PERSON}


def stored_schema(record: CaseRecord) -> int:
    """`CASE_SCHEMA`, or `AGAIN_SCHEMA` where the last release would do with the case what is not to be done."""
    is_said = record.word is not None or record.asked is not None or record.request is not None
    is_new = is_said or record.unasked or bool(record.undone) or _goes_on(record) or _keeps_plan(record)
    is_new = is_new or any(closing.taken_back for closing in record.history)
    return AGAIN_SCHEMA if is_new or any(_is_new(step) for step in record.steps) else CASE_SCHEMA


def _is_new(step: Step) -> bool:
    return bool(step.undoes) or step.reason in _NEW_REASONS


def _goes_on(record: CaseRecord) -> bool:
    """Whether it was opened to go on: only then there are claims between its last closing and its opening."""
    closed = record.history[-1].epoch if record.history else 0
    return record.opened_epoch > closed + 1


def _keeps_plan(record: CaseRecord) -> bool:
    """Whether its plan is older than its opening: the last release begins each opening without one."""
    plan, opened_at = record.plan, record.opened_at
    return plan is not None and plan.is_pending and opened_at is not None and plan.created_at < opened_at
