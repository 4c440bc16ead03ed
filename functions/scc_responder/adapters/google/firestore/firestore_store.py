"""The compare-and-set store in production: one Firestore collection, one document for each entry.

Every write is one `Commit` with a precondition: that the document does not exist, or that its `update_time` is the one
the caller saw. There are no read-write transactions. No call is repeated by Google's library, whose retries outlast any
time-out; it is tried again here, inside one deadline. A write that is tried again carries the same word as before, so
that the first try is recognised where it was carried out after all and only its answer was lost.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from secrets import token_hex
from typing import Any, TypeVar, Unpack

from scc_responder.adapters.google.access import google_channel, lean_imports
from scc_responder.adapters.google.access.credentials import default_credentials
from scc_responder.adapters.google.access.google_client import GoogleClient
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failure
from scc_responder.adapters.google.firestore.firestore_documents import (
    ALL,
    UNFINISHED,
    FirestoreCollection,
    document_entry,
    entry,
    write_precondition,
)
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    OutcomeUnknown,
    StoreError,
    StoreOutcomeUnknown,
    StoreUnavailable,
)
from scc_responder.domain.ports import Clock
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import Entry, Page, SearchedBy, check_key, check_keys, check_scan, check_value
from scc_responder.settings import FIRESTORE_EMULATOR

FIRESTORE_SERVICE = "firestore.googleapis.com"
GET = ApiMethod(api=Reason.FIRESTORE, permission="datastore.entities.get")
SCAN = ApiMethod(api=Reason.FIRESTORE, permission="datastore.entities.list")
CREATE = ApiMethod(api=Reason.FIRESTORE, permission="datastore.entities.create", writes=True)
REPLACE = ApiMethod(api=Reason.FIRESTORE, permission="datastore.entities.update", writes=True)
DELETE = ApiMethod(api=Reason.FIRESTORE, permission="datastore.entities.delete", writes=True)

DEADLINE_SECONDS = 10.0
TRY_SECONDS = 3.0
_LEAST_SECONDS = 0.05
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0

_TAKEN = frozenset({Reason.FIRESTORE.of(Reason.ALREADY_EXISTS)})
_OTHER_VERSION = frozenset({Reason.FIRESTORE.of("failed_precondition"), Reason.FIRESTORE.of(Reason.NOT_FOUND)})
_NO_ANSWER = frozenset({0, 504})
_MAY_PASS = frozenset({0, 429, 499, 500, 503, 504})

_CHANNEL = (
    # Its own connection: where one has gone silent, the next try must not be given the same again.
    ("grpc.use_local_subchannel_pool", 1),
    # gRPC's own pauses grow to two minutes, and would outlast the outage.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
_T = TypeVar("_T")
_Ask = Callable[[Any, dict[str, Any]], _T]
"""Asks a client something, with the options that bound the call."""


class FirestoreStore(GoogleClient):
    """`ports.CasStore` in one collection, `firestore://PROJECT/DATABASE[/COLLECTION]`. Connects on first use.

    `emulator`: host:port of Google's emulator on this machine (any other raises SettingsError). `deadline_seconds`
    bounds an operation, `try_seconds` each try. `now` serves for times to live alone: the times of entries are those
    of Firestore's servers. `clock` and `wait` are for the pauses between tries.
    """

    lean = lean_imports.FIRESTORE
    service = FIRESTORE_SERVICE
    setting = FIRESTORE_EMULATOR

    def __init__(
        self,
        address: str,
        *,
        emulator: str = "",
        deadline_seconds: float = DEADLINE_SECONDS,
        try_seconds: float = TRY_SECONDS,
        now: Clock = utc_now,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(endpoint=emulator, timeout_seconds=try_seconds)
        self._collection = FirestoreCollection.of(address)
        self._deadline_seconds = deadline_seconds
        self._now = now
        self._clock = clock
        self._wait = wait
        self._credentials = cache(default_credentials)

    def get(self, key: str) -> Entry | None:
        """The entry, or None. Raises StoreUnavailable."""
        return self.get_many((key,))[0]

    def get_many(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        """The entry of each key, or None, in one request: all of them, or StoreUnavailable."""
        check_keys(keys)
        return tuple(document_entry(found, at) if found else None for found, at in self._read(keys, self._end()))

    def create(self, key: str, value: bytes, *, keep: timedelta | None = None, **by: Unpack[SearchedBy]) -> Entry:
        """Store under a new key. Raises AlreadyExists, StoreUnavailable, StoreOutcomeUnknown."""
        try:
            return self._put(CREATE, {"exists": False}, key, value, keep, **by)
        except _Failed as failed:
            raise failed.as_error(_TAKEN, AlreadyExists(Reason.ALREADY_EXISTS, key)) from failed.problem

    def replace(
        self, key: str, value: bytes, version: str, *, keep: timedelta | None = None, **by: Unpack[SearchedBy]
    ) -> Entry:
        """Store over the version the caller saw. Raises Conflict, StoreUnavailable, StoreOutcomeUnknown."""
        try:
            return self._put(REPLACE, write_precondition(key, version), key, value, keep, **by)
        except _Failed as failed:
            raise failed.as_error(_OTHER_VERSION, Conflict(Reason.CONFLICT, key)) from failed.problem

    def delete(self, key: str, version: str) -> None:
        """Remove the version the caller saw. Raises Conflict, StoreUnavailable, StoreOutcomeUnknown."""
        check_key(key)
        seen = write_precondition(key, version)
        if seen is None:
            raise Conflict(Reason.CONFLICT, key)
        try:
            self._commit(DELETE, self._end(), {"delete": self._collection.document(key), "current_document": seen})
        except _Failed as failed:
            raise failed.as_error(_OTHER_VERSION, Conflict(Reason.CONFLICT, key)) from failed.problem

    def scan(self, prefix: str, cursor: str | None = None, limit: int = 100, *, unfinished: bool = False) -> Page:
        """Entries whose key starts with prefix, in the order of their UTF-8 bytes, after cursor."""
        check_scan(prefix, cursor, limit)
        field = UNFINISHED if unfinished else ALL
        found = self._asked_for(self._collection.scan(prefix, cursor or "", limit + 1, field=field))
        page = tuple(found[:limit])
        return Page(entries=page, cursor=page[-1].key if len(found) > limit else None)

    def scan_due(self, now: datetime, limit: int = 100, *, after: Entry | None = None) -> tuple[Entry, ...]:
        """Entries that are due, the longest due first; with `after` those behind it. Raises StoreUnavailable."""
        check_scan("", None, limit)
        return tuple(self._asked_for(self._collection.scan_due(now, limit, after)))

    def _asked_for(self, request: dict[str, Any]) -> list[Entry]:
        answers = self._answered(SCAN, self._end(), lambda client, options: [*client.run_query(request, **options)])
        raw = (type(answer).pb(answer) for answer in answers)
        return [document_entry(answer.document, answer.read_time) for answer in raw if answer.HasField("document")]

    def _end(self) -> float:
        return self._clock() + self._deadline_seconds

    def _read(self, keys: Sequence[str], end: float) -> list[tuple[Any, Any]]:
        """The document of each key as protobuf, or None, and the server's time. It answers in any order."""
        if not keys:
            return []
        request = self._collection.read(dict.fromkeys(keys))
        answers = self._answered(
            GET, end, lambda client, options: list(client.batch_get_documents(request=request, **options))
        )
        found = {}
        for raw in (type(answer).pb(answer) for answer in answers):
            is_there = raw.HasField("found")
            found[raw.found.name if is_there else raw.missing] = (raw.found if is_there else None, raw.read_time)
        try:
            return [found[self._collection.document(key)] for key in keys]
        except KeyError as missing:
            raise StoreUnavailable(Reason.STORE_UNAVAILABLE, f"Firestore did not answer about {missing}") from missing

    def _put(
        self, call: ApiMethod, condition: Any, key: str, value: bytes, keep: timedelta | None, **by: Unpack[SearchedBy]
    ) -> Entry:
        check_key(key)
        check_value(value)
        if condition is None:
            raise Conflict(Reason.CONFLICT, key)
        word, end = token_hex(8), self._end()
        expires_at = self._now() + keep if keep is not None else None
        document = self._collection.written(key, value, word, expires_at, **by)
        try:
            answer = self._commit(call, end, {"update": document, "current_document": condition})
        except _Failed as failed:
            if not (failed.is_unknown and failed.is_refusal(_TAKEN | _OTHER_VERSION)):
                raise
            # An earlier try may be what stands in the way of this one.
            with suppress(StoreUnavailable):
                [(found, read_time)] = self._read((key,), end)
                if found is not None and found.fields["write"].string_value == word:
                    return document_entry(found, read_time)
            raise
        return entry(key, value, answer.write_results[0].update_time, answer.commit_time, **by)

    def _commit(self, call: ApiMethod, end: float, write: dict[str, Any]) -> Any:
        """Commit one write: the answer as protobuf. Raises _Failed."""
        request = self._collection.commit(write)
        answer = self._asked(call, end, lambda client, options: client.commit(request=request, **options))
        return type(answer).pb(answer)

    def _answered(self, call: ApiMethod, end: float, ask: _Ask[_T]) -> _T:
        try:
            return self._asked(call, end, ask)
        except _Failed as failed:
            raise failed.as_error() from failed.problem

    def _asked(self, call: ApiMethod, end: float, ask: _Ask[_T]) -> _T:
        """The answer, of as many tries as the deadline holds where the failure may pass. Raises _Failed."""
        is_unknown = False
        for seconds in self._tries(end):
            client = None
            try:
                client = self._opened()
                return ask(client, {"timeout": seconds, "retry": None})
            except ApiError as error:
                problem = error
            except import_module("google.api_core.exceptions").GoogleAPICallError as error:
                problem = grpc_failure(call, error)
            is_unknown = is_unknown or isinstance(problem, OutcomeUnknown)
            if problem.status not in _MAY_PASS and problem.reason != Reason.FIRESTORE.of("aborted"):
                break
            if problem.status in _NO_ANSWER:
                self._abandon(client)
        raise _Failed(problem, is_unknown=is_unknown)

    def _tries(self, end: float) -> Iterator[float]:
        """The seconds that each try may take: the first at once, the others after a pause, all before `end`."""
        pause = _FIRST_PAUSE
        yield min(self._timeout_seconds, max(end - self._clock(), _LEAST_SECONDS))
        while end - self._clock() - pause > _LEAST_SECONDS:
            self._wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - keeps instances apart, hides nothing
            yield min(self._timeout_seconds, end - self._clock())
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _connected(self) -> Any:
        return google_channel.client(
            self.lean, self.service, self._endpoint, credentials=self._credentials, options=_CHANNEL
        )

    def _abandon(self, client: Any) -> None:
        """Drop a connection that no longer answers; calls that wait on it keep it, and the next try opens another."""
        with self._opening:
            if self._client is client:
                self._client = None


class _Failed(Exception):  # noqa: N818 - becomes one of the store's errors
    """The last failure of an operation; `is_unknown` where one of its tries may have been carried out."""

    def __init__(self, problem: ApiError, *, is_unknown: bool) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.is_unknown = is_unknown

    def is_refusal(self, refusals: frozenset[str]) -> bool:
        """Whether the server answered that the precondition does not hold."""
        return self.problem.reason in refusals

    def as_error(self, refusals: frozenset[str] = frozenset(), refused: StoreError | None = None) -> StoreError:
        """The error for the caller; `refused` if the server's answer is one of `refusals`."""
        if refused and self.is_refusal(refusals) and not self.is_unknown:
            return refused
        permission = self.problem.permission
        told = f"{self.problem.reason}: {f'missing permission: {permission}' if permission else self.problem}"
        if self.is_unknown:
            return StoreOutcomeUnknown(Reason.STORE_OUTCOME_UNKNOWN, told, permission=permission)
        return StoreUnavailable(Reason.STORE_UNAVAILABLE, told, permission=permission)
