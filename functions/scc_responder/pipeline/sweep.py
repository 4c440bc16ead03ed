"""Resume cases that no redelivery will resume: crashed ones, unanswered plans, cases held by switch, cluster or time.

A sweep looks at the cases that the store knows as unfinished, in the order of their keys, from where the last one
stopped. Before that it reviews a few of the others in the same way: another version, whose rule was another, may have
stored them. It claims a case before resuming it, as any delivery does, and reads the finding again by its name: several
sweeps at once, or a sweep and a redelivery, do nothing twice. Which case is begun when is told in `again/`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

import msgspec

from scc_responder.domain.errors import AlreadyExists, Conflict, ResponderError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.domain.store import CasStore, Entry, Page, stored_as, write_over
from scc_responder.domain.value import ODD, Value
from scc_responder.execute.evidence.sealing import sign_later
from scc_responder.guard import approval_answers
from scc_responder.journal.again.reopening import opened_by_sweep
from scc_responder.journal.again.unfinished import is_held_by_time, is_unfinished
from scc_responder.journal.case import CaseRecord, is_held_for_now, kept
from scc_responder.journal.case_json import decoded
from scc_responder.journal.journal import Transition, TransitionRule
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.again.by_itself import HeldByTime
from scc_responder.pipeline.again.sweep_work import SweepWork
from scc_responder.pipeline.again.unfinished_cases import Turn, awaits, turn_of
from scc_responder.pipeline.authentication import check_sweeper
from scc_responder.pipeline.deadlines import waits_end
from scc_responder.pipeline.delivery import accounted, finding_of
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.pipeline.heartbeat import is_heartbeat
from scc_responder.pipeline.later.ended_plan import tell_ended
from scc_responder.pipeline.later.feed_check import check_feed
from scc_responder.pipeline.later.later_accounts import keep_accounts
from scc_responder.pipeline.later.later_counts import count_later
from scc_responder.pipeline.later.later_logs import ask_later
from scc_responder.pipeline.later.left_notices import tell_left
from scc_responder.pipeline.later.write_line import tell_odd, tell_write
from scc_responder.pipeline.services import Services

CASES_PREFIX = "case/"
CURSOR_KEY = "sweep/cursor"
MAX_LOOKED_AT = 10_000
"""Of unfinished cases. Each is one read that the store bills: with more of them, a whole round takes several sweeps."""
MAX_REVIEWED = 100
"""Of all cases, for those among them that should be known as unfinished and are not."""
_PAGE = 100
_ROUNDS = {"reviewed": MAX_REVIEWED, "unfinished": MAX_LOOKED_AT}
"""How many cases a sweep reads in each of its rounds, by the field of their places."""
_AT_ONCE = frozenset({Turn.LEFT_OPEN, Turn.SWITCHED_OFF})
_SWITCHED = frozenset({Turn.SWITCHED_OFF, Turn.SHUT})


class SweepCursor(Value, frozen=True, kw_only=True):
    """Where the last sweep stopped in each round: the key of the last case that it read."""

    reviewed: str = ""
    unfinished: str = ""


def sweep(headers: Mapping[str, str], peer: str, services: Services) -> Ending:
    """One sweep, if the caller is allowed: 204 swept, 403 forbidden, 503 ask again.

    It writes one log line, and one more for each case that it resumes or whose plan expires. Header names are in lower
    case.
    """

    def swept(log: DeliveryLog) -> Ending:
        check_sweeper(headers, peer, services)
        until = waits_end(log.began, services.settings)
        joined = services.lanes.sweep(until) if services.lanes else None
        cases = _Sweep(services, log.began)
        ending = cases.run(log)
        check_feed(services, cases.newest)
        if answered := ask_later(services):
            log.fields["asked_logs_again"] = answered
        if answered := count_later(services):
            log.fields["counted_again"] = answered
        if not cases.work.begun and (written := keep_accounts(services)):
            log.fields["accounts_kept"] = written
        if told := tell_left(services):
            log.fields["told_for_others"] = told
        if joined:
            joined((until - services.clock()).total_seconds())
        return ending

    return accounted(swept, services)


class _Sweep:
    """One sweep's way through the cases."""

    def __init__(self, services: Services, began: datetime) -> None:
        self._services = services
        self._store: CasStore = services.store
        self.work = SweepWork(services, began, "sweep")
        """Once a case is resumed, what can wait is left to the next sweep."""
        self._met: Counter[str] = Counter()
        self.newest: datetime | None = None
        """When the last finding happened, of those that it met and Security Command Center knew."""
        self._shut: dict[str, CaseRecord] = {}
        self._held = HeldByTime(services, self.work)
        self._at_rest = {Turn.EXPIRES: self._expire, Turn.ASKED: self._as_asked, Turn.UNTOLD: self._tell}
        """What is made of a case that no process works on, by its turn."""
        limits = services.policies.guardrails.max_finding_age
        self._max_age = max(limits.limit(reversible=True), limits.limit(reversible=False))

    def run(self, log: DeliveryLog) -> Ending:
        """Look at cases, and store the cursor, also if one ends the sweep: the next sweep starts after it."""
        self._place = self._kept_place()
        try:
            for name, most in _ROUNDS.items():
                self._round(name, most)
            self._try_rest()
        except BaseException:
            with suppress(ResponderError):
                self._keep()
            raise
        self._keep()
        log.fields["swept"] = dict(+self._met)
        self._sign_later(log)
        return Ending(status=204, reason=Reason.SWEPT, severity="NOTICE" if self.work.begun else "INFO")

    def _sign_later(self, log: DeliveryLog) -> None:
        """Sign the manifests that could not be signed when they were stored; what fails is left to the next sweep."""
        signer, evidence = self._services.signer, self._services.evidence
        if signer is None or evidence is None:
            return
        names: list[str] = []
        try:
            names.extend(sign_later(self._store, signer, evidence, self._services.clock, self.work.until))
        except ResponderError as error:
            log.fields["not_signed_yet"] = f"{error.reason}: {error.explanation}"
        if names:
            log.fields["signed_later"] = names

    def _round(self, name: str, most: int) -> None:
        """Look at the next cases, until there are no more or this sweep's limits are reached."""
        while most > 0 and self.work.goes_on:
            page = self._scanned(name)
            for entry in page.entries:
                if most <= 0 or not self.work.goes_on:
                    return
                most -= 1
                self._move(name, entry.key)
                if entry.unfinished == (name == "unfinished"):
                    self._met[self._attend(entry)] += 1
            if page.cursor is None:
                self._move(name, "")
                return

    def _try_rest(self) -> None:
        """Try what only a try can tell, now that every other case that is due has begun."""
        for record in self._shut.values():
            self._try(record, _taken)
        for record in self._held.to_try():
            self._try(record, self._opened)

    def _try(self, record: CaseRecord, rule: TransitionRule) -> None:
        if self.work.goes_on:
            self._met[Reason.AT_REST] -= 1
            try:
                self._met[self._resume(record, rule)] += 1
            except ResponderError as error:
                self._met[error.reason] += 1

    def _scanned(self, name: str) -> Page:
        after = getattr(self._place, name) or None
        return self._store.scan(CASES_PREFIX, after, _PAGE, unfinished=name == "unfinished")

    def _move(self, name: str, after: str) -> None:
        self._place = msgspec.structs.replace(self._place, **{name: after})

    def _attend(self, entry: Entry) -> str:
        """The result for one case, in one word. An unreadable case does not stop the others."""
        try:
            record = decoded(entry)
            if record.state is not CaseState.REJECTED:
                self.newest = max(self.newest or record.event_time, record.event_time)
            unfinished = self._is_unfinished(record)
            turn = self._turn(record, entry) if unfinished else None
            if turn in self._at_rest:
                return self._at_rest[turn](record)
            if turn in _AT_ONCE:
                return self._resume(record, _taken)
            self._mark(entry, record, unfinished=unfinished)
            if turn is Turn.SHUT:
                self._shut[record.finding_key] = record
            if turn is Turn.HELD_BY_TIME:
                self._held.meet(record, entry)
        except ResponderError as error:
            return error.reason
        except ODD as error:
            return tell_odd(entry.key, error, self._services)
        return Reason.AT_REST

    def _turn(self, record: CaseRecord, entry: Entry) -> Turn | None:
        turn = None if is_heartbeat(finding_of(record)) else turn_of(record, entry, self._services.clock())
        return None if turn in _SWITCHED and not self.work.is_let(record) else turn

    def _is_unfinished(self, record: CaseRecord) -> bool:
        """Whether a sweep may ever resume the case: one that switch or cluster holds may be too old for that."""
        too_old = self._services.clock() - record.event_time > self._max_age
        return is_unfinished(record) and not (too_old and (is_held_for_now(record) or is_held_by_time(record)))

    def _mark(self, entry: Entry, record: CaseRecord, *, unfinished: bool) -> None:
        """Correct the store's `unfinished` flag, unless another process works on the case: its writes set the flag."""
        if entry.unfinished != unfinished and not record.owner:
            with suppress(Conflict):
                self._store.replace(entry.key, entry.value, entry.version, keep=kept(record), unfinished=unfinished)

    def _expire(self, record: CaseRecord) -> str:
        def judge(record: CaseRecord, is_held: bool) -> Transition:
            return approval_answers.expire(record, self._services.clock(), is_held=is_held)

        transition, _ = self._services.journal.apply(record.finding_key, judge)
        if transition.record:
            tell_write(transition.record, Reason.APPROVAL_EXPIRED, self._services)
            tell_ended(transition.record, self._services)
        return transition.reason

    def _tell(self, record: CaseRecord) -> str:
        return tell_ended(record, self._services)

    def _as_asked(self, record: CaseRecord) -> str:
        """Store what a person's request makes of a case that is at rest."""

        def judge(record: CaseRecord, is_held: bool) -> Transition:
            return Transition(reason=Reason.EXEMPTED, status=204, record=None if is_held else record)

        transition, _ = self._services.journal.apply(record.finding_key, judge)
        if transition.record:
            tell_write(transition.record, transition.reason, self._services)
        return transition.reason

    def _opened(self, record: CaseRecord, is_held: bool) -> Transition:
        if not is_held_by_time(record):
            return _taken(record, is_held)
        opened = opened_by_sweep(record, self._services.clock())
        return Transition(reason=Reason.RESUMED, status=204, record=opened, starts=True)

    def _resume(self, record: CaseRecord, rule: TransitionRule) -> str:
        reason, case = self.work.take(record, rule)
        if case is None:
            return reason
        # Before, not after: a case that ends this process must not be the first of every sweep.
        self._keep()
        return self.work.go_on(case)

    def _kept_place(self) -> SweepCursor:
        place = stored_as(SweepCursor, self._store.get(CURSOR_KEY)) or SweepCursor()
        keys = filter(None, msgspec.structs.astuple(place))
        is_known = all(key.startswith(CASES_PREFIX) and key.isprintable() for key in keys)
        return place if is_known else SweepCursor()

    def _keep(self) -> None:
        """Store the cursor. If another sweep stores one at the same time, either is fine."""
        value = msgspec.json.encode(self._place)
        with suppress(AlreadyExists, Conflict):
            entry = self._store.get(CURSOR_KEY)
            if entry is None or entry.value != value:
                write_over(self._store, CURSOR_KEY, value, entry)


def _taken(record: CaseRecord, is_held: bool) -> Transition:
    """Whether the case may be taken, as it stands when it is: a delivery may have come in between."""
    if record.state is CaseState.OPEN and is_held:
        return Transition(reason=Reason.IN_PROGRESS, status=503)
    if record.state is not CaseState.OPEN and not (is_held_for_now(record) or awaits(record)):
        return Transition(reason=Reason.AT_REST, status=409)
    return Transition(reason=Reason.RESUMED, status=204, record=record, starts=True)
