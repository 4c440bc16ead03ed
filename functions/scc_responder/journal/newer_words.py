"""Words of a stored case that only a later version knows: such a case is left alone, never partly carried out. Pure.

Fields that were added beside known ones are kept and do not matter here, but for those of what is still to be carried
out: a change without one of them would be another change. Reasons are for people: an unknown one changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from scc_responder.actions import actions
from scc_responder.domain.changes import change_classes, restored, stored
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import WordKind
from scc_responder.journal.plan import Approval, Plan, PlanState, PlanStep
from scc_responder.journal.step import FOR_SWEEP

_UNSETTLED = frozenset({StepStatus.INTENT, StepStatus.UNKNOWN})
_PENDING = frozenset({PlanState.WAITING, PlanState.APPROVED, PlanState.USED})
_UNFINISHED = frozenset({CaseState.OPEN, CaseState.WAITING, CaseState.HELD})
"""States of a case that may go on as it was left: the kill switch may hold it."""


def newer_words(record: Mapping[str, Any]) -> str:
    """The first such word of a stored case, and where it stands; empty where there is none."""
    return next(filter(None, _in_record(record)), "")


def _in_record(record: Mapping[str, Any]) -> Iterator[str]:
    yield _word("state", record.get("state", CaseState.OPEN), CaseState)
    yield _word("word.kind", (record.get("word") or {}).get("kind"), WordKind)
    unfinished, before = record.get("state", CaseState.OPEN) in _UNFINISHED, 0
    for closing in record.get("history", ()):
        yield _word("history.state", closing.get("state"), CaseState)
        yield from (_word("step.status", step.get("status"), StepStatus) for step in closing.get("taken_back", ()))
        before = closing.get("epoch", 0)
    for step in record.get("steps", ()):
        yield from _in_step(step, goes_on=unfinished and step.get("epoch", 0) > before)
    plan = record.get("plan")
    if plan:
        yield _word("plan.state", plan.get("state", PlanState.WAITING), PlanState)
        if unfinished and plan.get("state", PlanState.WAITING) in _PENDING:
            yield from _in_plan(plan)


def _in_step(step: Mapping[str, Any], *, goes_on: bool) -> Iterator[str]:
    """`goes_on`: the case may go on from here, so that what was done belongs to what is left to do."""
    status = step.get("status", StepStatus.INTENT)
    yield _word("step.status", status, StepStatus)
    if step.get("undoes"):
        return  # a person carries it out, at a desk
    if status in _UNSETTLED or step.get("reason") in FOR_SWEEP:
        yield from _to_do(step.get("action", ""), [step.get("change")])
    elif goes_on:
        yield from _to_do(step.get("action", ""), ())


def _in_plan(plan: Mapping[str, Any]) -> Iterator[str]:
    yield _unknown("plan", plan, Plan)
    for approval in plan.get("approvals", ()):
        yield _unknown("plan.approval", approval, Approval)
    for step in plan.get("steps", ()):
        yield _unknown("plan.step", step, PlanStep)
        yield from _to_do(step.get("action", ""), step.get("changes", ()))


def _to_do(action: str, changes: Iterable[Any]) -> Iterator[str]:
    """What is still to be carried out."""
    yield f"action {action!a}" if action and action not in actions() else ""
    for change in changes:
        tag = (change or {}).get("change")
        if tag is None:
            continue
        yield _value(change) if str(tag) in change_classes() else f"change {tag!a}"


def _word(where: str, value: Any, words: type[StrEnum]) -> str:
    return f"{where} {value!a}" if isinstance(value, str) and value not in set(words) else ""


def _value(change: Mapping[str, Any]) -> str:
    """What this version cannot read: a field at whatever depth, or a value, such as another word of a closed set."""
    try:
        return next(_lost("change", change, stored(restored(change))), "")
    except msgspec.ValidationError as error:
        return f"change: {error}"


def _lost(where: str, written: Any, read: Any) -> Iterator[str]:
    """The fields that are lost when the value is read."""
    if isinstance(written, Mapping) and isinstance(read, Mapping):
        absent = sorted(written.keys() - read.keys())
        yield from (f"{where}.{name}" for name in absent if written[name] is not None)
        for name in sorted(written.keys() & read.keys()):
            yield from _lost(f"{where}.{name}", written[name], read[name])
    elif isinstance(written, list) and isinstance(read, list):
        for item, same in zip(written, read, strict=False):
            yield from _lost(where, item, same)


def _unknown(where: str, fields: Mapping[str, Any], kind: type[msgspec.Struct]) -> str:
    unknown = sorted(fields.keys() - set(kind.__struct_encode_fields__))
    return f"{where}.{unknown[0]}" if unknown else ""
