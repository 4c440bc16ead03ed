"""Hold what may not be done, whatever a policy asks for. Deny wins; every hold has a named reason."""

from __future__ import annotations

from datetime import datetime

import msgspec

from scc_responder.action import Action, actions
from scc_responder.context import Context
from scc_responder.decide import Decision, PlannedAction, PolicyDecision
from scc_responder.glob import matches
from scc_responder.guardrails import Guardrails
from scc_responder.policy import Mode
from scc_responder.protection import google_agent


def guard(context: Context, decision: Decision, guardrails: Guardrails, now: datetime) -> Decision:
    """The decision with every policy's mode under its ceiling, and every action that must not be taken held."""
    ceiling = Mode(guardrails.max_mode)
    return Decision(policies=tuple(_guard(context, policy, guardrails, ceiling, now) for policy in decision.policies))


def _guard(
    context: Context, policy: PolicyDecision, guardrails: Guardrails, ceiling: Mode, now: datetime
) -> PolicyDecision:
    order = list(Mode)
    mode = min(policy.mode, ceiling, key=order.index)
    if policy.matched and mode == Mode.DISABLED:
        return msgspec.structs.replace(
            policy, mode=mode, matched=False, reason="mode_disabled_by_guardrails", actions=()
        )
    held = tuple(_held(context, planned, guardrails, now) for planned in policy.actions)
    return msgspec.structs.replace(policy, mode=mode, actions=held)


def _held(context: Context, planned: PlannedAction, guardrails: Guardrails, now: datetime) -> PlannedAction:
    if planned.result != "planned":
        return planned
    reason = hold_reason(context, actions()[planned.action], guardrails, now)
    if not reason:
        return planned
    return msgspec.structs.replace(planned, result="held", reason=reason)


def hold_reason(context: Context, action: Action, guardrails: Guardrails, now: datetime) -> str:
    """Why the action may not be taken, or an empty string. Actions that only observe are never held."""
    if action.observes:
        return ""
    return (
        google_agent(context)
        or _protected(context, guardrails)
        or _unclear(context, action)
        or _too_old(context, action, guardrails, now)
    )


def _protected(context: Context, guardrails: Guardrails) -> str:
    named = context.pod or context.finding.pod
    namespace = named.namespace if named else ""
    protected = any(matches(pattern, namespace) for pattern in guardrails.protected_namespaces)
    return "namespace_protected" if protected else ""


def _unclear(context: Context, action: Action) -> str:
    if context.finding.contradictions:
        return f"contradiction:{context.finding.contradictions[0]}"
    if context.threat.name == "unknown":
        return "threat_unknown"
    if context.identity.level == "refuted":
        return context.identity.reason
    if action.needs_identity and context.identity.level not in {"proved", "likely"}:
        return f"identity_unknown:{context.identity.reason}"
    return ""


def _too_old(context: Context, action: Action, guardrails: Guardrails, now: datetime) -> str:
    limit = guardrails.max_finding_age.limit(reversible=action.reversible)
    return "finding_too_old" if now - context.finding.event_time > limit else ""
