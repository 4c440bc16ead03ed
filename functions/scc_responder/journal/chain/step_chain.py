"""The chain: each write that changes a step or the plan adds a link, made of all of them and of the head before. Pure.

Whoever may write the store can make a chain anew. So its head also stands where they cannot write: in each log line, in
each message about the case, and in the signed manifests of its evidence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.journal.plan import Plan
from scc_responder.journal.step import Step

LINK_DIGITS = 16
"""Hex digits of a step's digest that say which step differs; the head is made of all 64."""
_KEEP_FAULTS = 10


class StepChain(Value, frozen=True, kw_only=True):
    """The chain as the record keeps it. A version without one leaves it as it was.

    `head` is SHA-256 in hex; `before` the head before the last write that changed it, empty where it was the first,
    which was the record's write number `at` (`CaseRecord.seq`); `since` is that of the first. `seq` is the last write
    that knew of the chain. `links` are the beginnings of the digests of `CaseRecord.chained`, in that order. `faults`
    are what was not so when the case was taken: a reason and the number of the write.
    """

    head: str
    before: str = ""
    at: int = 0
    since: int = 0
    seq: int = 0
    links: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    def before_write(self, seq: int) -> str:
        """The head before the record's write of this number, if that is its last one."""
        return self.before if self.at == seq else self.head


def step_digest(step: Step | Plan) -> str:
    """SHA-256 of step or plan as it is stored, in hex. A field that says nothing does not count: others may come."""
    fields = msgspec.to_builtins(step)
    return hashlib.sha256(msgspec.json.encode(_said({**fields.pop("extra"), **fields}), order="sorted")).hexdigest()


def _said(value: Any) -> Any:
    """The value without what is empty, at whatever depth."""
    if isinstance(value, dict):
        said = {name: _said(item) for name, item in value.items()}
        return {name: item for name, item in said.items() if item not in ("", None, 0, [], {})}
    return [_said(item) for item in value] if isinstance(value, list) else value


def link_of(step: Step | Plan) -> str:
    """By which logs and messages name the step as it was."""
    return step_digest(step)[:LINK_DIGITS]


def extended(chain: StepChain | None, key: str, steps: Sequence[Step | Plan], seq: int) -> StepChain:
    """The chain at the record's write number `seq`; a new one where there is none. `key` is the finding's."""
    digests = [step_digest(step) for step in steps]
    links = _links(digests)
    if chain and chain.links == links:
        return replace(chain, seq=seq)
    before, since, faults = (chain.head, chain.since, chain.faults) if chain else ("", seq, ())
    head = _head(before, key, digests)
    return StepChain(head=head, before=before, at=seq, since=since, seq=seq, links=links, faults=faults)


def relinked(chain: StepChain, key: str, steps: Sequence[Step | Plan]) -> StepChain:
    """The chain over these steps in place of those of its last write: some of them are stored in a shorter form."""
    digests = [step_digest(step) for step in steps]
    return replace(chain, head=_head(chain.before, key, digests), links=_links(digests))


def fault_of(chain: StepChain | None, key: str, steps: Sequence[Step | Plan], seq: int) -> Reason | None:
    """Why the steps and the plan of a stored record are not those of its chain; None where they are.

    `no_chain`: a version without chains wrote the record. `written_without_chain`: such a one wrote its steps last, or
    somebody who made it look so. `chain_broken`: no version did.
    """
    if chain is None:
        return Reason.NO_CHAIN
    digests = [step_digest(step) for step in steps]
    if _links(digests) == chain.links and _head(chain.before, key, digests) == chain.head:
        return None
    return Reason.CHAIN_BROKEN if chain.seq == seq else Reason.WRITTEN_WITHOUT_CHAIN


def noted(chain: StepChain, fault: Reason, seq: int) -> StepChain:
    """The chain with a fault that was met when the case was taken: the next write keeps it."""
    faults = tuple(dict.fromkeys((*chain.faults, f"{fault}:{seq}")))
    return replace(chain, faults=faults[:_KEEP_FAULTS])


def _links(digests: Sequence[str]) -> tuple[str, ...]:
    return tuple(digest[:LINK_DIGITS] for digest in digests)


def _head(before: str, key: str, digests: Sequence[str]) -> str:
    return hashlib.sha256(msgspec.json.encode([before, key, digests])).hexdigest()
