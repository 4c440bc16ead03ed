"""Go on with what no message brings back: crashed cases, plans nobody answered, cases that the kill switch held.

A sweep looks at some cases, in the order of their keys, from where the last one stopped. It goes on with a case only
after taking it as any delivery does, and reads the finding again by its name: several sweeps at once, or a sweep and a
redelivery, do nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from scc_responder import verdict
from scc_responder.account import Account
from scc_responder.approval import EXPIRED
from scc_responder.caller import check_sweeper
from scc_responder.case import CaseRecord, CaseState, case_id, decode
from scc_responder.confirm import finding_of, read_again
from scc_responder.control import DISABLED
from scc_responder.errors import AlreadyExists, Conflict, ResponderError
from scc_responder.heartbeat import is_heartbeat
from scc_responder.journal import Verdict
from scc_responder.mode import Mode
from scc_responder.pipeline import accounted, work_on
from scc_responder.plan import PlanState
from scc_responder.ports import CasStore, Entry, Page
from scc_responder.record import Ending, waiting_message
from scc_responder.services import Services
from scc_responder.value import Value

CASES = "case/"
CURSOR = "sweep/cursor"
BEGINNING_ENDS = timedelta(seconds=60)
"""No case is begun later than this in one sweep, so that the last one ends before the function's 540 seconds do."""
MAX_LOOKED_AT = 10_000
"""Each is one read that the store bills: with more cases than this, a whole round takes several sweeps."""
MAX_BEGUN = 20
QUIET = timedelta(minutes=15)
"""A case that was given back is left to its message's redelivery for this long; the longest back-off is 10 minutes."""
RESUMED = "resumed_by_person"
_PAGE = 100
_OPENING = frozenset({Mode.APPROVE, Mode.ENFORCE})


class Place(Value, frozen=True, kw_only=True):
    """Where the last sweep stopped: the key of the last case that it looked at."""

    after: str = ""


def sweep(headers: Mapping[str, str], peer: str, services: Services) -> Ending:
    """One sweep, if who asks may have it: 204 swept, 403 not by who may, 503 ask again.

    There is a log line for it, and one of its own for each case that it goes on with. Header names are in lower case.
    """

    def swept(account: Account) -> Ending:
        check_sweeper(headers, peer, services)
        return _Sweep(services).run(account)

    return accounted(swept, services)


def resume(record: CaseRecord, _is_held: bool) -> Verdict:
    """A person's wish that a case which the kill switch held is gone on with: by a sweep. A `journal.Judge`."""
    if not _is_held_by_control(record):
        return Verdict(reason="not_control_disabled", status=409)
    opened = msgspec.structs.replace(record, state=CaseState.OPEN, reason=RESUMED, closed_at=None, owner="")
    return Verdict(reason=RESUMED, status=204, record=opened)


