"""Take a case back: look, write the intents and the person's word, carry out, read back, write the outcomes, tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from msgspec.structs import replace

from scc_responder.adapters.acting_case import acting_for
from scc_responder.domain.changes import Means, StepRun
from scc_responder.domain.cloud_run.run_session import RunSession
from scc_responder.domain.errors import ApiError, ResponderError, RetryableError, StoreError
from scc_responder.domain.finding import ClusterRef, case_id
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.notices.notice import NoticeKind, NoticeSeverity
from scc_responder.domain.ports import KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import FrozenProcess, Result, StepStatus, failed, undo_refused
from scc_responder.journal.again.persons_request import as_requested
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.chain.chain_check import write_fields
from scc_responder.journal.collector_keys import CaseCollector, drop_key
from scc_responder.journal.contained import frozen_processes
from scc_responder.journal.journal import Transition, TransitionRule
from scc_responder.journal.notices import case_notice
from scc_responder.pipeline.services import Services
from scc_responder.pipeline.undo.pod_cases import PodCases, pod_cases
from scc_responder.pipeline.undo.taken_back import TakenBack, isolation_of, standing, taken_back
from scc_responder.pipeline.undo.undo_record import (
    opening_ended,
    release_begun,
    release_ended,
    undo_begun,
    undo_digest,
    undo_ended,
    undo_step,
    waits_for_sweep,
)

_GONE = frozenset({StepStatus.TARGET_GONE, StepStatus.TARGET_REPLACED, StepStatus.SKIPPED})
_GOOD = _GONE | {StepStatus.DONE, StepStatus.DRY_RUN}
_ABOUT_TO = frozenset({StepStatus.DRY_RUN, StepStatus.DONE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Undone:
    """One step, and what came of taking it back; of a rehearsal, what would come of it."""

    item: TakenBack
    result: Result

    @property
    def is_good(self) -> bool:
        """Whether nothing of the step is left that could be taken back."""
        return self.result.status in _GOOD


class Undo:
    """Takes one case back, as whom `services` reach clusters and Cloud Run.

    `only`: other cases of its pod keep their isolation. `by` and `said` are who asks for it, and why. `steps` names
    those whose time is over: they alone are taken back, and nothing is said of the case besides.
    """

    def __init__(
        self,
        services: Services,
        key: str,
        *,
        only: bool = False,
        by: str = "",
        said: str = "",
        steps: frozenset[str] = frozenset(),
    ) -> None:
        self._services = services
        self._journal = services.journal
        self._only = only
        self._by, self._said = by, said
        record = self._journal.read(key)
        if record is None:
            raise RetryableError(Reason.NO_SUCH_CASE, key)
        self.digest = undo_digest(record)
        """Of what is to be taken back, as a page shows it."""
        self.is_open_again = waits_for_sweep(record)
        """Whether a person opened the case, and the next sweep would try it."""
        self._record = record = as_requested(record, services.clock())
        self._expired = steps
        others = PodCases() if steps else self._others()
        self.unreadable = others.unreadable
        """The pod's other cases of which nothing can be taken back: their records cannot be read."""
        self._records = {key: record, **others.records}
        known = (step for each in self._records.values() for step in each.steps)
        self._begun = {step.undoes for step in known if step.undoes and not step.is_settled}
        items = taken_back(record, [*others.records.values()], others.foreign, only=only)
        self._items = [item for item in items if not steps or item.step.name in steps]

    @property
    def cases(self) -> tuple[str, ...]:
        """The ids of the cases that something is taken back of."""
        return tuple(case_id(key) for key in self._records if any(item.key == key for item in self._items))

    def end_opening(self) -> None:
        """Take the opening back. Raises StoreError, and RetryableError where a delivery has the case, or had it."""
        now, key = self._services.clock(), self._record.finding_key

        def rule(stored: CaseRecord, is_held: bool) -> Transition:
            return opening_ended(stored, now, by=self._by, said=self._said, is_held=is_held)

        _refuse(self._journal.apply(key, rule, leaves_line=False)[0], key)

    def look(self) -> list[Undone]:
        """What would be taken back, by rehearsals (`dryRun=All`): nothing is changed. Raises StoreError."""
        return [*self._each(dry_run=True)]

    def apply(self) -> list[Undone]:
        """Take back what can be, and tell. Raises StoreError, and RetryableError `case_in_progress`."""
        rehearsed = self.look()
        if not any(each.result.status in _ABOUT_TO for each in rehearsed):
            # Whoever works on it may be about to do what is to be taken back.
            _refuse(self._journal.apply(self._record.finding_key, _left_alone)[0], self._record.finding_key)
            return rehearsed
        asked = [key for key in self._records if any(item.key == key for item in self._items)]
        for key in asked:
            # Before any of them has the person's word: else one would say that it was undone, and nothing was.
            _refuse(self._journal.apply(key, _left_alone)[0], key)
        for key in asked:
            self._begin(key)
        undone = [*self._each(dry_run=False)]
        for key in asked:
            self._end(key, [each for each in undone if each.item.key == key])
        return undone

    def _others(self) -> PodCases:
        steps = [step for step in standing(self._record) if "path" not in step.change]
        return pod_cases(self._api(), self._journal, self._record, steps) if steps else PodCases()

    def _api(self) -> KubernetesApi:
        """The case's cluster. Raises ApiError."""
        ref = ClusterRef.parse(self._record.cluster)
        if ref is None:
            raise ApiError(Reason.CLUSTER_NOT_FOUND, f"the case names no cluster: {self._record.cluster}")
        return self._services.clusters.connect(ref)

    def _each(self, *, dry_run: bool) -> Iterator[Undone]:
        """Each step in its order. The label of an isolation stays where a policy stays that selects it."""
        left: set[str] = set()
        for item in self._items:
            is_policy, uid = bool(isolation_of(item)), item.step.expected_uid
            if item.inverse is not None and item.is_isolation and not is_policy and uid in left:
                result = undo_refused("its NetworkPolicy stays, so its label does")
            else:
                result = self._result(item, dry_run=dry_run)
            undone = Undone(item=item, result=result)
            left |= {uid} if is_policy and not undone.is_good else set()
            yield undone

    def _result(self, item: TakenBack, *, dry_run: bool) -> Result:
        if item.inverse is None:
            return Result(status=StepStatus.SKIPPED, reason=Reason.CANNOT_BE_UNDONE, detail=item.why)
        record = self._records[item.key]
        step = StepRun(
            action_id=item.step.action_id,
            dry_run=dry_run,
            intended=item.step.name in self._begun,
            intend=lambda: None,
            renew=lambda: None,
            clock=self._services.clock,
        )
        try:
            with acting_for(case_id(item.key)):
                return item.inverse.carry_out(step, cast("Means", _DeskMeans(self._services, record, self._api)))
        except StoreError:
            raise
        except ResponderError as error:
            reason = Reason.read(error.reason) or Reason.UNSETTLED
            return undo_refused(f"{reason}: {reason.meaning}") if reason.is_planned_anew else failed(reason, str(error))

    def _begin(self, key: str) -> None:
        now, record = self._services.clock(), self._records[key]
        steps = [
            undo_step(record, item.step, item.inverse, now) for item in self._items if item.key == key and item.inverse
        ]

        def rule(stored: CaseRecord, is_held: bool) -> Transition:
            if self._expired:
                return release_begun(stored, steps, is_held=is_held)
            return undo_begun(stored, steps, now, by=self._by, said=self._said, is_held=is_held)

        self._records[key] = self._written(key, rule)

    def _end(self, key: str, undone: Sequence[Undone]) -> None:
        """Write the outcomes, destroy the key of a thaw, and tell."""
        now, record = self._services.clock(), self._records[key]
        outcomes = [undo_step(record, each.item.step, each.item.inverse, now, each.result) for each in undone]
        is_good = all(each.is_good for each in undone)
        reason = Reason.UNDONE if is_good else Reason.UNDO_REFUSED
        steps = [step for step in outcomes if step.change]
        record = self._written(
            key,
            lambda stored, _held: release_ended(stored, steps) if self._expired else undo_ended(stored, steps, reason),
        )
        drop_key(record, self._services.store)
        severity = NoticeSeverity.NOTICE if is_good else NoticeSeverity.WARNING
        said = ": ".join(filter(None, (self._by, self._said)))
        notice = case_notice(NoticeKind.UNDONE, record, reason, said, severity)
        # Nothing that is done at a desk has a line in the function's log: the message has both heads of the chain.
        began = {"chain_from": write_fields(self._records[key]).get("chain_from", "")}
        self._services.notify(replace(notice, facts={**notice.facts, **began}))

    def _written(self, key: str, rule: TransitionRule) -> CaseRecord:
        transition, _ = self._journal.apply(key, rule)
        _refuse(transition, key)
        return transition.record or self._records[key]


