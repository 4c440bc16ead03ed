"""A claimed case: the journal writes of its holder. Each fails once another holder has taken the case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from functools import partial
from threading import Lock
from typing import Any

import msgspec
from msgspec.structs import replace

from scc_responder.domain.changes import is_reversible
from scc_responder.domain.errors import AlreadyExists, Conflict, RetryableError, StoreOutcomeUnknown
from scc_responder.domain.finding import Finding
from scc_responder.domain.kubernetes.container_facts import Inspection
from scc_responder.domain.ports import Clock
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.domain.store import CasStore, Entry
from scc_responder.domain.value import Value, read_json
from scc_responder.journal.again.unfinished import is_unfinished
from scc_responder.journal.case import KEEP_CLOSED, CaseRecord, case_digest, kept
from scc_responder.journal.case_json import decoded, fitted
from scc_responder.journal.chain.step_chain import extended
from scc_responder.journal.step import Step
from scc_responder.journal.watch.looks_due import Looks, due_at, scheduled

RESERVATIONS = "reservation/"
_CARRIED_OUT = frozenset({StepStatus.DONE, StepStatus.TERMINATING})
_ABOUT_TO = frozenset({StepStatus.INTENT, StepStatus.UNKNOWN})


class LostLease(RetryableError):  # noqa: N818 - a fact about this holder, not a fault
    """Another holder has taken the case, or this one released it: the process must stop working on it."""


class CaseWriter:
    """The writes of one claim to the store, under the claim's token."""

    def __init__(self, store: CasStore, clock: Clock, token: str, looks: Looks = ()) -> None:
        self.store = store
        self.clock = clock
        self.token = token
        self.looks = looks

    def create(self, key: str, record: CaseRecord) -> tuple[Entry, CaseRecord]:
        """Store the first form of a case. Raises AlreadyExists, StoreUnavailable."""
        sealed, value = self._sealed(record)
        entry = self._unless_applied(key, value, partial(self.store.create, key, value, **_write_options(sealed)))
        return entry, sealed

    def replace(self, seen: Entry, record: CaseRecord) -> tuple[Entry, CaseRecord]:
        """Store over the version seen. Raises Conflict, StoreUnavailable."""
        sealed, value = self._sealed(record)
        write = partial(self.store.replace, seen.key, value, seen.version, **_write_options(sealed))
        entry = self._unless_applied(seen.key, value, write)
        return entry, sealed

    def _sealed(self, record: CaseRecord) -> tuple[CaseRecord, bytes]:
        now, seq = self.clock(), record.seq + 1
        chain = extended(record.chain, record.finding_key, record.chained, seq)
        sealed = replace(scheduled(record, self.looks, now), writer=self.token, seq=seq, updated_at=now, chain=chain)
        value, stored = fitted(sealed)
        return replace(sealed, chain=stored.chain, schema=stored.schema), value

    def _unless_applied(self, key: str, value: bytes, write: Callable[[], Entry]) -> Entry:
        # An answer that did not come leaves it open whether the value was stored. The token and number in it make it
        # recognisable as ours.
        try:
            return write()
        except StoreOutcomeUnknown:
            stored = self.store.get(key)
            if stored is None or stored.value != value:
                raise
            return stored


def _write_options(record: CaseRecord) -> dict[str, Any]:
    """The options of a store write that follow from the case: how long to keep it, and what scans search it by."""
    return {"keep": kept(record), "unfinished": is_unfinished(record), "due_at": due_at(record)}


