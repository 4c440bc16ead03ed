"""The journal: which delivery may work on a finding, and its intents and outcomes, written before and after.

A case is claimed by one holder at a time for `LEASE`, renewed by every write and judged by the store's own clock
alone. Every write replaces the version the holder saw last: the first write of a holder who lost the lease fails, and
it must stop. So the journal is the fence among holders; conditions on the requests themselves are the fence at the
target.

   absent --claim--> open(epoch 1) --save--> ... --close--> done | partial | held | superseded | rejected | waiting
                       | lease ran out, or was released          | newer event
                       +--claim--> open(epoch + 1)  <------------+ enough approvals of what is waiting
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from secrets import token_hex

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import AlreadyExists, Conflict, RetryableError
from scc_responder.domain.finding import CASE_ID_DIGITS, Finding
from scc_responder.domain.ports import Clock
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.domain.store import CasStore, Entry, Page, stored_as, write_over
from scc_responder.domain.value import Value
from scc_responder.journal.again.persons_request import as_requested
from scc_responder.journal.again.reopening import gone_on_with, opened_anew
from scc_responder.journal.case import KEEP_REJECTED, CaseRecord, Rejection, case_digest
from scc_responder.journal.case_json import decoded
from scc_responder.journal.chain.chain_check import checked
from scc_responder.journal.claimed_case import CaseWriter, ClaimedCase
from scc_responder.journal.persons_word import settles
from scc_responder.journal.watch.looks_due import Looks

LEASE = timedelta(seconds=120)
NOTED_COPIES = 20
"""Duplicates are counted up to this, then settled without a write, so that a flood costs only reads."""
_TRIES = 8


class ClaimOutcome(StrEnum):
    """What a delivery may do. The first three hold the case; `in_progress` must come again; the rest are settled."""

    CLAIMED = "claimed"
    RESUMED = "resumed"
    REOPENED = "reopened"
    IN_PROGRESS = "in_progress"
    DUPLICATE = "duplicate"
    STALE = "stale"


class Claim(Value, frozen=True, kw_only=True):
    """The answer to a delivery. `case` is there when it may be worked on; `record` is the case as it stood."""

    outcome: ClaimOutcome
    record: CaseRecord
    case: ClaimedCase | None = None


class Transition(Value, frozen=True, kw_only=True):
    """What becomes of a stored case. `record` is stored, unless it is None; `starts`: the caller may work on it."""

    reason: Reason
    status: int
    record: CaseRecord | None = None
    starts: bool = False


TransitionRule = Callable[[CaseRecord, bool], Transition]
"""Decides, by the record and whether another delivery holds the case at this moment. Pure."""


class Journal:
    """The cases and rejected messages in a store."""

    def __init__(self, store: CasStore, clock: Clock, *, lease: timedelta = LEASE, looks: Looks = ()) -> None:
        self._store = store
        self._clock = clock
        self._lease = lease
        self._looks = looks

    def claim(self, finding: Finding) -> Claim:
        """Decide what a delivery of this finding may do, and take the case if it may work on it.

        Raises RetryableError (`case_contended`, `record_newer`, `record_unreadable`) and StoreUnavailable.
        """
        writer = CaseWriter(self._store, self._clock, token_hex(8), self._looks)
        digest = case_digest(finding)
        for _ in range(_TRIES):
            with suppress(AlreadyExists, Conflict):
                return self._try_claim(finding, digest, writer)
        raise RetryableError(Reason.CASE_CONTENDED, finding.name)

    def read(self, finding_key: str) -> CaseRecord | None:
        """The case of a finding as it stands, or None. Raises RetryableError, StoreUnavailable."""
        entry = self._store.get(_case_key(finding_key))
        return decoded(entry) if entry else None

    def cases(
        self, cursor: str | None = None, limit: int = 100, *, beginning: str = "", unfinished: bool = False
    ) -> Page:
        """Some cases in key order, of those whose keys begin so, or that wait or go on: see `listed_cases`.

        Raises StoreUnavailable.
        """
        return self._store.scan(_case_key(beginning), cursor, limit, unfinished=unfinished)

    def find(self, case: str) -> str | None:
        """The key of the one finding whose case id, or key, this is; None where there is none, or several.

        Less than a case id names none, also where one case alone begins so: it may be a slip.
        """
        if len(case) < CASE_ID_DIGITS:
            return None
        page = self._store.scan(_case_key(case), limit=2)
        return page.entries[0].key.removeprefix(_case_key("")) if len(page.entries) == 1 else None

    def apply(
        self, finding_key: str, rule: TransitionRule, *, leaves_line: bool = True
    ) -> tuple[Transition, ClaimedCase | None]:
        """Decide by `rule` and store the result in one compare-and-set write; the case, where work on it may start.

        So an approval is used by the request that takes the case with it, and by no other. What a person asked for
        before is done by the same write; not where none `leaves_line` in the log: then no step is changed. Raises
        RetryableError (`case_contended`, `record_newer`, `record_unreadable`, `no_such_case`) and StoreUnavailable.
        """
        writer = CaseWriter(self._store, self._clock, token_hex(8), self._looks)
        for _ in range(_TRIES):
            with suppress(Conflict):
                return self._try_apply(finding_key, rule, writer, leaves_line=leaves_line)
        raise RetryableError(Reason.CASE_CONTENDED, finding_key)

    def _try_apply(
        self, finding_key: str, rule: TransitionRule, writer: CaseWriter, *, leaves_line: bool
    ) -> tuple[Transition, ClaimedCase | None]:
        entry = self._store.get(_case_key(finding_key))
        if entry is None:
            raise RetryableError(Reason.NO_SUCH_CASE, finding_key)
        record = checked(decoded(entry))
        transition = rule(as_requested(record, self._clock()) if leaves_line else record, self._is_held(record, entry))
        if transition.record is None:
            return transition, None
        if not leaves_line and transition.record.chained != record.chained:
            raise ValueError(f"{transition.reason}: a write that leaves no line in the log changes no step and no plan")
        stored = _resumed(transition.record, writer) if transition.starts else transition.record
        entry, record = writer.replace(entry, stored)
        return replace(transition, record=record), ClaimedCase(writer, entry, record) if transition.starts else None

    def reject(self, sha256: str, reason: str, *, size: int = 0) -> Rejection:
        """Record a message that is no finding, by the hash of its body; copies are counted up to `NOTED_COPIES`.

        Raises StoreUnavailable.
        """
        key, now = f"rejected/{sha256}", self._clock()
        entry = self._store.get(key)
        rejection = Rejection(sha256=sha256, reason=reason, size=size, first_seen=now, last_seen=now)
        if entry:
            earlier = stored_as(Rejection, entry) or rejection
            rejection = replace(earlier, count=earlier.count + 1, last_seen=now)
            if earlier.count >= NOTED_COPIES:
                return earlier
        # A copy rejected at the same moment may have been first: it has recorded the same.
        with suppress(AlreadyExists, Conflict):
            write_over(self._store, key, msgspec.json.encode(rejection), entry, keep=KEEP_REJECTED)
        return rejection

    def _try_claim(self, finding: Finding, digest: str, writer: CaseWriter) -> Claim:
        entry = self._store.get(_case_key(finding.key))
        if entry is None:
            entry, record = writer.create(_case_key(finding.key), _new_case(finding, digest, writer))
            return _held(ClaimOutcome.CLAIMED, entry, record, writer)
        record = decoded(entry)
        asked = as_requested(checked(record), self._clock())
        outcome = claim_outcome(asked, finding, digest, is_held=self._is_held(record, entry))
        if outcome in {ClaimOutcome.RESUMED, ClaimOutcome.REOPENED}:
            taken = _taken(asked, finding, digest, writer, reopened=outcome is ClaimOutcome.REOPENED)
            return _held(outcome, *writer.replace(entry, taken), writer)
        if outcome is not ClaimOutcome.IN_PROGRESS:
            record = _noted(entry, record, finding, writer)
        return Claim(outcome=outcome, record=record)

    def _is_held(self, record: CaseRecord, entry: Entry) -> bool:
        expired = entry.update_time is not None and entry.server_time - entry.update_time >= self._lease
        return bool(record.owner) and not expired


def claim_outcome(record: CaseRecord, finding: Finding, digest: str, *, is_held: bool) -> ClaimOutcome:
    """What a delivery may do, given the case as it stands. Pure.

    Any copy resumes an open case: a redelivery is how a crashed case continues. A copy that says the finding is over
    resumes a waiting case, so that nobody is asked about it any longer.
    """
    if record.state is CaseState.OPEN:
        return ClaimOutcome.IN_PROGRESS if is_held else ClaimOutcome.RESUMED
    if record.state is CaseState.WAITING and _is_over(finding) and finding.event_time >= record.event_time:
        return ClaimOutcome.RESUMED
    if _is_news(record, finding, digest):
        return ClaimOutcome.REOPENED
    return ClaimOutcome.STALE if finding.event_time < record.event_time else ClaimOutcome.DUPLICATE


def _is_news(record: CaseRecord, finding: Finding, digest: str) -> bool:
    """Whether a copy may change anything for the closed case: it is newer, and no person has settled it."""
    if _is_over(finding):
        # It is over: an echo of our own work, or an analyst's. What was done stays done.
        return False
    if settles(record.word, finding, digest) and not _may_mean_another_pod(finding):
        return False
    if record.state is CaseState.REJECTED:
        # What was rejected may have been forged, its event time too.
        return finding.event_time != record.event_time
    if record.state is CaseState.SUPERSEDED and finding.event_time == record.event_time:
        # To un-mute a finding changes no event time.
        return digest != record.digest
    if finding.event_time <= record.event_time:
        return False
    # It happens again. A plan that waits for a person is not asked for twice.
    return record.state is not CaseState.WAITING or _is_other(record, finding, digest)


def _is_other(record: CaseRecord, finding: Finding, digest: str) -> bool:
    """Whether a newer copy says something else than the case is about, or may mean another pod."""
    ended = record.finding_state == "INACTIVE" or record.state in {CaseState.REJECTED, CaseState.SUPERSEDED}
    return digest != record.digest or ended or _may_mean_another_pod(finding)


def _is_over(finding: Finding) -> bool:
    return finding.mute == "MUTED" or finding.state == "INACTIVE"


def _may_mean_another_pod(finding: Finding) -> bool:
    """Whether a recreated pod of the same name would look the same in the finding: then only the cluster can tell."""
    return bool(finding.pods) and not any(container.create_time for container in finding.containers)


def _case_key(finding_key: str) -> str:
    return f"case/{finding_key}"


def _held(outcome: ClaimOutcome, entry: Entry, record: CaseRecord, writer: CaseWriter) -> Claim:
    return Claim(outcome=outcome, record=record, case=ClaimedCase(writer, entry, record))


def _new_case(finding: Finding, digest: str, writer: CaseWriter) -> CaseRecord:
    return CaseRecord(
        finding_key=finding.key,
        finding_name=finding.name,
        canonical_name=finding.canonical_name,
        category=finding.category,
        event_time=finding.event_time,
        digest=digest,
        finding_state=finding.state,
        owner=writer.token,
        opened_at=writer.clock(),
    )


def _taken(record: CaseRecord, finding: Finding, digest: str, writer: CaseWriter, *, reopened: bool) -> CaseRecord:
    """The case under a new holder. Its steps stay, so that nothing is done twice."""
    if reopened:
        # Whether it is another pod than the one that a person spoke of, only the cluster can tell.
        word = record.word if settles(record.word, finding, digest) else None
        is_anew = word is None and _is_other(record, finding, digest)
        record = replace((opened_anew if is_anew else gone_on_with)(record, writer.clock()), word=word)
    record = replace(record, canonical_name=finding.canonical_name)
    if finding.event_time > record.event_time or reopened:
        record = replace(record, event_time=finding.event_time, digest=digest, finding_state=finding.state)
    return _resumed(record, writer)


def _resumed(record: CaseRecord, writer: CaseWriter) -> CaseRecord:
    if record.state is not CaseState.OPEN:
        record = replace(record, state=CaseState.OPEN, reason="", closed_at=None)
    return replace(record, owner=writer.token, epoch=record.epoch + 1, attempts=record.attempts + 1)


def _noted(entry: Entry, record: CaseRecord, finding: Finding, writer: CaseWriter) -> CaseRecord:
    """Count a copy that changes nothing, and keep its state. Not its event time: nobody has confirmed it."""
    over = finding.state == "INACTIVE" and finding.event_time > record.event_time
    if record.seen >= NOTED_COPIES and not (over and record.finding_state != finding.state):
        return record
    state = finding.state if over else record.finding_state
    try:
        return writer.replace(entry, replace(record, seen=record.seen + 1, finding_state=state))[1]
    except Conflict:
        # Copies that arrive together are not worth a second try each.
        return record
