"""The key of a case, with which the logs of its collectors are read: in the store for as long as a step may read one.

It is created before a container is put in, so that a crash between the two and the reading loses nothing. Once all of
them are read, the private key is written over: the copy of the log in Cloud Logging is unreadable then.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import msgspec

from scc_responder.actions import actions
from scc_responder.domain.changes import kind_of_stored
from scc_responder.domain.errors import AlreadyExists, StoreError, StoreOutcomeUnknown
from scc_responder.domain.finding import case_id
from scc_responder.domain.kubernetes.collector_stream import new_private_key
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.domain.store import CasStore, stored_as
from scc_responder.domain.value import Value
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.step import Step

KEPT = timedelta(days=30)
"""How long it is kept at most, where a case neither ends nor goes on."""


def drop_key(record: CaseRecord, store: CasStore) -> None:
    """Destroy the key of a case that reads no log of its collectors any more: each has told, or none was put in.

    A case that waits for a person keeps it where the plan has such a step. A store that does not answer lets go of it
    later, by itself. A case that has no such step asks nothing of the store.
    """
    put = [step for step in record.steps if (kind := kind_of_stored(step.change)) and kind.puts_container_in]
    is_needed = any(not step.is_settled for step in put) or any(map(_is_planned, record.current_steps))
    if put and not is_needed:
        with suppress(StoreError):
            CaseCollector(store, case_id(record.finding_key), "").destroy_key()


def _is_planned(step: Step) -> bool:
    known = actions().get(step.action) if step.status is StepStatus.WAITING else None
    return known is not None and any(kind.puts_container_in for kind in known.makes)


class _StoredKey(Value, frozen=True, kw_only=True):
    """A private key of X25519; None once it is destroyed."""

    private: bytes | None = None


class CaseCollector:
    """`changes.Collector` of one case: the image of the collector, and the key in the store."""

    def __init__(self, store: CasStore, case: str, image: str) -> None:
        self.case = case
        self.image = image
        self._store = store
        self._name = f"collector-key/{case}"

    def private_key(self) -> bytes:
        """The key of the case, made at the first call. Raises StoreError."""
        value = msgspec.json.encode(_StoredKey(private=new_private_key()))
        # What is there now is the one that every process reads.
        with suppress(AlreadyExists, StoreOutcomeUnknown):
            self._store.create(self._name, value, keep=KEPT)
        entry = self._store.get(self._name)
        stored = stored_as(_StoredKey, entry) or _StoredKey()
        if entry is not None and stored.private is None:
            # A later container of the same case: what an earlier one told is sealed, and is not read again.
            self._store.replace(self._name, value, entry.version, keep=KEPT)
            return self.private_key()
        if stored.private is None:
            raise StoreOutcomeUnknown(Reason.ENTRY_LOST, self._name)
        return stored.private

    def stored_key(self) -> bytes | None:
        """The key of the case; None where there is none any more. Raises StoreError."""
        return (stored_as(_StoredKey, self._store.get(self._name)) or _StoredKey()).private

    def destroy_key(self) -> None:
        """Write over the private key: what it opens is read. Raises StoreError."""
        entry = self._store.get(self._name)
        if entry is not None and (stored_as(_StoredKey, entry) or _StoredKey()).private is not None:
            self._store.replace(self._name, msgspec.json.encode(_StoredKey()), entry.version, keep=KEPT)
