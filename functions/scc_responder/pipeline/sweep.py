"""Resume cases that no redelivery will resume: crashed ones, unanswered plans, cases held by switch, cluster or time.

A sweep looks at the cases that the store knows as unfinished, in the order of their keys, from where the last one
stopped. Before that it reviews a few of the others in the same way: another version, whose rule was another, may have
stored them. It claims a case before resuming it, as any delivery does, and reads the finding again by its name: several
sweeps at once, or a sweep and a redelivery, do nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from scc_responder.domain.errors import AlreadyExists, Conflict, ResponderError
from scc_responder.domain.mode import Mode
from scc_responder.domain.notice import NoticeKind
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.domain.store import CasStore, Entry, Page, write_over
from scc_responder.domain.value import Value, resolved
from scc_responder.execute.evidence.sealing import sign_later
from scc_responder.guard import approval_answers
from scc_responder.journal.again.reopening import opened_by_sweep
from scc_responder.journal.again.unfinished import is_held_by_time, is_unfinished
from scc_responder.journal.case import CaseRecord, is_held_for_now, kept
from scc_responder.journal.case_json import decode
from scc_responder.journal.journal import Transition, TransitionRule
from scc_responder.journal.messages import Ending
from scc_responder.journal.notices import case_notice
from scc_responder.pipeline.again.by_itself import HeldByTime
from scc_responder.pipeline.again.unfinished_cases import awaits, comes_soon, idle, is_all_due
from scc_responder.pipeline.authentication import check_sweeper
from scc_responder.pipeline.deadlines import cases_end
from scc_responder.pipeline.delivery import accounted, finding_of, work_on
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.pipeline.heartbeat import is_heartbeat
from scc_responder.pipeline.later.later_counts import count_later
from scc_responder.pipeline.later.later_logs import ask_later
from scc_responder.pipeline.later.left_notices import tell_left
from scc_responder.pipeline.later.write_line import tell_write
from scc_responder.pipeline.services import Services

CASES_PREFIX = "case/"
CURSOR_KEY = "sweep/cursor"
MAX_LOOKED_AT = 10_000
"""Of unfinished cases. Each is one read that the store bills: with more of them, a whole round takes several sweeps."""
MAX_REVIEWED = 100
"""Of all cases, for those among them that should be known as unfinished and are not."""
MAX_BEGUN = 20
MAX_TRIED = 10
"""Of cases that a sweep begins, those that a cluster holds are tried while fewer have begun."""
QUIET = timedelta(minutes=15)
"""A case that was given back is left to its message's redelivery for this long; the longest back-off is 10 minutes."""
_PAGE = 100
_ROUNDS = {"reviewed": MAX_REVIEWED, "unfinished": MAX_LOOKED_AT}
"""How many cases a sweep reads in each of its rounds, by the field of their places."""
_UNANSWERED = frozenset({Reason.CLUSTER_BUSY, Reason.CLUSTER_UNREACHABLE, Reason.DEADLINE, Reason.TIMEOUT})
"""How a case ends whose cluster does not answer: this sweep does not wait for that one again."""
_OPENING = frozenset({Mode.APPROVE, Mode.ENFORCE})
_REFUSED = frozenset({Reason.CLUSTER_NOT_ONBOARDED, Reason.CLUSTER_ACCESS_LOST})
"""Of these cases nothing was read: a rehearsal, too, keeps evidence of the pod."""


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
        ending = _Sweep(services, log.began).run(log)
        if answered := ask_later(services):
            log.fields["asked_logs_again"] = answered
        if answered := count_later(services):
            log.fields["counted_again"] = answered
        if told := tell_left(services):
            log.fields["told_for_others"] = told
        return ending

    return accounted(swept, services)


