"""An execution on an empty journal, without a cluster: for tests of what comes before a request and after it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from scc_responder.domain.changes import Change
from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from scc_responder.domain.changes.delete_pod import DeletePod
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.execute.execution import Execution, Task
from scc_responder.execute.world import World
from scc_responder.guard.kill_switch import KillSwitchCeiling
from scc_responder.guard.limiter import Limiter
from scc_responder.guard.trust.first_shot import FirstShot
from scc_responder.guard.trust.warm_up import WarmUp
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.collector_keys import CaseCollector
from scc_responder.policy.decide import Decision, PolicyDecision
from scc_responder.policy.guardrails import Guardrails, Protected
from scc_responder.policy.policy_set import PolicySet
from tests.kits.decision_contexts import POD, REF, context
from tests.kits.journal_worlds import START, JournalWorld

RAILS = Guardrails(protected=Protected(namespaces=()))
"""Nothing is protected, and the limits are those that hold where no others are given."""

NO_POLICIES = PolicySet(policies=(), guardrails=RAILS, digest="")
DELETE = DeletePod(namespace=POD.namespace, name=POD.name, uid=POD.uid)
CHANGES: dict[str, Change] = {"delete_pod": DELETE, "capture_evidence": CaptureEvidence()}
_POOL = ThreadPoolExecutor(1)


def policy(mode: Mode = Mode.ENFORCE, name: str = "contain") -> PolicyDecision:
    """A policy that matched."""
    return PolicyDecision(name=name, mode=mode, matched=True, reason=Reason.MATCHED)


def task(action: str = "delete_pod", mode: Mode = Mode.ENFORCE, **fields: Any) -> Task:
    """One change of a policy in this mode."""
    values = {"policy": policy(mode), "action_id": f"id-of-{action}", "change": CHANGES.get(action), **fields}
    return Task(action=action, **values)


def no_wait(_seconds: float) -> None:
    """Go on at once."""


@dataclass(kw_only=True)
class ExecutionWorld:
    """What a test turns: the kill switch, until when steps may start, and the policies whose first shots wait."""

    journal: JournalWorld
    mode: Mode = Mode.ENFORCE
    seconds: float = 60
    policies: PolicySet = NO_POLICIES
    refused: list[FirstShot] = field(default_factory=list)

    def execution(self, case: ClaimedCase | None = None, **fields: Any) -> Execution:
        """An execution of the case, by default of the one finding, in a context with these changes."""
        limiter = Limiter(self.journal.store, REF.path, RAILS, no_wait, lambda *_: None)
        warm_up = WarmUp(self.journal.store, REF.path, self.policies, self.refused.append, wait=no_wait, passed=set())
        world = World(
            cluster=None,
            api=None,
            limiter=limiter,
            warm_up=warm_up,
            evidence=None,
            notifier=None,
            clock=self.journal.clock,
            ceiling=lambda: KillSwitchCeiling(mode=self.mode),
            until=START + timedelta(seconds=self.seconds),
            pool=_POOL,
            evidence_pool=_POOL,
            collector=CaseCollector(self.journal.store, "5401ff97f041", ""),
        )
        held = case or self.journal.held()
        return Execution(context=context(**fields), decision=Decision(policies=()), case=held, world=world)
