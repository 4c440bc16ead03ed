"""Decisions made by hand: policies, and what each plans."""

from __future__ import annotations

from scc_responder.domain.changes import Change
from scc_responder.domain.changes.publish_decision import PublishDecision
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision


def step(
    action: str, result: str = "planned", reason: str = "planned", *, needs: tuple[str, ...] = ()
) -> PlannedAction:
    """One planned action; `notify` comes with its change."""
    changes: tuple[Change, ...] = (PublishDecision(),) if action == "notify" else ()
    return PlannedAction(action=action, result=result, reason=reason, changes=changes, needs=needs)


def decided(**policies: list[PlannedAction]) -> Decision:
    """A decision of these policies, all of which match."""
    return Decision(
        policies=tuple(
            PolicyDecision(name=name, mode=Mode.ENFORCE, matched=True, reason=Reason.MATCHED, actions=tuple(actions))
            for name, actions in policies.items()
        )
    )
