"""What a sweep goes on with by itself: acts that can be undone and that time alone held.

It does so only while what a policy has held in one scope fits into one window of that scope's limit. More is told once
a day, and a person goes on with it. Tries are the further apart the older the finding is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial

from scc_responder.actions import actions
from scc_responder.domain.changes import Disruption
from scc_responder.domain.errors import ResponderError
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import Entry
from scc_responder.domain.value import Value
from scc_responder.guard.disruption import budget_of, held_request
from scc_responder.guard.limiter import Limiter
from scc_responder.guard.limits.ledger_document import Budget
from scc_responder.journal.again.unfinished import held_by_time, is_held_by_time
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.notices import held_notice
from scc_responder.journal.step import Step
from scc_responder.journal.told_today import is_first_today
from scc_responder.pipeline.again.held_targets import held_targets
from scc_responder.pipeline.again.sweep_work import SweepWork
from scc_responder.pipeline.again.unfinished_cases import QUIET, idle
from scc_responder.pipeline.services import Services
from scc_responder.policy.limits import Limit, allowed_count

_OF_BREAKERS = ("owner", "namespace", "cluster")


class _Held(Value, frozen=True, kw_only=True):
    """What of one policy is held, in which scope, and where: `namespace`, `CLUSTER/shop`."""

    policy: str
    scope: str
    place: str
    budget: Budget
    kind: Disruption


class HeldByTime:
    """The cases that one sweep met and that time alone holds."""

    def __init__(self, services: Services, work: SweepWork) -> None:
        self._services = services
        self._work = work
        self._met: dict[str, CaseRecord] = {}
        self._due: set[str] = set()
        self._limiters: dict[str, Limiter] = {}

    def meet(self, record: CaseRecord, entry: Entry) -> None:
        """Count the case. Raises StoreError."""
        self._met[record.finding_key] = record
        if idle(entry) < QUIET or not self._work.is_let(record):
            return
        held = held_by_time(record)
        free = [step for step in held if not self._is_stopped(record, step)]
        # When a breaker is reset is known; all else is tried the later, the older the finding is.
        is_reset = any(step.reason == Reason.STORM_BREAKER for step in free)
        if (free or not held) and (is_reset or _has_waited(record, entry)):
            self._due.add(record.finding_key)

    def to_try(self) -> Iterator[CaseRecord]:
        """Those whose time has come, the oldest first; people are told of what is too much for that."""
        groups = self._groups().items()
        crowded = {case for held, pairs in groups if self._is_crowded(held, dict(pairs)) for _, case in pairs}
        records = sorted(self._met.values(), key=lambda record: record.event_time)
        return (record for record in records if record.finding_key in self._due - crowded)

    def _groups(self) -> dict[_Held, set[tuple[str, str]]]:
        groups: dict[_Held, set[tuple[str, str]]] = defaultdict(set)
        for record in self._met.values():
            for step in held_by_time(record):
                for held in _held(record, step):
                    groups[held].add((_target(record, step), record.finding_key))
        return groups

    def _is_crowded(self, held: _Held, met: Mapping[str, str]) -> bool:
        rails = self._services.policies.guardrails
        limits = rails.isolation.limits if held.budget is Budget.ISOLATION else rails.limits
        of_scope: tuple[Limit, ...] = getattr(limits, held.scope, ())
        limit = next((limit for limit in of_scope if limit.of == held.kind), None)
        if limit is None:
            return False
        about = f"{held.policy}/{held.scope}/{held.place}/{held.budget}/{held.kind}"
        most = allowed_count(limit)
        found = held_targets(self._services.store, about, met, most, partial(_is_among, held))
        if found is not None and len(found) <= most:
            return False
        names = [*dict.fromkeys((found or met).values())]
        if is_first_today(self._services.store, Reason.HELD_TOO_MANY, about, self._services.clock()):
            where = f"{held.scope} {held.place}"
            count = len(found or met)
            self._services.notify(held_notice(held.policy, where, [*map(case_id, names)], count))
        return True

    def _is_stopped(self, record: CaseRecord, step: Step) -> bool:
        """Whether a tripped breaker holds the step, whatever its scope. The store is asked once for each cluster."""
        if step.action not in actions():
            return True
        limiter = self._limiters.setdefault(record.cluster, self._services.limiter(record.cluster))
        try:
            return not limiter.breaker(held_request(record.decision, step)).allowed
        except ResponderError:
            return True


def _is_among(held: _Held, record: CaseRecord, target: str) -> bool:
    """Whether the case holds this target so."""
    steps = (step for step in held_by_time(record) if _target(record, step) == target)
    return is_held_by_time(record) and any(held in _held(record, step) for step in steps)


def _target(record: CaseRecord, step: Step) -> str:
    return step.expected_uid or record.finding_key


def _has_waited(record: CaseRecord, entry: Entry) -> bool:
    """Whether the case was left alone for as long as its finding was old before."""
    if entry.update_time is None:
        return True
    return entry.server_time - entry.update_time >= entry.update_time - record.event_time


def _held(record: CaseRecord, step: Step) -> Iterator[_Held]:
    """Where the step is held: in the scope of its limit, or in each that a breaker may have."""
    reason, pod = Reason.read(step.reason), record.decision.get("pod") or {}
    action = actions().get(step.action)
    budget = budget_of(action) if action else Budget.DISRUPTION
    kind = action.disrupts if action else Disruption.PODS
    for scope in (reason.detail,) if reason and reason.detail else _OF_BREAKERS:
        parts = {"namespace": ("namespace",), "owner": ("namespace", "workload"), "node": ("node",)}.get(scope, ())
        place = "/".join((record.cluster, *(str(pod.get(part, "")) for part in parts)))
        place = "" if scope == "organization" else place
        yield _Held(policy=step.policy, scope=scope, place=place, budget=budget, kind=kind)
