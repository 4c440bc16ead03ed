"""Whether a record is what logs, messages and manifests said of it, and the first step that differs. Pure.

Steps that were taken back before the case was opened again count among them, and its plan after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, zip_longest

from scc_responder.actions import actions
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.domain.value import Value
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.chain.chain_check import SaidStep, said
from scc_responder.journal.chain.step_chain import LINK_DIGITS, fault_of, link_of
from scc_responder.journal.plan import Plan
from scc_responder.journal.step import Step

_PLAN = "the plan"


class ChainDifference(Value, frozen=True, kw_only=True):
    """One thing that differs: why, where it was said, and the first step that differs, with what is wrong with it."""

    reason: Reason
    where: str
    step: str = ""


class Statement(Value, frozen=True, kw_only=True):
    """What was said of a case outside of the store.

    `where` says by what, for people. `head` is that of its chain then, `write` the number of the record's last write.
    `began` is the head when the case was taken, None in what tells of no whole delivery. `steps` are its steps then.
    """

    where: str
    head: str = ""
    write: int = 0
    began: str | None = None
    steps: tuple[SaidStep, ...] = ()


def chain_differences(record: CaseRecord, statements: Sequence[Statement]) -> tuple[ChainDifference, ...]:
    """All that does not agree, what the record tells of itself first."""
    return (*_of_record(record), *_of_lines(record, statements), *_later(record, statements))


def _of_record(record: CaseRecord) -> Iterator[ChainDifference]:
    chain, now = record.chain, [*map(_said, record.chained)]
    fault = fault_of(chain, record.finding_key, record.chained, record.seq)
    if fault:
        was = [SaidStep(link=link) for link in chain.links] if chain else now
        yield ChainDifference(reason=fault, where="the record", step=_first(was, now))
    for each in chain.faults if chain else ():
        reason, _, write = each.rpartition(":")
        yield ChainDifference(
            reason=Reason.read(reason) or Reason.CHAIN_BROKEN, where=f"the record before its write {write}"
        )


def _of_lines(record: CaseRecord, statements: Sequence[Statement]) -> Iterator[ChainDifference]:
    """A delivery takes a case as the one before left it, and the record is as the last one left it.

    Else something wrote that has no line: a person at a desk, an instance that ended before it, or somebody else.
    """
    lines = sorted((each for each in statements if each.began is not None), key=lambda each: each.write)
    for before, after in pairwise(lines):
        if after.began != before.head:
            step = _gone(before.steps, after.steps, record) if after.steps else ""
            where = f"between {before.where} and {after.where}"
            yield ChainDifference(reason=_gap(before.steps, after.steps, record), where=where, step=step)
    head = record.chain.head if record.chain else ""
    if lines and head != lines[-1].head:
        now = [*map(said, record.steps)]
        step = _first(lines[-1].steps, now) if lines[-1].steps else ""
        reason = _gap(lines[-1].steps, now, record)
        yield ChainDifference(reason=reason, where=f"after {lines[-1].where}", step=step)


def _gap(was: Sequence[SaidStep], now: Sequence[SaidStep], record: CaseRecord) -> Reason:
    """Why there is no line: where nothing but an undo was added, `case undo` has none, and its message tells of it."""
    undone = {step.action_id for step in record.chained if isinstance(step, Step) and step.undoes}
    known = {each.link for each in was}
    added = {each.action_id for each in now if each.link not in known}
    only_undo = bool(was) and bool(added) and added <= undone and known <= {each.link for each in now}
    return Reason.UNDO_UNTOLD if only_undo else Reason.CHAIN_GAP


def _later(record: CaseRecord, statements: Iterable[Statement]) -> Iterator[ChainDifference]:
    """What was done when a message or a manifest was written is in the record as it was."""
    for each in statements:
        step = _gone(each.steps, [*map(_said, record.chained)], record) if each.began is None else ""
        if step:
            yield ChainDifference(reason=Reason.CHAIN_BROKEN, where=f"since {each.where}", step=step)


def _said(item: Step | Plan) -> SaidStep:
    return SaidStep(action=_PLAN, link=link_of(item)) if isinstance(item, Plan) else said(item)


def _first(was: Sequence[SaidStep], now: Sequence[SaidStep]) -> str:
    """The first step that is another, by its place, and its action, or the plan; empty where all are the same."""
    for number, (before, after) in enumerate(zip_longest(was, now), start=1):
        if before is None or after is None or before.link != after.link:
            name = next((each.action for each in (before, after) if each and each.action), "")
            what = "was added" if before is None else "is missing" if after is None else "is another"
            return " ".join(filter(None, ("" if name == _PLAN else f"step {number}", name, what)))
    return ""


def _gone(was: Iterable[SaidStep], now: Sequence[SaidStep], record: CaseRecord) -> str:
    """The first step that was done and is not there as it was.

    Of a case that was opened again, what observes was dropped, and what is done again is another step of its name.
    """
    names, links, known = {each.action_id for each in now}, {each.link for each in now}, actions()
    is_again = bool(record.history) or record.opened_epoch > 1
    for each in was:
        observes = each.action in known and known[each.action].observes
        excused = is_again and (observes or each.action_id in names)
        if each.status == StepStatus.DONE and each.link not in links and not excused:
            return f"{each.action} {each.action_id[:LINK_DIGITS]} is not as it was"
    return ""
