"""Reserve what cannot be undone: of several findings about one object, one may carry the action out.

This only keeps two cases out of each other's way; the fence is the condition on the request itself.
"""

from __future__ import annotations

import msgspec

from scc_responder.domain.errors import AlreadyExists, Conflict, RetryableError, StoreOutcomeUnknown
from scc_responder.domain.ports import CasStore
from scc_responder.domain.value import Value
from scc_responder.journal.case import KEEP_CLOSED, CaseState, StepStatus, decode
from scc_responder.journal.failpoints import boundary

_CARRIED_OUT = frozenset({StepStatus.DONE, StepStatus.TERMINATING})


class Reservation(Value, frozen=True, kw_only=True):
    """Who has the right: the key of the case in the store, and the action's id in it."""

    case: str
    action_id: str


def reserve(store: CasStore, key: str, wanted: Reservation) -> bool:
    """Take the reservation if nobody has it, or if who has it ended without using it; whether it is ours now.

    Raises RetryableError `reserved_by_open_finding` while the case that has it is open, StoreUnavailable.
    """
    boundary("before journal reserve")
    try:
        return _reserve(store, key, wanted)
    finally:
        boundary("after journal reserve")


def _reserve(store: CasStore, key: str, wanted: Reservation) -> bool:
    value = msgspec.json.encode(wanted)
    try:
        store.create(key, value, keep=KEEP_CLOSED)
    except (AlreadyExists, StoreOutcomeUnknown):
        stored = store.get(key)
        if stored is None:
            raise
        held = msgspec.json.decode(stored.value, type=Reservation)
        if held == wanted:
            return True
        if _was_used(store, held):
            return False
        try:
            store.replace(key, value, stored.version, keep=KEEP_CLOSED)
        except Conflict as error:
            raise RetryableError("reserved_by_open_finding", "another finding reserved it at this moment") from error
    return True


def _was_used(store: CasStore, held: Reservation) -> bool:
    entry = store.get(held.case)
    record = decode(entry.value) if entry else None
    if record is None:
        return False
    if record.state is CaseState.OPEN:
        raise RetryableError("reserved_by_open_finding", f"{held.case} is about to do it, and is not closed yet")
    # Arming, a patch, can be undone: only what cannot be counts.
    final = [step for step in record.steps if step.action_id == held.action_id and step.change.get("change") != "patch"]
    return any(step.status in _CARRIED_OUT for step in final)
