"""The kill switch in the store: read before every decision and every intent, turned by compare-and-set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from scc_responder.domain.errors import AlreadyExists, Conflict, RetryableError, StoreError, StoreUnavailable
from scc_responder.domain.mode import Mode
from scc_responder.domain.ports import CasStore
from scc_responder.guard.control import UNUSABLE, Ceiling, Control, Setting, ceiling, changed, parse

PREFIX = "control/"
GLOBAL = f"{PREFIX}global"
_TRIES = 8


def key_of(cluster: str) -> str:
    """Where the document of a cluster, given by its path, is; of everywhere, if the path is empty."""
    return f"{PREFIX}cluster/" + hashlib.sha256(cluster.encode()).hexdigest()[:32] if cluster else GLOBAL


class KillSwitch:
    """The documents. Nothing is kept in memory: what a person set counts from the next read on."""

    def __init__(self, store: CasStore) -> None:
        self._store = store

    def ceiling(self, cluster: str) -> Ceiling:
        """How far anything may go in the cluster now; with an empty path, as far as everywhere is concerned.

        Raises RetryableError `control_unreadable` where the store does not answer: nothing may be done then, and the
        message comes again. Where it answers with nonsense, `dry_run`.
        """
        try:
            entries = self._store.get_many([GLOBAL, key_of(cluster)] if cluster else [GLOBAL])
        except StoreUnavailable as error:
            raise RetryableError("control_unreadable", str(error)) from error
        except StoreError:
            return Ceiling(mode=Mode.DRY_RUN, reason=UNUSABLE)
        everywhere, *own = (entry.value if entry else None for entry in entries)
        return ceiling(everywhere, own[0] if own else None, cluster)

    def read(self, cluster: str = "") -> Control | None:
        """One document as it stands; None where there is none, or none that makes sense. Raises StoreError."""
        entry = self._store.get(key_of(cluster))
        return parse(entry.value, cluster) if entry else None

    def set(self, setting: Setting, cluster: str = "") -> Control:
        """Turn the switch. What cannot be read is replaced. Raises RetryableError `control_contended`, StoreError."""
        key = key_of(cluster)
        for _ in range(_TRIES):
            entry = self._store.get(key)
            control = changed(parse(entry.value, cluster) if entry else None, setting, cluster)
            value = msgspec.json.encode(control)
            with suppress(AlreadyExists, Conflict):
                if entry is None:
                    self._store.create(key, value)
                else:
                    self._store.replace(key, value, entry.version)
                return control
        raise RetryableError("control_contended", f"{key} changed {_TRIES} times meanwhile: look at it, and try again")

    def documents(self) -> Iterator[tuple[str, Control | None]]:
        """Every document by its key, clusters first; None for one that makes no sense. Raises StoreError."""
        cursor: str | None = None
        while True:
            page = self._store.scan(PREFIX, cursor)
            for entry in page.entries:
                yield entry.key, _own(entry.key, entry.value)
            cursor = page.cursor
            if cursor is None:
                return


def _own(key: str, value: bytes) -> Control | None:
    found = parse(value)
    return found if found and key_of(found.cluster) == key else None
