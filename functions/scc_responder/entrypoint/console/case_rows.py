"""The list of cases: what needs a person first, page by page, and never the whole store at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.domain.value import ODD, Value
from scc_responder.entrypoint.console.account_text import PLAN_WAITS
from scc_responder.entrypoint.console.incidents import Incident, incidents
from scc_responder.entrypoint.console.spread import spread_words, spreads
from scc_responder.journal.account.account import account_of
from scc_responder.journal.account.inert_text import inert
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from scc_responder.journal.listed_cases import Cases, Unreadable, cases_of

ROWS = 100
"""So many cases are read for one page."""
MOST_READ = 10
"""So many pages of the store are read at most, until one page of those asked for is full."""
_FIRST = (CaseState.WAITING, CaseState.PARTIAL, CaseState.HELD, CaseState.OPEN)
BY_NEED = (*_FIRST, *(state for state in CaseState if state not in _FIRST))
"""Every state, those that need a person first."""
_MOVING = frozenset({CaseState.WAITING, CaseState.OPEN})
"""The states that the store finds by itself: it is asked for these cases alone."""

_MOST_SPREADS, _SPREAD_BYTES = 10, 1_000


class CaseRow(Value, frozen=True, kw_only=True):
    """One line of the list. Nothing in it is active."""

    case: str
    severity: str
    heading: str
    state: str
    why: str
    place: str
    at: datetime
    needs_person: bool


class IncidentBlock(Value, frozen=True, kw_only=True):
    """The cases of one incident that are on a page. `title` is empty where it is one case. Nothing in it is active."""

    title: str
    rows: tuple[CaseRow, ...]


class CaseRows(Value, frozen=True, kw_only=True):
    """A page of the list. `after` is the key that the next page begins behind; empty where there is none.

    `spread` are lines on what several clusters have in common, as far as the cases of the page say it.
    """

    blocks: tuple[IncidentBlock, ...] = ()
    spread: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    after: str = ""

    @property
    def rows(self) -> tuple[CaseRow, ...]:
        """All cases of the page, in its order."""
        return tuple(row for block in self.blocks for row in block.rows)


def case_rows(journal: Journal, state: CaseState | None = None, after: str = "") -> CaseRows:
    """One page: those that wait are on the first one, wherever they are in the store. Raises StoreUnavailable.

    Those are of the first hundred that wait or go on. Within a page, what needs a person comes first, then what changed
    last. The cases of an incident stand together.
    """
    only = frozenset({state}) if state else frozenset(CaseState)
    first = () if after or state else _kept(cases_of(journal.cases(limit=ROWS, unfinished=True)), _MOVING)
    cases, cursor = Cases(), f"case/{after}" if after else None
    for _ in range(MOST_READ):
        page = cases_of(journal.cases(cursor, ROWS, unfinished=state in _MOVING))
        cursor, records = page.cursor, (*cases.records, *_kept(page, only))
        cases = Cases(records=records, unreadable=(*cases.unreadable, *page.unreadable), cursor=cursor)
        if cursor is None or len(cases.records) >= ROWS:
            break
    known = {record.finding_key: record for record in (*first, *cases.records)}
    return _as_rows(known.values(), cases.unreadable, (cursor or "").removeprefix("case/"))


def _kept(page: Cases, only: frozenset[CaseState]) -> tuple[CaseRecord, ...]:
    return tuple(record for record in page.records if record.state in only)


def _as_rows(records: Iterable[CaseRecord], unreadable: Iterable[Unreadable], after: str) -> CaseRows:
    rows, odd = {}, [*unreadable]
    records = sorted(records, key=_order)
    for record in records:
        try:
            rows[record.finding_key] = case_row(record)
        except ODD as error:
            why = f"the record has a part that no version writes: {type(error).__name__}"
            key = record.finding_key
            odd.append(Unreadable(finding_key=key, reason=Reason.RECORD_UNREADABLE, why=why))
    shown = [record for record in records if record.finding_key in rows]
    found = sorted(incidents(shown), key=lambda incident: min(map(_order, incident.records)))
    wide = [inert(spread_words(each), _SPREAD_BYTES) for each in spreads(shown)[:_MOST_SPREADS]]
    blocks = tuple(_block(incident, rows) for incident in found)
    return CaseRows(blocks=blocks, spread=tuple(wide), unreadable=tuple(odd), after=after)


def _block(incident: Incident, rows: Mapping[str, CaseRow]) -> IncidentBlock:
    """The incident's cases, what needs a person first."""
    own = tuple(rows[record.finding_key] for record in sorted(incident.records, key=_order))
    if len(own) == 1:
        return IncidentBlock(title="", rows=own)
    needed = sum(row.needs_person for row in own)
    places = f", in {', '.join(incident.places)}" if incident.places else ""
    title = f"Incident {incident.id}: {len(own)} cases, {needed or 'none'} for people to act on{places}"
    return IncidentBlock(title=inert(title, _SPREAD_BYTES), rows=own)


def case_row(record: CaseRecord) -> CaseRow:
    """The case as a line of the list."""
    reason = Reason.read(record.reason)
    pod, run = record.decision.get("pod") or {}, record.decision.get("cloud_run") or {}
    target = "/".join(filter(None, (str(pod.get("namespace", "")), str(pod.get("name", "")))))
    account = account_of(record)
    return CaseRow(
        case=case_id(record.finding_key),
        severity=inert(account.severity),
        heading=inert(account.category or account.finding),
        state=str(record.state),
        why=PLAN_WAITS if record.state is CaseState.WAITING else inert(reason.meaning if reason else record.reason),
        place=inert(target or str(run.get("name", "")) or record.cluster),
        at=record.updated_at or record.event_time,
        needs_person=record.state in _FIRST[:3] and record.word is None,
    )


def _order(record: CaseRecord) -> tuple[int, float]:
    urgency = _FIRST.index(record.state) if record.state in _FIRST and record.word is None else len(_FIRST)
    return urgency, -(record.updated_at or record.event_time).timestamp()
