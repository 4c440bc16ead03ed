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

from scc_responder.actions import actions
from scc_responder.domain.context import Context
from scc_responder.domain.errors import (
    AlreadyExists,
    Conflict,
    ResponderError,
    RetryableError,
    StoreError,
    StoreUnavailable,
)
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import MAX_VALUE_BYTES, CasStore, Entry, usable_as
from scc_responder.guard.disruption import disruption_request
from scc_responder.guard.ledger import FRESH, admit, counts_in_organization, cut_of
from scc_responder.guard.limits.ledger_document import (
    Breaker,
    Budget,
    DisruptionRequest,
    Ledger,
    LimitDecision,
    State,
)
from scc_responder.guard.limits.storm import held_by, with_breakers
from scc_responder.policy.guardrails import Guardrails

CLUSTERS = "ledger/cluster/"
ORGANIZATION = "ledger/organization"
PAGING_TAKES = timedelta(minutes=2)
"""If a breaker's notification has not been confirmed after this, the next delivery sends it."""

_TRIES = 16
_PAUSE_SECONDS = 0.01
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

BreakerAlert = Callable[[str, Breaker], None]
"""Notifies a person that a breaker of a cluster (its path) tripped. Raises ResponderError if that failed."""

_Answers = dict[Budget, LimitDecision]
_Asked = tuple[str, str, Budget, bool]


def cluster_key(path: str) -> str:
    """Where a cluster's ledger is."""
    return CLUSTERS + hashlib.sha256(path.encode()).hexdigest()[:32]


