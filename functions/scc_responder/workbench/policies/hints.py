"""One sentence why a policy did not match or a step is not planned: the value that decided. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scc_responder.collect.identity import HELD
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import visible
from scc_responder.policy.cel import CelFacts, condition_answer
from scc_responder.policy.match import FIELDS
from scc_responder.policy.policy_set import Policy

_WHEN = frozenset({Reason.WHEN_DIFFERS, Reason.WHEN_MISSING})
_UNLESS = frozenset({Reason.UNLESS, Reason.UNLESS_MISSING})
_DECIDED_BY: dict[Reason | None, str] = {
    Reason.NAMESPACE_PROTECTED: "namespace",
    Reason.LOCATION_PROTECTED: "location",
    Reason.SERVICE_PROTECTED: "service",
    Reason.SERVICE_NOT_LISTED: "service",
}
_CONDITION = frozenset(
    {Reason.CONDITION_DIFFERS, Reason.CONDITION_ERROR, Reason.CONDITION_TOO_LARGE, Reason.CONDITION_MISSING}
)


def policy_hint(policy: Policy, context: Context, reason: str) -> str:
    """The value for which the policy does not match: `namespace is 'shop', policy wants kube-*`; else empty."""
    why = Reason.read(reason)
    word, field = (why.word, why.detail) if why else (None, "")
    if word in _WHEN and field in FIELDS:
        return f"{_value(field, context)}, policy wants {_wanted(field, policy.when.given())}"
    if word in _UNLESS and field in FIELDS:
        excepted = _wanted(field, policy.unless.given())
        missing = ", and missing data counts as a match" if word is Reason.UNLESS_MISSING else ""
        return f"{_value(field, context)}, and unless excepts {excepted}{missing}"
    return _condition(policy.condition, context) if word in _CONDITION else ""


def _condition(expression: str, context: Context) -> str:
    """The condition, and what CEL says of it where it cannot be answered: the key that is missing, by its name."""
    asked = f"condition: {' '.join(expression.split())}"
    answer = condition_answer(expression, CelFacts(context))
    if isinstance(answer, bool):
        return asked
    unread = [f"{fact}: {why}" for fact, why in context.missing.items() if re.search(rf"\b{fact}\b", expression)]
    told = f" ({visible('; '.join(unread))})" if unread else ""
    return f"{asked}; it cannot be answered: {visible(answer, 300)}{told}"


def step_hint(context: Context, reason: str, now: datetime) -> str:
    """The value for which a step is not planned, if the reason alone does not say it; else empty."""
    identity, why = context.identity, Reason.read(reason)
    if identity.reason in {why, why.detail if why else ""}:
        against = [f"{name}: {told}" for name, told in identity.checks.items() if told != HELD]
        return f"identity is {identity.level}: {'; '.join(against) or identity.reason}"
    if why in _DECIDED_BY:
        return _value(_DECIDED_BY[why], context)
    if why in {Reason.FINDING_TOO_OLD, Reason.FINDING_FROM_THE_FUTURE}:
        event_time = context.finding.event_time
        return f"it arrives {now - event_time} after its event time, {event_time.isoformat(timespec='seconds')}"
    return ""


def _value(name: str, context: Context) -> str:
    value = FIELDS[name].read(context)
    if not value:
        why = context.missing.get({"labels": "pod", "workload": "owner", "node_pool": "node"}.get(name, name), "")
        return f"{name} is not known{f' ({why})' if why else ''}"
    return f"{name} is {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={text}" for key, text in value.items())
    return repr(value) if isinstance(value, str) else ", ".join(map(repr, value))


def _wanted(name: str, given: Mapping[str, Any]) -> str:
    wanted = given.get(name, "")
    if isinstance(wanted, Mapping):
        return ", ".join(f"{key}={_listed(patterns)}" for key, patterns in wanted.items())
    return f"at least {wanted}" if name == "severity" else _listed(wanted)


def _listed(patterns: str | tuple[str, ...]) -> str:
    return patterns if isinstance(patterns, str) else " or ".join(patterns)