class _Sweep:
    """One sweep's way through the cases."""

    def __init__(self, services: Services, began: datetime) -> None:
        self._services = services
        self._store: CasStore = services.store
        self._began = began
        self._until = cases_end(began, services.settings)
        self._met: Counter[str] = Counter()
        self._begun = 0
        self._silent: set[str] = set()
        self._held = HeldByTime(services)
        limits = services.policies.guardrails.max_finding_age
        self._max_age = max(limits.limit(reversible=True), limits.limit(reversible=False))

    def run(self, log: DeliveryLog) -> Ending:
        """Look at cases, and store the cursor, also if one ends the sweep: the next sweep starts after it."""
        self._place = self._kept_place()
        try:
            for name, most in _ROUNDS.items():
                self._round(name, most)
            self._go_on_by_itself()
        except BaseException:
            with suppress(ResponderError):
                self._keep()
            raise
        self._keep()
        log.fields["swept"] = dict(self._met)
        self._sign_later(log)
        return Ending(status=204, reason=Reason.SWEPT, severity="NOTICE" if self._begun else "INFO")

    def _sign_later(self, log: DeliveryLog) -> None:
        """Sign the manifests that could not be signed when they were stored; what fails is left to the next sweep."""
        signer, evidence = self._services.signer, self._services.evidence
        if signer is None or evidence is None:
            return
        names: list[str] = []
        try:
            names.extend(sign_later(self._store, signer, evidence, self._services.clock, self._until))
        except ResponderError as error:
            log.fields["not_signed_yet"] = f"{error.reason}: {error.explanation}"
        if names:
            log.fields["signed_later"] = names

    def _round(self, name: str, most: int) -> None:
        """Look at the next cases, until there are no more or this sweep's limits are reached."""
        while self._goes_on(most):
            page = self._scanned(name)
            for entry in page.entries:
                if not self._goes_on(most):
                    return
                most -= 1
                self._move(name, entry.key)
                if entry.unfinished == (name == "unfinished"):
                    self._met[self._attend(entry)] += 1
            if page.cursor is None:
                self._move(name, "")
                return

    def _go_on_by_itself(self) -> None:
        """Go on with what time alone held, as far as this sweep's limits allow."""
        for record in self._held.to_try():
            if self._begun >= MAX_TRIED or not self._goes_on(1):
                return
            with suppress(ResponderError):
                self._met[self._resume(record, self._opened)] += 1

    def _goes_on(self, most: int) -> bool:
        return most > 0 and self._begun < MAX_BEGUN and self._services.clock() < self._until

    def _scanned(self, name: str) -> Page:
        after = getattr(self._place, name) or None
        return self._store.scan(CASES_PREFIX, after, _PAGE, unfinished=name == "unfinished")

    def _move(self, name: str, after: str) -> None:
        self._place = msgspec.structs.replace(self._place, **{name: after})

    def _attend(self, entry: Entry) -> str:
        """The result for one case, in one word. An unreadable case does not stop the others."""
        try:
            record = decode(entry.value)
            unfinished = self._is_unfinished(record)
            if unfinished and is_held_by_time(record) and not is_held_for_now(record):
                self._held.meet(record, entry, is_quiet=idle(entry) >= QUIET)
            due = self._due(record, entry) if unfinished else ""
            if due == "expire":
                return self._expire(record)
            if due:
                return Reason.CLUSTER_BUSY if self._is_busy(record) else self._resume(record)
            self._mark(entry, record, unfinished=unfinished)
        except ResponderError as error:
            return error.reason
        return Reason.AT_REST

    def _due(self, record: CaseRecord, entry: Entry) -> str:
        now = self._services.clock()
        if is_heartbeat(finding_of(record)):
            return ""
        if awaits(record):
            return "resume" if is_all_due(record, now) else ""
        if record.state is CaseState.WAITING:
            return "expire" if record.plan and now >= record.plan.expires_at else ""
        if record.state is CaseState.OPEN:
            waits = not record.owner and not comes_soon(record) and idle(entry) < QUIET
            return "" if waits else "resume"
        return "resume" if is_held_for_now(record) and self._may_begin(record, entry) else ""

    def _is_unfinished(self, record: CaseRecord) -> bool:
        """Whether a sweep may ever resume the case: one that switch or cluster holds may be too old for that."""
        too_old = self._services.clock() - record.event_time > self._max_age
        return is_unfinished(record) and not (too_old and (is_held_for_now(record) or is_held_by_time(record)))

    def _mark(self, entry: Entry, record: CaseRecord, *, unfinished: bool) -> None:
        """Correct the store's `unfinished` flag, unless another process works on the case: its writes set the flag."""
        if entry.unfinished != unfinished and not record.owner:
            with suppress(Conflict):
                self._store.replace(entry.key, entry.value, entry.version, keep=kept(record), unfinished=unfinished)

    def _may_begin(self, record: CaseRecord, entry: Entry) -> bool:
        """Whether the switch that held the case has been turned back, for its cluster too.

        Only a try shows whether a cluster lets us act by now: a few in each sweep, which keep no other case waiting.
        """
        if record.reason != Reason.CONTROL_DISABLED and (self._begun >= MAX_TRIED or idle(entry) < QUIET):
            return False
        mode = self._services.kill_switch.ceiling(record.cluster).mode
        return mode in _OPENING or (record.reason in _REFUSED and mode is Mode.DRY_RUN)

    def _expire(self, record: CaseRecord) -> str:
        def judge(record: CaseRecord, is_held: bool) -> Transition:
            return approval_answers.expire(record, self._services.clock(), is_held=is_held)

        transition, _ = self._services.journal.apply(record.finding_key, judge)
        if transition.record:
            tell_write(transition.record, Reason.APPROVAL_EXPIRED, self._services)
            why = "nobody approved or rejected it in time"
            self._services.notify(case_notice(NoticeKind.EXPIRED, transition.record, Reason.APPROVAL_EXPIRED, why))
        return transition.reason

    def _opened(self, record: CaseRecord, is_held: bool) -> Transition:
        if not is_held_by_time(record):
            return _taken(record, is_held)
        opened = opened_by_sweep(record, self._services.clock())
        return Transition(reason=Reason.RESUMED, status=204, record=opened, starts=True)

    def _resume(self, record: CaseRecord, rule: TransitionRule | None = None) -> str:
        transition, case = self._services.journal.apply(record.finding_key, rule or _taken)
        if case is None:
            return transition.reason
        self._begun += 1
        # Before, not after: a case that ends this process must not be the first of every sweep.
        self._keep()
        finding = finding_of(record)

        def go_on(log: DeliveryLog) -> Ending:
            log.about(finding)
            log.fields["by"] = "sweep"
            return work_on(finding, case, self._services, log)

        ending = accounted(go_on, self._services, self._began)
        if record.cluster and ending.reason in _UNANSWERED:
            self._silent.add(record.cluster)
        return Reason.RESUMED

    def _is_busy(self, record: CaseRecord) -> bool:
        """Whether the case's cluster has its half of this instance, or has left this sweep without an answer."""
        return record.cluster in self._silent or self._services.bulkheads.is_busy(record.cluster)

    def _kept_place(self) -> SweepCursor:
        entry = self._store.get(CURSOR_KEY)
        with suppress(msgspec.DecodeError, UnicodeError):
            place = msgspec.json.decode(entry.value, type=resolved(SweepCursor)) if entry else SweepCursor()
            if all(
                not key or (key.startswith(CASES_PREFIX) and key.isprintable())
                for key in msgspec.structs.astuple(place)
            ):
                return place
        return SweepCursor()

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