class Limiter:
    """The limits on one cluster. `page` notifies a person of a breaker that this delivery tripped."""

    def __init__(
        self, store: CasStore, cluster: str, guardrails: Guardrails, wait: Callable[[float], None], page: BreakerAlert
    ) -> None:
        self._store = store
        self._cluster = cluster
        self.guardrails = guardrails
        self._wait = wait
        self._page = page
        self._ledger: Ledger | None = None
        self._answered: dict[_Asked, tuple[float, LimitDecision]] = {}

    def reserve(self, request: DisruptionRequest, *, dry_run: bool, by_person: bool = False) -> LimitDecision:
        """Whether the target may be disrupted; if so, it counts from now on.

        A dry run gets the same result and counts nothing. What a breaker holds is not asked for again. What a person
        had done (`by_person`) is only counted.

        Raises RetryableError.
        """
        asked = (request.target, request.policy, request.budget, by_person)
        begun, answer = self._answered.get(asked, (float("-inf"), LimitDecision()))
        if time.monotonic() - begun < FRESH.total_seconds():
            return answer
        begun = time.monotonic()
        call = partial(self._rehearse if dry_run else self._reserve, request, by_person=by_person)
        answers = self._judged(request.budget, call)
        for budget, answer in answers.items():
            if answer.allowed or answer.reason == Reason.STORM_BREAKER:
                said = by_person and budget is request.budget
                self._answered[request.target, request.policy, budget, said] = begun, replace(answer, is_again=True)
        return answers[request.budget]

    def breaker(self, request: DisruptionRequest | None = None) -> LimitDecision:
        """Whether no breaker of the cluster, as this delivery read them first, holds the request.

        Any of them holds what disrupts a target that was not read (None). Raises RetryableError.
        """
        return self._judged(Budget.DISRUPTION, partial(self._read_breaker, request))[Budget.DISRUPTION]

    def _read_breaker(self, request: DisruptionRequest | None) -> _Answers:
        if self._ledger is None:
            entry = self._store.get(cluster_key(self._cluster))
            self._ledger = usable_as(Ledger, entry) if entry else Ledger()
        breaker = held_by(self._ledger, request) if request else self._ledger.breaker
        held = LimitDecision(reason=Reason.STORM_BREAKER, detail=breaker.detail) if breaker else LimitDecision()
        return {Budget.DISRUPTION: held}

    def cut(self, context: Context) -> int:
        """The other pods of the context's workload that were isolated a short time ago. Raises RetryableError."""
        request = disruption_request(context, actions()["isolate_pod"], "")
        if request is None:
            return 0
        try:
            entry = self._store.get(cluster_key(self._cluster))
            return cut_of(usable_as(Ledger, entry), request) if entry else 0
        except StoreError as error:
            raise RetryableError(Reason.LEDGER_UNAVAILABLE, str(error), permission=error.permission) from error

    def _judged(self, budget: Budget, call: Callable[[], _Answers]) -> _Answers:
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
                return {budget: LimitDecision(reason=error.reason, detail=str(error))}
        raise RetryableError(Reason.LEDGER_CONTENDED, f"{_TRIES} tries on the ledger of {self._cluster}")

    def _rehearse(self, request: DisruptionRequest, *, by_person: bool) -> _Answers:
        entries = self._store.get_many(tuple(self._documents(request)))
        now = next((entry.server_time for entry in entries if entry), _EPOCH)
        ledgers = [usable_as(Ledger, entry) if entry else Ledger() for entry in entries]
        answers = _admitted(_state(ledgers), request, self.guardrails, now, by_person=by_person)[1]
        if entries[0]:
            self._tell(entries[0], ledgers[0], ledgers[0].breakers)
        return answers

    def _reserve(self, request: DisruptionRequest, *, by_person: bool) -> _Answers:
        documents = self._documents(request)
        found = self._store.get_many(tuple(documents))
        entries = [entry or self._made(*at) for entry, at in zip(found, documents.items(), strict=True)]
        before = [usable_as(Ledger, entry) for entry in entries]
        now = entries[0].server_time
        after, answers = _admitted(_state(before), request, self.guardrails, now, by_person=by_person)
        for entry, old, new in zip(entries, before, (after.cluster, after.organization), strict=False):
            self._tell(self._replace(entry, new) if new is not old else entry, new, old.breakers)
        return answers

    def _documents(self, request: DisruptionRequest) -> dict[str, str]:
        """The keys of the documents that the request counts in, the cluster's first, and each one's cluster."""
        asked = (request, _ending(request)) if request.then_ends else (request,)
        wide = {ORGANIZATION: ""} if any(counts_in_organization(each, self.guardrails) for each in asked) else {}
        return {cluster_key(self._cluster): self._cluster, **wide}

    def _made(self, key: str, cluster: str) -> Entry:
        """The document, where there was none: only the store's answer says what time it is there."""
        return self._store.create(key, msgspec.json.encode(Ledger(cluster=cluster)))

    def _replace(self, entry: Entry, ledger: Ledger) -> Entry:
        value = msgspec.json.encode(ledger)
        if len(value) > MAX_VALUE_BYTES:
            raise StoreError(Reason.LEDGER_FULL, f"{len(ledger.entries)} targets are counted in {entry.key}")
        return self._store.replace(entry.key, value, entry.version)

    def _tell(self, entry: Entry, ledger: Ledger, known: Sequence[Breaker]) -> None:
        """Notify a person of each breaker that tripped now, and of one that was not told of a while ago."""
        for breaker in ledger.breakers:
            tripped = breaker
            if breaker in known:
                if breaker.told_at or entry.server_time - breaker.paging_since <= PAGING_TAKES:
                    continue
                # Whoever tripped it died before a person was told.
                tripped = replace(breaker, paging_since=entry.server_time)
                ledger = _changed(ledger, breaker, tripped)
                entry = self._replace(entry, ledger)
            with suppress(ResponderError):
                self._page(self._cluster, tripped)
                told = _changed(ledger, tripped, replace(tripped, told_at=entry.server_time))
                entry, ledger = self._replace(entry, told), told


def _changed(ledger: Ledger, before: Breaker, after: Breaker) -> Ledger:
    return with_breakers(ledger, tuple(after if breaker == before else breaker for breaker in ledger.breakers))


def _admitted(
    state: State, request: DisruptionRequest, guardrails: Guardrails, now: datetime, *, by_person: bool
) -> tuple[State, _Answers]:
    """The state after the request, and after what ends the target later where it is allowed; both answers.

    A person's word is about the request alone.
    """
    state, answer = admit(state, request, guardrails, now, by_person=by_person)
    answers = {request.budget: answer}
    if answer.allowed and request.then_ends:
        state, answers[Budget.DISRUPTION] = admit(state, _ending(request), guardrails, now)
    return state, answers


def _ending(request: DisruptionRequest) -> DisruptionRequest:
    return replace(request, budget=Budget.DISRUPTION, then_ends=False)


def _state(ledgers: Sequence[Ledger]) -> State:
    """The cluster's ledger, and the organisation's where it was read."""
    return State(cluster=ledgers[0], organization=ledgers[1] if len(ledgers) > 1 else Ledger())
