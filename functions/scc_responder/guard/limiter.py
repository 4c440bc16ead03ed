"""One delivery's access to the ledgers in the store: asked before anything is disrupted or changed.

Fails closed: where the store cannot be read or written, or too many write at once, the message comes again and nothing
is done; where a document makes no sense, the step is held. Two documents are read in one request, and written one after
the other, the cluster's first: a crash in between leaves one target too many counted, never one too few. They are not
written side by side: of many that want a cluster's last place at once, those that lose it would already have taken
places of the organisation's, and so a storm in one cluster would use up what all the others may do.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import (
    AlreadyExists,
    Conflict,
    ResponderError,
    RetryableError,
    StoreError,
    StoreUnavailable,
)
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import MAX_VALUE_BYTES, CasStore, Entry
from scc_responder.domain.value import resolved
from scc_responder.guard.ledger import (
    FRESH,
    Breaker,
    DisruptionRequest,
    Ledger,
    LimitDecision,
    State,
    admit,
    counts_in_organization,
)
from scc_responder.policy.guardrails import Guardrails

CLUSTERS = "ledger/cluster/"
ORGANIZATION = "ledger/organization"
PAGING_TAKES = timedelta(minutes=2)
"""If a breaker's notification has not been confirmed after this, the next delivery sends it."""

_TRIES = 16
_PAUSE_SECONDS = 0.01
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

BreakerAlert = Callable[[str, Breaker], None]
"""Notifies a person that the breaker of a cluster (its path) tripped. Raises ResponderError if that failed."""


def cluster_key(path: str) -> str:
    """Where a cluster's ledger is."""
    return CLUSTERS + hashlib.sha256(path.encode()).hexdigest()[:32]


def read_ledger(entry: Entry) -> Ledger:
    """The ledger that is stored. Raises StoreError `ledger_unusable` where it is none of this version's."""
    try:
        return msgspec.json.decode(entry.value, type=resolved(Ledger))
    except msgspec.DecodeError as error:
        raise StoreError(Reason.LEDGER_UNUSABLE, f"{entry.key}: {error}") from error


class Limiter:
    """The limits on one cluster. `page` notifies a person of a breaker that this delivery tripped."""

    def __init__(
        self, store: CasStore, cluster: str, guardrails: Guardrails, wait: Callable[[float], None], page: BreakerAlert
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._guardrails = guardrails
        self._wait = wait
        self._page = page
        self._tripped: LimitDecision | None = None
        self._allowed: dict[tuple[str, str], float] = {}

    def breaker(self) -> LimitDecision:
        """Whether the cluster's breaker allows changes, as read when this delivery asked first."""
        if self._tripped is None:
            self._tripped = self._judged(self._read_breaker)
        return self._tripped

    def reserve(self, request: DisruptionRequest, *, dry_run: bool) -> LimitDecision:
        """Whether the target may be disrupted; if so, it counts from now on.

        A dry run gets the same result and counts nothing.

        Raises RetryableError.
        """
        asked = (request.target, request.policy)
        if time.monotonic() - self._allowed.get(asked, float("-inf")) < FRESH.total_seconds():
            return LimitDecision()
        begun = time.monotonic()
        answer = self._judged(partial(self._rehearse if dry_run else self._reserve, request))
        if answer.allowed:
            self._allowed[asked] = begun
        return answer

    def _judged(self, call: Callable[[], LimitDecision]) -> LimitDecision:
        """Run the check again until no other writer interferes.

        A write without an answer may have been stored: it is looked for, once.
        """
        silent = False
        for number in range(_TRIES):
            try:
                return call()
            except (Conflict, AlreadyExists):
                self._wait(secrets.SystemRandom().uniform(0, _PAUSE_SECONDS * 2 ** min(number, 6)))
            except StoreUnavailable as error:
                if not silent:
                    silent = True
                    continue
                raise RetryableError(Reason.LEDGER_UNAVAILABLE, str(error), permission=error.permission) from error
            except StoreError as error:
                return LimitDecision(reason=error.reason, detail=str(error))
        raise RetryableError(Reason.LEDGER_CONTENDED, f"{_TRIES} tries on the ledger of {self._cluster}")

    def _read_breaker(self) -> LimitDecision:
        entry = self._store.get(cluster_key(self._cluster))
        breaker = read_ledger(entry).breaker if entry else None
        if entry is None or breaker is None:
            return LimitDecision()
        if breaker.told_at is None and entry.server_time - breaker.paging_since > PAGING_TAKES:
            # Whoever tripped it died before a person was told.
            ledger = replace(read_ledger(entry), breaker=replace(breaker, paging_since=entry.server_time))
            self._tell(self._replace(entry, ledger), ledger)
        return LimitDecision(reason=Reason.STORM_BREAKER, detail=breaker.detail)

    def _rehearse(self, request: DisruptionRequest) -> LimitDecision:
        entries = self._store.get_many(tuple(self._documents(request)))
        now = next((entry.server_time for entry in entries if entry), _EPOCH)
        return admit(
            _state([read_ledger(entry) if entry else Ledger() for entry in entries]), request, self._guardrails, now
        )[1]

    def _reserve(self, request: DisruptionRequest) -> LimitDecision:
        documents = self._documents(request)
        found = self._store.get_many(tuple(documents))
        entries = [entry or self._made(*at) for entry, at in zip(found, documents.items(), strict=True)]
        before = [read_ledger(entry) for entry in entries]
        after, answer = admit(_state(before), request, self._guardrails, entries[0].server_time)
        for entry, old, new in zip(entries, before, (after.cluster, after.organization), strict=False):
            if new is not old:
                written = self._replace(entry, new)
                if new.breaker:
                    self._tell(written, new)
        return answer

    def _documents(self, request: DisruptionRequest) -> dict[str, str]:
        """The keys of the documents that the request counts in, the cluster's first, and each one's cluster."""
        wide = {ORGANIZATION: ""} if counts_in_organization(request, self._guardrails) else {}
        return {cluster_key(self._cluster): self._cluster, **wide}

    def _made(self, key: str, cluster: str) -> Entry:
        """The document, where there was none: only the store's answer says what time it is there."""
        return self._store.create(key, msgspec.json.encode(Ledger(cluster=cluster)))

    def _replace(self, entry: Entry, ledger: Ledger) -> Entry:
        value = msgspec.json.encode(ledger)
        if len(value) > MAX_VALUE_BYTES:
            raise StoreError(Reason.LEDGER_FULL, f"{len(ledger.entries)} targets are counted in {entry.key}")
        return self._store.replace(entry.key, value, entry.version)

    def _tell(self, entry: Entry, ledger: Ledger) -> None:
        """Notify a person, and record that it was done. If that fails, another delivery does it later."""
        if ledger.breaker is None:
            return
        with suppress(ResponderError):
            self._page(self._cluster, ledger.breaker)
            told = replace(ledger.breaker, told_at=entry.server_time)
            self._replace(entry, replace(ledger, breaker=told))


def _state(ledgers: Sequence[Ledger]) -> State:
    """The cluster's ledger, and the organisation's where it was read."""
    return State(cluster=ledgers[0], organization=ledgers[1] if len(ledgers) > 1 else Ledger())
