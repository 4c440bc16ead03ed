"""What a sweep goes on with by itself: acts that can be undone and that time alone held.

It does so only while what a policy has held in one scope fits into one window of that scope's limit. More is told once
a day, and a person goes on with it. Tries are the further apart the older the finding is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from scc_responder.actions import actions
from scc_responder.domain.errors import ResponderError
from scc_responder.domain.finding import case_id
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import Entry
from scc_responder.domain.value import Value
from scc_responder.guard.disruption import budget_of
from scc_responder.guard.limiter import Limiter
from scc_responder.guard.limits.ledger_document import Budget, DisruptionRequest
from scc_responder.journal.again.unfinished import held_by_time
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.notices import held_notice
from scc_responder.journal.step import Step
from scc_responder.journal.told_today import is_first_today
from scc_responder.pipeline.services import Services
from scc_responder.policy.limits import Limit, allowed_count

_ACTING = frozenset({Mode.APPROVE, Mode.ENFORCE})


class _Held(Value, frozen=True, kw_only=True):
    """What of one policy is held, in which scope, and where: `namespace`, `CLUSTER/shop`."""

    policy: str
    scope: str
    place: str
    budget: Budget


class HeldByTime:
    """The cases that one sweep met and that time alone holds."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._met: dict[str, CaseRecord] = {}
        self._due: set[str] = set()
        self._limiters: dict[str, Limiter] = {}

    def meet(self, record: CaseRecord, entry: Entry, *, is_quiet: bool) -> None:
        """Count the case; `is_quiet`: it was left alone for as long as any case is."""
        self._met[record.finding_key] = record
        if is_quiet and (_has_waited(record, entry) or _stopped(record)) and self._is_let(record):
            self._due.add(record.finding_key)

    def to_try(self) -> Iterator[CaseRecord]:
        """Those whose time has come, the oldest first; people are told of what is too much for that."""
        crowded = {name for held, names in self._groups().items() if self._is_crowded(held, names) for name in names}
        records = sorted(self._met.values(), key=lambda record: record.event_time)
        return (record for record in records if record.finding_key in self._due - crowded)

    def _groups(self) -> dict[_Held, list[str]]:
        groups: dict[_Held, list[str]] = defaultdict(list)
        for record in self._met.values():
            for held in {_held(record, step) for step in held_by_time(record)}:
                groups[held].append(record.finding_key)
        return groups

    def _is_crowded(self, held: _Held, names: list[str]) -> bool:
        rails = self._services.policies.guardrails
        limits = rails.isolation.limits if held.budget is Budget.ISOLATION else rails.limits
        of_scope: tuple[Limit, ...] = getattr(limits, held.scope, ())
        if not of_scope or len(names) <= allowed_count(of_scope[0]):
            return False
        about = f"{held.policy}/{held.scope}/{held.place}"
        if is_first_today(self._services.store, Reason.HELD_TOO_MANY, about, self._services.clock()):
            where = f"{held.scope} {held.place}"
            self._services.notify(held_notice(held.policy, where, [*map(case_id, names)]))
        return True

    def _is_let(self, record: CaseRecord) -> bool:
        """Whether the kill switch lets it be done, and the breaker that held it was reset."""
        if self._services.kill_switch.ceiling(record.cluster).mode not in _ACTING:
            return False
        return not any(self._is_stopped_still(record, step) for step in _stopped(record))

    def _is_stopped_still(self, record: CaseRecord, step: Step) -> bool:
        """Whether the breaker that held the step is tripped still. The store is asked once for each cluster."""
        if record.cluster not in self._limiters:
            self._limiters[record.cluster] = self._services.limiter(record.cluster)
        asked = DisruptionRequest(
            action_id=step.action_id,
            target=step.expected_uid,
            kind="pods",
            scopes=_scopes(record),
            budget=budget_of(actions()[step.action]),
        )
        try:
            return not self._limiters[record.cluster].breaker(asked).allowed
        except ResponderError:
            return True


def _stopped(record: CaseRecord) -> tuple[Step, ...]:
    """The steps that a breaker held: it is known when that ends."""
    known = (step for step in held_by_time(record) if step.action in actions())
    return tuple(step for step in known if step.reason == Reason.STORM_BREAKER)


def _scopes(record: CaseRecord) -> dict[str, str]:
    """The scopes of the case's pod, as far as the case keeps them."""
    pod = record.decision.get("pod") or {}
    return {"namespace": str(pod["namespace"])} if pod.get("namespace") else {}


def _has_waited(record: CaseRecord, entry: Entry) -> bool:
    """Whether the case was left alone for as long as its finding was old before."""
    if entry.update_time is None:
        return True
    return entry.server_time - entry.update_time >= entry.update_time - record.event_time


def _held(record: CaseRecord, step: Step) -> _Held:
    reason = Reason.read(step.reason)
    scope = reason.detail if reason and reason.detail else "cluster"
    pod = record.decision.get("pod") or {}
    parts = {"namespace": ("namespace",), "owner": ("namespace", "workload"), "node": ("node",)}.get(scope, ())
    place = "/".join((record.cluster, *(str(pod.get(part, "")) for part in parts)))
    budget = budget_of(actions()[step.action]) if step.action in actions() else Budget.DISRUPTION
    return _Held(policy=step.policy, scope=scope, place="" if scope == "organization" else place, budget=budget)
