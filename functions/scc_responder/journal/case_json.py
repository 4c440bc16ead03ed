"""A case as it is stored: JSON of at most 100 KiB under `case/<finding key>`, with a schema number. Pure.

Fields that a newer version added are kept; words that it added, and a later schema, make the record `record_newer`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import RetryableError
from scc_responder.domain.finding import case_id
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import MAX_VALUE_BYTES, Entry
from scc_responder.domain.value import Value, read_json, resolved
from scc_responder.journal.account.case_facts import CaseFacts
from scc_responder.journal.again.stored_schema import AGAIN_SCHEMA, READABLE_SCHEMAS, stored_schema
from scc_responder.journal.case import CaseRecord, Closing
from scc_responder.journal.chain.step_chain import relinked
from scc_responder.journal.newer_words import newer_words
from scc_responder.journal.plan import Plan
from scc_responder.journal.step import Step

_KEPT: dict[str, type[Value]] = {"steps": Step, "history": Closing}
"""Lists of a case in whose items the fields are kept that this version does not know."""


class _KeptPolicy(Value, frozen=True, kw_only=True):
    """A policy's answer, as far as others go by what a case keeps of it."""

    name: str = ""
    mode: Mode = Mode.DISABLED
    matched: bool = False
    actions: list[dict[str, Any]] = []


class _KeptIdentity(Value, frozen=True, kw_only=True):
    """The checks of the target's identity that were kept."""

    checks: dict[str, str] = {}


class _KeptPod(Value, frozen=True, kw_only=True):
    """The pod, as far as a look goes by it."""

    namespace: str = ""
    uid: str = ""
    workload: str | None = None


class _KeptDecision(Value, frozen=True, kw_only=True):
    """The forms of what a case keeps of a decision: whoever may write the store could put others there."""

    policies: list[_KeptPolicy] = []
    identity: _KeptIdentity = _KeptIdentity()
    threat: dict[str, Any] = {}
    pod: _KeptPod | None = None
    cloud_run: dict[str, Any] | None = None
    images: list[str] = []
    missing: dict[str, Any] = {}
    facts: CaseFacts = CaseFacts()


def encode(record: CaseRecord) -> bytes:
    """The stored form."""
    return fitted(record)[0]


def fitted(record: CaseRecord) -> tuple[bytes, CaseRecord]:
    """The stored form, and the record in it.

    Over 100 KiB the decision, then the changes of settled steps are left out, then what was taken back, the oldest
    first; never another step.
    """
    record = replace(record, schema=stored_schema(record))
    value = _plain(record)
    for shortened in (_undecided, _bare, *[_forgetful] * len(record.history)):
        if len(value) > MAX_VALUE_BYTES:
            record = shortened(record)
            chain = record.chain and relinked(record.chain, record.finding_key, record.chained)
            record = replace(record, chain=chain)
            value = _plain(record)
    return value, record


def _undecided(record: CaseRecord) -> CaseRecord:
    return replace(record, decision={"left_out": Reason.TOO_LARGE})


def _bare(record: CaseRecord) -> CaseRecord:
    history = tuple(replace(each, taken_back=tuple(map(_bare_step, each.taken_back))) for each in record.history)
    return replace(record, steps=tuple(map(_bare_step, record.steps)), history=history)


def _bare_step(step: Step) -> Step:
    kept = {key: step.change[key] for key in ("change", "kind", "name") if key in step.change}
    return replace(step, change=kept, detail="") if step.is_settled else step


def _forgetful(record: CaseRecord) -> CaseRecord:
    """The record without what was taken back before the oldest opening that has kept it."""
    oldest = next((each for each in record.history if each.taken_back), None)
    return replace(record, history=tuple(replace(e, taken_back=()) if e is oldest else e for e in record.history))


def _plain(record: CaseRecord) -> bytes:
    fields = _flat(msgspec.to_builtins(record))
    lists = {name: [_flat(item) for item in fields[name]] for name in _KEPT}
    for closing in lists["history"]:
        closing["taken_back"] = [*map(_flat, closing["taken_back"])]
    plan = fields["plan"] and _flat(fields["plan"])
    if plan and plan["asked"] is None:
        # The last release takes a plan with a field that it does not know for another plan.
        del plan["asked"]
    return msgspec.json.encode(fields | lists | {"plan": plan}, order="sorted")


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, and beside them those that this version does not know."""
    return {**fields.pop("extra"), **fields}


def _with_extra(fields: dict[str, Any], kind: type[Value]) -> dict[str, Any]:
    unknown = {name: fields[name] for name in fields.keys() - (set(kind.__struct_fields__) - {"extra"})}
    return {name: value for name, value in fields.items() if name not in unknown} | {"extra": unknown}


def decode(value: bytes) -> CaseRecord:
    """The record of a stored form.

    Raises RetryableError `record_newer` (written by a later version) or `record_unreadable`: nothing may be done on a
    case that cannot be read, so the message comes again and reaches a person through the dead letters.
    """
    try:
        fields = read_json(value, dict[str, Any])
        if fields.get("schema") not in READABLE_SCHEMAS:
            raise RetryableError(Reason.RECORD_NEWER, f"schema {fields.get('schema')!a}, of {AGAIN_SCHEMA}")
        newer = newer_words(fields)
        if newer:
            raise RetryableError(Reason.RECORD_NEWER, f"{newer}: this version does not know it")
        msgspec.convert(fields.get("decision", {}), resolved(_KeptDecision))
        lists = {name: [_with_extra(item, kind) for item in fields.get(name, ())] for name, kind in _KEPT.items()}
        for closing in lists["history"]:
            closing["taken_back"] = [_with_extra(step, Step) for step in closing.get("taken_back", ())]
        plan = fields.get("plan") and _with_extra(fields["plan"], Plan)
        return msgspec.convert(_with_extra(fields, CaseRecord) | lists | {"plan": plan}, resolved(CaseRecord))
    except (msgspec.DecodeError, TypeError, AttributeError, RecursionError) as error:
        raise RetryableError(Reason.RECORD_UNREADABLE, f"the record is damaged: {error}") from error


def decoded(entry: Entry) -> CaseRecord:
    """The record of a stored case. Raises what `decode` does, also where the record names another case."""
    record = decode(entry.value)
    if record.finding_key != entry.key.rpartition("/")[2]:
        raise RetryableError(Reason.RECORD_UNREADABLE, f"it is that of case {case_id(record.finding_key)}")
    return record