class _Sweep:
    """One sweep's way through the cases."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store: CasStore = services.store
        self._until = services.clock() + BEGINNING_ENDS
        self._met: Counter[str] = Counter()
        self._begun = 0
        limits = services.policies.guardrails.max_finding_age
        self._max_age = max(limits.limit(reversible=True), limits.limit(reversible=False))

    def run(self, account: Account) -> Ending:
        """Look at cases until there are no more, or enough is done for once."""
        after = self._place()
        while self._goes_on():
            page = self._scanned(after)
            for entry in page.entries:
                if not self._goes_on():
                    break
                after = entry.key
                self._met[self._attended(entry)] += 1
            else:
                after = after if page.cursor else ""
                if not after:
                    break
        self._keep(after)
        account.fields["swept"] = dict(self._met)
        return Ending(status=204, reason="swept", severity="NOTICE" if self._begun else "INFO")

    def _goes_on(self) -> bool:
        looked_at = self._met.total()
        return looked_at < MAX_LOOKED_AT and self._begun < MAX_BEGUN and self._services.clock() < self._until

    def _scanned(self, after: str) -> Page:
        """The next cases; where they cannot be read, the next sweep begins at them."""
        try:
            return self._store.scan(CASES, after or None, _PAGE)
        except ResponderError:
            with suppress(ResponderError):
                self._keep(after)
            raise

    def _attended(self, entry: Entry) -> str:
        """The same, and where it ends the sweep, the next one begins behind it."""
        try:
            return self._attend(entry)
        except BaseException:
            with suppress(ResponderError):
                self._keep(entry.key)
            raise

    def _attend(self, entry: Entry) -> str:
        """What became of one case, in a word. One that cannot be read keeps nobody from the others."""
        try:
            record = decode(entry.value)
            due = self._due(record, entry)
            if due == "expire":
                return self._expire(record)
            return self._resume(record, entry.key) if due else "at_rest"
        except ResponderError as error:
            return error.reason

    def _due(self, record: CaseRecord, entry: Entry) -> str:
        now = self._services.clock()
        if is_heartbeat(finding_of(record)):
            return ""
        if record.state is CaseState.WAITING:
            plan = record.plan
            return "expire" if plan and plan.state is PlanState.WAITING and now >= plan.expires_at else ""
        if record.state is CaseState.OPEN:
            waits = not record.owner and record.reason != RESUMED and _idle(entry) < QUIET
            return "" if waits else "resume"
        return "resume" if _is_held_by_control(record) and self._may_begin(record, now) else ""

    def _may_begin(self, record: CaseRecord, now: datetime) -> bool:
        """Whether a case that the kill switch held is still young enough, and the switch has been turned back."""
        young = now - record.event_time <= self._max_age
        if not young or self._services.kill_switch.ceiling("").mode not in _OPENING:
            return False
        finding = read_again(finding_of(record), self._services.findings, self._services.settings)
        cluster = finding.cluster.path if finding.cluster else ""
        return self._services.kill_switch.ceiling(cluster).mode in _OPENING

    def _expire(self, record: CaseRecord) -> str:
        def judge(found: CaseRecord, is_held: bool) -> Verdict:
            return verdict.expire(found, self._services.clock(), is_held=is_held)

        said, _ = self._services.journal.answer(record.finding_key, judge)
        if said.record and self._services.outcomes is not None:
            with suppress(ResponderError):
                message = waiting_message(said.record, EXPIRED, "nobody approved or rejected it in time")
                attributes = {"case": case_id(record.finding_key), "reason": EXPIRED}
                self._services.outcomes.publish(message, attributes)
        return said.reason

    def _resume(self, record: CaseRecord, key: str) -> str:
        said, case = self._services.journal.answer(record.finding_key, _taken)
        if case is None:
            return said.reason
        self._begun += 1
        # Before, not after: a case that ends this process must not be the first of every sweep.
        self._keep(key)
        finding = finding_of(record)

        def go_on(account: Account) -> Ending:
            account.about(finding)
            account.fields["by"] = "sweep"
            return work_on(finding, case, self._services, account)

        accounted(go_on, self._services)
        return "resumed"

    def _place(self) -> str:
        entry = self._store.get(CURSOR)
        with suppress(msgspec.DecodeError, UnicodeError):
            after = msgspec.json.decode(entry.value, type=Place).after if entry else ""
            return after if after.startswith(CASES) and after.isprintable() else ""
        return ""

    def _keep(self, after: str) -> None:
        """Keep the place. Where another sweep keeps another at the same moment, either will do."""
        value = msgspec.json.encode(Place(after=after))
        with suppress(AlreadyExists, Conflict):
            entry = self._store.get(CURSOR)
            if entry is None:
                self._store.create(CURSOR, value)
            elif entry.value != value:
                self._store.replace(CURSOR, value, entry.version)


def _taken(record: CaseRecord, is_held: bool) -> Verdict:
    """Whether the case may be taken, as it stands when it is: a delivery may have come in between."""
    if record.state is CaseState.OPEN and is_held:
        return Verdict(reason="in_progress", status=503)
    if record.state is not CaseState.OPEN and not _is_held_by_control(record):
        return Verdict(reason="at_rest", status=409)
    return Verdict(reason="resumed", status=204, record=record, starts=True)


def _is_held_by_control(record: CaseRecord) -> bool:
    return record.state is CaseState.HELD and record.reason == DISABLED


def _idle(entry: Entry) -> timedelta:
    """How long nothing was written, by the store's own clock; for ever where it cannot tell."""
    return entry.server_time - entry.update_time if entry.update_time else timedelta.max
