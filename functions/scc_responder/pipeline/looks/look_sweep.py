"""The looks that are due, and no others: the store names them, and each is made beside those of other clusters.

It has threads of its own, so that no delivery waits for a look, and two of them at most for one cluster. A cluster that
does not answer once is not asked again in the same sweep. What others undid is put back as any news about the case is:
the finding is read again, and the policies decide. Where the kill switch lets nothing be done, people are told only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from scc_responder.adapters.acting_case import acting_for
from scc_responder.domain.errors import ApiError, ResponderError
from scc_responder.domain.finding import ClusterRef, case_id
from scc_responder.domain.notices.notice import NoticeKind
from scc_responder.domain.ports import KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import Entry
from scc_responder.domain.value import ODD
from scc_responder.journal.again.reopening import opened_by_sweep, undone_by_others
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import decoded
from scc_responder.journal.chain.chain_check import write_fields
from scc_responder.journal.journal import Transition, TransitionRule
from scc_responder.journal.messages import Ending, log_line
from scc_responder.journal.notices import case_notice
from scc_responder.journal.watch.looks_due import due_at, looked, watched_steps
from scc_responder.journal.watch.watch import Look
from scc_responder.journal.watch.watched_cases import WatchedCases, watched_case
from scc_responder.pipeline.again.sweep_work import SweepWork
from scc_responder.pipeline.authentication import check_sweeper
from scc_responder.pipeline.delivery import accounted
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.pipeline.later.later_accounts import note_account
from scc_responder.pipeline.later.write_line import tell_odd
from scc_responder.pipeline.looks.cluster_look import ClusterLook
from scc_responder.pipeline.looks.look_at_run import is_on_run, look_at_run
from scc_responder.pipeline.looks.reminder import remind, tell_noted
from scc_responder.pipeline.looks.unseen import unseen_effects
from scc_responder.pipeline.services import Services

MOST_LOOKS = 200
"""In one sweep. 1,000 due cases are worked off by five: in as many minutes."""
LANES, LANES_OF_A_CLUSTER = 6, 2
"""Looks side by side, in all and in one cluster."""
_PAGE = 100


def look_sweep(headers: Mapping[str, str], peer: str, services: Services) -> Ending:
    """Look at what is due, if the caller may sweep: 204 looked, 403 forbidden, 503 ask again.

    It writes one log line, and one more for each case that was looked at.
    """

    def swept(log: DeliveryLog) -> Ending:
        check_sweeper(headers, peer, services)
        return _Looks(services, log.began).run(log)

    return accounted(swept, services)


class _Looks:
    """One sweep's looks."""

    def __init__(self, services: Services, began: datetime) -> None:
        self._services = services
        self._work = SweepWork(services, began, "look")
        self._met: Counter[str] = Counter()
        self._silent: dict[str, ApiError] = {}
        """Clusters that did not answer in this sweep, and how."""
        self._undone: list[tuple[CaseRecord, Look]] = []
        """What is to be put back, once all that is due was looked at."""

    def run(self, log: DeliveryLog) -> Ending:
        """Look at each due case once."""
        due = [*self._due()]
        if due:
            self._known = WatchedCases(self._services.store, self._services.clock())
            self._known.add(filter(None, (watched_case(record, self._services.clock()) for record in due)))
            with ThreadPoolExecutor(LANES, thread_name_prefix="look") as lanes:
                for results in lanes.map(self._lane, _lanes(due)):
                    self._met.update(results)
            self._known.keep()
            self._met.update(self._put_back(record, look) for record, look in self._undone)
        log.fields["looked"] = dict(self._met)
        return Ending(status=204, reason=Reason.LOOKED, severity="INFO")

    def _due(self) -> Iterator[CaseRecord]:
        """The cases that are due. One that this version cannot read stays where it is, and hides no other."""
        now, left = self._services.clock(), MOST_LOOKS
        after: Entry | None = None
        while left > 0:
            asked = min(_PAGE, left)
            page = self._services.store.scan_due(now, asked, after=after)
            for after in page:
                try:
                    yield decoded(after)
                    left -= 1
                except ResponderError as error:
                    self._met[error.reason] += 1
            if len(page) < asked:
                return

    def _lane(self, records: Iterable[CaseRecord]) -> list[str]:
        """The results of these looks, one after another, while there is time."""
        results: list[str] = []
        for record in records:
            if self._services.clock() >= self._work.until:
                results.append(Reason.OUT_OF_TIME)
                continue
            try:
                results.append(self._attend(record))
            except ResponderError as error:
                results.append(error.reason)
            except ODD as error:
                results.append(tell_odd(record.finding_key, error, self._services))
        return results

    def _attend(self, record: CaseRecord) -> Reason:
        """Look, and store what was seen. Raises StoreError, RetryableError."""
        with acting_for(case_id(record.finding_key)):
            look, standing = self._look(record)
        if look.gone and self._work.is_let(record):
            self._undone.append((record, look))
            return Reason.UNDONE_BY_OTHERS
        transition, _ = self._services.journal.apply(record.finding_key, self._seen(record, look))
        if transition.record is not None:
            self._log(transition.record, look, **write_fields(transition.record))
            tell_noted(transition.record, look, self._services)
            note_account(transition.record, self._services)
            if look.gone:
                self._tell(transition.record, look)
            else:
                remind(transition.record, look, standing, self._services)
        return transition.reason

    def _seen(self, record: CaseRecord, look: Look, *, put_back: bool = False) -> TransitionRule:
        """Keep the look in the case as it stands by then, and open the case to put back what is gone."""
        schedule, due = self._services.settings.looks, due_at(record)

        def seen(stored: CaseRecord, is_held: bool) -> Transition:
            if due_at(stored) != due:
                return Transition(reason=Reason.IN_PROGRESS if is_held else Reason.AT_REST, status=409)
            kept = looked(stored, look, schedule)
            opened = opened_by_sweep(kept, look.at) if put_back else kept
            return Transition(reason=_told(look), status=204, record=opened, starts=put_back)

        return seen

    def _put_back(self, record: CaseRecord, look: Look) -> str:
        """Go on with the case as with news of it: the finding is read again, and the policies decide.

        What is not begun now is due again in the next sweep.
        """
        try:
            reason, case = self._work.take(record, self._seen(record, look, put_back=True))
        except ResponderError as error:
            return error.reason
        if case is None:
            return reason
        self._log(case.record, look)
        tell_noted(case.record, look, self._services)
        result = self._work.go_on(case)
        if undone_by_others(case.record) == (None, False):
            # Nothing was decided, so that nobody was told: the finding may be over, or was not to be read.
            self._tell(case.record, look)
        return result

    def _look(self, record: CaseRecord) -> tuple[Look, tuple[str, ...]]:
        """The look, and what stands still of what was cut off, cordoned, or set on Cloud Run."""
        now, steps = self._services.clock(), watched_steps(record)
        own = watched_case(record, now)
        alike = (self._known.same_threat(own), self._known.same_image(own)) if own else ((), ())
        seen = partial(Look, at=now, same_threat=alike[0], same_image=alike[1])
        is_run = is_on_run(steps)
        try:
            if record.cluster in self._silent:
                raise self._silent[record.cluster]
            if is_run:
                fields, standing = look_at_run(record, steps, self._services, now)
                return seen(**fields), standing
            cluster = ClusterLook(self._api(record.cluster))
            gone, standing = cluster.gone(steps), cluster.standing(steps)
            replacement = cluster.replacement(steps, record.decision)
            return seen(gone=gone, replacement=replacement, unseen=unseen_effects(record, steps)), standing
        except ApiError as error:
            if not error.status or (is_run and error.may_pass):
                self._silent.setdefault(record.cluster, error)
            return seen(unread=error.reason, detail=str(error)[:200]), ()
        except ODD as error:
            return seen(unread=Reason.UNUSABLE_ANSWER, detail=type(error).__name__), ()

    def _api(self, cluster: str) -> KubernetesApi:
        """The cluster's API. Raises ApiError."""
        if self._services.bulkheads.is_busy(cluster):
            raise ApiError(Reason.CLUSTER_BUSY, cluster)
        ref = ClusterRef.parse(cluster)
        if ref is None:
            raise ApiError(Reason.MALFORMED_CLUSTER_NAME, cluster)
        return self._services.clusters.connect(ref)

    def _log(self, record: CaseRecord, look: Look, **fields: Any) -> None:
        fields |= {"case": case_id(record.finding_key), "cluster": record.cluster, "look": msgspec.to_builtins(look)}
        ending = Ending(status=204, reason=_told(look), severity="WARNING" if look.gone else "INFO")
        self._services.tell(log_line(ending, "", "", self._services.settings.trace_project, fields))

    def _tell(self, record: CaseRecord, look: Look) -> None:
        """Tell people, unless an earlier look told them the same."""
        if any(old.gone == look.gone for old in (record.watch.looks if record.watch else ()) if old != look):
            return
        why = f"others took away, and it is not put back: {'; '.join(look.gone)}"
        self._services.notify(case_notice(NoticeKind.UNDONE_BY_OTHERS, record, Reason.UNDONE_BY_OTHERS, why))


def _lanes(records: Iterable[CaseRecord]) -> list[list[CaseRecord]]:
    """The records in lanes of one cluster each."""
    by_cluster: dict[str, list[CaseRecord]] = {}
    for record in records:
        by_cluster.setdefault(record.cluster, []).append(record)
    split = ([each[start::LANES_OF_A_CLUSTER] for start in range(LANES_OF_A_CLUSTER)] for each in by_cluster.values())
    return [lane for lanes in split for lane in lanes if lane]


def _told(look: Look) -> Reason:
    if look.gone:
        return Reason.UNDONE_BY_OTHERS
    noted = Reason.read(look.noted[0].reason) if look.noted else None
    return Reason.NOT_LOOKED if look.unread else noted or Reason.STILL_CONTAINED
