"""Hold the first acts of a policy in a place that cannot be undone, across instances: the documents in the store.

Fails closed: where the store does not answer, the message comes again; where the document makes no sense, the step is
held. Whoever has waited long enough decides for all, in one compare-and-set write; who decided that none is done tells
people, once.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from scc_responder.domain.duration import parse_duration
from scc_responder.domain.errors import (
    AlreadyExists,
    Conflict,
    ResponderError,
    RetryableError,
    StoreError,
    StoreUnavailable,
)
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore, Entry, usable_as, write_over
from scc_responder.domain.value import Value
from scc_responder.guard.limiter import PAGING_TAKES
from scc_responder.guard.limits.ledger_document import DisruptionRequest
from scc_responder.guard.trust.first_shot import (
    FirstShot,
    FirstShotState,
    decided,
    first_shot_key,
    policy_content,
    with_act,
    with_times,
)
from scc_responder.policy.policy_set import PolicySet

KEEP_WAITING = timedelta(days=1)
KEEP_DECIDED = timedelta(days=400)
_TRIES = 16
_PAUSE_SECONDS = 0.01

FirstShotAlert = Callable[[FirstShot], None]
"""Tells a person that none of a first shot is done. Raises ResponderError if that failed."""


class WarmUpAnswer(Value, frozen=True, kw_only=True):
    """Whether an act may be done: without a reason it may. `due_at`: when a sweep is to ask again."""

    reason: Reason | None = None
    detail: str = ""
    due_at: datetime | None = None


class WarmUp:
    """The first shots in one place.

    `passed` are keys of documents that are known to have passed, which the process keeps: that is not taken back.
    """

    def __init__(
        self,
        store: CasStore,
        place: str,
        policies: PolicySet,
        alert: FirstShotAlert,
        *,
        wait: Callable[[float], None],
        passed: set[str],
    ) -> None:
        self._store = store
        self._place = place
        self._policies = {policy.name: policy for policy in policies.policies}
        self._guardrails = policies.guardrails
        self._seconds = parse_duration(policies.guardrails.warm_up)
        self._alert = alert
        self._wait = wait
        self._passed = passed

    def ask(self, request: DisruptionRequest) -> WarmUpAnswer:
        """Whether the act of `request.policy` may be done now; where it has to wait, it is noted.

        Raises RetryableError.
        """
        policy = self._policies.get(request.policy)
        if not self._seconds or policy is None:
            return WarmUpAnswer()
        content = policy_content(policy)
        key = first_shot_key(self._place, content)
        if key in self._passed:
            return WarmUpAnswer()
        new = FirstShot(place=self._place, policy=policy.name, content=content)
        for number in range(_TRIES):
            try:
                return self._asked(key, new, request)
            except (Conflict, AlreadyExists):
                self._wait(secrets.SystemRandom().uniform(0, _PAUSE_SECONDS * 2 ** min(number, 6)))
            except StoreUnavailable as error:
                raise RetryableError(Reason.LEDGER_UNAVAILABLE, str(error), permission=error.permission) from error
            except StoreError as error:
                return WarmUpAnswer(reason=error.reason, detail=str(error))
        raise RetryableError(Reason.LEDGER_CONTENDED, f"{_TRIES} tries on {key}")

    def _asked(self, key: str, new: FirstShot, request: DisruptionRequest) -> WarmUpAnswer:
        entry = self._store.get(key)
        before = read_first_shot(entry) if entry else new
        if before.state is not FirstShotState.WAITING:
            return self._answer(entry, before)
        after = with_act(before, request, entry.server_time if entry else None)
        since = after.since(request)
        if entry and since and entry.server_time - since >= self._seconds:
            after = decided(after, self._policies[after.policy].limits, self._guardrails, entry.server_time)
        if after is not before:
            entry = self._stored(key, after, entry)
        if entry and after.state is FirstShotState.REFUSED:
            self._tell(entry, after)
        if after.state is not FirstShotState.WAITING:
            return self._answer(entry, after)
        due = since or (entry.server_time if entry else None)
        return WarmUpAnswer(
            reason=Reason.WARMING_UP,
            detail=f"{after.targets} targets of policy {after.policy} wait in {after.place}",
            due_at=due + self._seconds if due else None,
        )

    def _answer(self, entry: Entry | None, shot: FirstShot) -> WarmUpAnswer:
        if entry is None or shot.state is FirstShotState.PASSED:
            self._passed.update({entry.key} if entry else ())
            return WarmUpAnswer()
        since = shot.paging_since
        if shot.told_at is None and since and entry.server_time - since > PAGING_TAKES:
            # Whoever decided it died before a person was told.
            shot = replace(shot, paging_since=entry.server_time)
            self._tell(self._stored(entry.key, shot, entry), shot)
        return WarmUpAnswer(reason=Reason.FIRST_SHOT_TOO_WIDE, detail=shot.detail)

    def _tell(self, entry: Entry, shot: FirstShot) -> None:
        """Tell a person, and note that it was done. If that fails, another delivery does it later."""
        with suppress(ResponderError):
            self._alert(shot)
            self._stored(entry.key, replace(shot, told_at=entry.server_time), entry)

    def _stored(self, key: str, shot: FirstShot, entry: Entry | None) -> Entry:
        keep = KEEP_WAITING if shot.state is FirstShotState.WAITING else KEEP_DECIDED
        return write_over(self._store, key, msgspec.json.encode(shot), entry, keep=keep)


def read_first_shot(entry: Entry) -> FirstShot:
    """The document that is stored. Raises StoreError `ledger_unusable` where it is none of this version's."""
    return with_times(usable_as(FirstShot, entry), entry.update_time or entry.server_time)