class ClaimedCase:
    """A case that this process holds.

    `save`, `close`, `renew` and `release` write once, and raise LostLease or StoreUnavailable. `confirmed`, `keep`,
    `noted` and `inspected` change only memory; the next write stores it.
    """

    def __init__(self, writer: CaseWriter, entry: Entry, record: CaseRecord) -> None:
        self._writer = writer
        self._entry = entry
        self._held = True
        self._lock = Lock()
        self.record = record
        """The case as stored by the last write."""

    def save(self, *steps: Step, decision: Mapping[str, Any] | None = None) -> None:
        """Record intents and outcomes; several in one write, such as one step's outcome and the next one's intent."""
        self._write(self._changed(steps, decision))

    def reserve(self, target: str, action_id: str) -> bool:
        """Whether this case may carry out `target` (an irreversible action on one object). The first case to ask may.

        Another may only if that case is closed and did not carry it out. Raises RetryableError while the case that has
        it is open, StoreUnavailable.
        """
        claim = Reservation(case=self._entry.key, action_id=action_id)
        return reserve(self._writer.store, f"{RESERVATIONS}{target}", claim)

    def is_done_by_other(self, target: str) -> bool:
        """Whether another case holds the reservation of `target`, and carried it out or is about to.

        Raises StoreUnavailable, RetryableError where that case cannot be read.
        """
        stored = self._writer.store.get(f"{RESERVATIONS}{target}")
        held = _reservation(stored) if stored else None
        if held is None or held.case == self._entry.key:
            return False
        entry = self._writer.store.get(held.case)
        return entry is not None and _has_sent(decoded(entry), held, _CARRIED_OUT | _ABOUT_TO)

    def renew(self) -> None:
        """Renew the lease during a long step, by a write that changes nothing else."""
        self._write(self.record)

    def confirmed(self, finding: Finding) -> None:
        """Update the case from the finding as it was read from its source; the next write stores it."""
        self.record = replace(
            self.record,
            event_time=finding.event_time,
            digest=case_digest(finding),
            canonical_name=finding.canonical_name,
            cluster=finding.place,
        )

    def keep(self, record: CaseRecord) -> None:
        """Take the plan of this record; the next write stores it."""
        self.record = record

    def noted(self, *steps: Step) -> None:
        """Take outcomes; the next write stores them."""
        self.record = self.record.with_steps(steps)

    def inspected(self, inspection: Inspection) -> None:
        """Take what a look into the container told; the next write stores it."""
        self.record = replace(self.record, inspection=inspection)

    def close(
        self, state: CaseState, reason: str = "", *steps: Step, decision: Mapping[str, Any] | None = None
    ) -> None:
        """Close the case with its last outcomes, and release the lease."""
        changed = self._changed(steps, decision)
        closed = replace(changed, state=state, reason=reason, owner="", closed_at=self._writer.clock())
        self._write(closed)
        self._held = False

    def release(self, reason: str = "", *steps: Step, decision: Mapping[str, Any] | None = None) -> None:
        """Release the lease of an unfinished case with a reason: the next delivery resumes it at once."""
        self._write(replace(self._changed(steps, decision), owner="", reason=reason))
        self._held = False

    def _changed(self, steps: tuple[Step, ...], decision: Mapping[str, Any] | None) -> CaseRecord:
        changed = self.record.with_steps(steps)
        return changed if decision is None else replace(changed, decision=dict(decision))

    def _write(self, record: CaseRecord) -> None:
        with self._lock:
            if not self._held:
                raise LostLease(Reason.CASE_NOT_HELD, self.record.finding_name)
            try:
                self._entry, self.record = self._writer.replace(self._entry, record)
            except Conflict as error:
                raise LostLease(Reason.LEASE_LOST, self.record.finding_name) from error


class Reservation(Value, frozen=True, kw_only=True):
    """Who holds a reservation: the key of the case in the store, and the action's id in it."""

    case: str
    action_id: str


def reserve(store: CasStore, key: str, wanted: Reservation) -> bool:
    """Take the reservation if it is free, or if its holder closed without using it.

    Returns whether this case holds it now.

    Raises RetryableError `reserved_by_open_finding` while the case that has it is open, `record_unreadable`, and
    StoreUnavailable.
    """
    value = msgspec.json.encode(wanted)
    try:
        store.create(key, value, keep=KEEP_CLOSED)
    except (AlreadyExists, StoreOutcomeUnknown):
        stored = store.get(key)
        if stored is None:
            raise
        held = _reservation(stored)
        if held == wanted:
            return True
        if _was_used(store, held):
            return False
        try:
            store.replace(key, value, stored.version, keep=KEEP_CLOSED)
        except Conflict as error:
            raise RetryableError(
                Reason.RESERVED_BY_OPEN_FINDING, "another finding reserved it at this moment"
            ) from error
    return True


def _reservation(entry: Entry) -> Reservation:
    try:
        return read_json(entry.value, Reservation)
    except msgspec.DecodeError as error:
        raise RetryableError(Reason.RECORD_UNREADABLE, f"{entry.key}: {error}") from error


def _was_used(store: CasStore, held: Reservation) -> bool:
    entry = store.get(held.case)
    record = decoded(entry) if entry else None
    if record is None:
        return False
    if _has_sent(record, held, _CARRIED_OUT):
        return True
    if record.state is CaseState.OPEN:
        raise RetryableError(Reason.RESERVED_BY_OPEN_FINDING, f"{held.case} is about to do it, and is not closed yet")
    return False


def _has_sent(record: CaseRecord, held: Reservation, reached: Set[StepStatus]) -> bool:
    """Whether the irreversible step that the reservation is for came this far."""
    steps = (step for step in record.steps if step.action_id == held.action_id)
    return any(step.status in reached and not is_reversible(step.change) for step in steps)