def _left_alone(_record: CaseRecord, is_held: bool) -> Transition:
    """Whether a delivery works on the case. Nothing is written: a `TransitionRule`."""
    return (
        Transition(reason=Reason.CASE_IN_PROGRESS, status=503)
        if is_held
        else Transition(reason=Reason.AT_REST, status=204)
    )


def _refuse(transition: Transition, key: str) -> None:
    """Raises RetryableError where the transition is refused."""
    if transition.status != HTTPStatus.NO_CONTENT:
        raise RetryableError(transition.reason, f"case {case_id(key)}: {transition.reason.meaning}")


class _DeskMeans:
    """`changes.Means`, as far as what takes a change back uses it."""

    def __init__(self, services: Services, record: CaseRecord, api: Callable[[], KubernetesApi]) -> None:
        self._services = services
        self._record = record
        self._api = api
        self.collector = CaseCollector(services.store, case_id(record.finding_key), services.settings.collector)

    def frozen(self, uid: str) -> tuple[FrozenProcess, ...]:
        """See `Means.frozen`: those of the whole case."""
        return frozen_processes(self._record.steps, uid)

    def in_cluster(self, change: Callable[[ClusterSession], Result]) -> Result:
        """See `Means.in_cluster`."""
        return change(ClusterSession(self._api(), {}, self._services.wait, self._services.pool))

    def in_cloud_run(self, change: Callable[[RunSession], Result]) -> Result:
        """See `Means.in_cloud_run`."""
        api = self._services.run
        if api is None:
            return Result(status=StepStatus.HELD, reason=Reason.CLOUD_RUN_NOT_REACHED)
        return change(RunSession(api, self._services.wait))
