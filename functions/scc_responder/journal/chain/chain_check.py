"""What logs, messages and manifests say of a record's chain, and whether a stored record is that of its chain. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from scc_responder.domain.value import Value
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.chain.step_chain import fault_of, link_of, noted
from scc_responder.journal.step import Step


class SaidStep(Value, frozen=True, kw_only=True):
    """A step as a log line, a message or a manifest names it. `link` is that of `link_of`."""

    action_id: str = ""
    action: str = ""
    status: str = ""
    link: str = ""


def chain_fields(record: CaseRecord, steps: Iterable[Step] = ()) -> dict[str, Any]:
    """`chain_head`, `chain_write` and `chain_faults` as JSON data, as far as there are any.

    `chain_links` are those of the steps that are told of beside them, in their order.
    """
    chain = record.chain
    if chain is None:
        return {}
    lists = {"chain_faults": list(chain.faults), "chain_links": [*map(link_of, steps)]}
    told = {name: items for name, items in lists.items() if items}
    return {"chain_head": chain.head, "chain_write": record.seq, **told}


def write_fields(record: CaseRecord) -> dict[str, Any]:
    """The same, and `chain_from`: the head before the record's last write, by which a case was taken or changed."""
    return {"chain_from": record.chain.before_write(record.seq), **chain_fields(record)} if record.chain else {}


def chain_statement(record: CaseRecord | None) -> dict[str, Any] | None:
    """What a manifest of evidence says of the chain: its head, and the steps as they were."""
    if record is None or record.chain is None:
        return None
    return {"head": record.chain.head, "write": record.seq, "steps": msgspec.to_builtins([*map(said, record.steps)])}


def checked(record: CaseRecord) -> CaseRecord:
    """The stored record, with a note of it where its steps are not those of its chain."""
    fault = fault_of(record.chain, record.finding_key, record.chained, record.seq)
    if record.chain is None or fault is None:
        return record
    return replace(record, chain=noted(record.chain, fault, record.seq))


def said(step: Step) -> SaidStep:
    """The step as logs, messages and manifests name it."""
    return SaidStep(action_id=step.action_id, action=step.action, status=step.status, link=link_of(step))
