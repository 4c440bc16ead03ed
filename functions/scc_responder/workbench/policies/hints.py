"""One sentence why a policy did not match or a step is not planned: the value that decided. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scc_responder.collect.identity import HELD
from scc_responder.domain.context import Context
from scc_responder.policy.match import FIELDS
from scc_responder.policy.policy_set import Policy

_WHEN = re.compile(r"when_(\w+?)_(differs|missing)", re.ASCII)
_UNLESS = re.compile(r"unless_(\w+?)(_missing)?", re.ASCII)


def policy_hint(policy: Policy, context: Context, reason: str) -> str:
    """The value for which the policy does not match: `namespace is 'shop', policy wants kube-*`; else empty."""
    when, unless = _WHEN.fullmatch(reason), _UNLESS.fullmatch(reason)
    if when and when[1] in FIELDS:
        return f"{_value(when[1], context)}, policy wants {_wanted(when[1], policy.when.given())}"
    if unless and unless[1] in FIELDS:
        excepted = _wanted(unless[1], policy.unless.given())
        missing = ", and missing data counts as a match" if unless[2] else ""
        return f"{_value(unless[1], context)}, and unless excepts {excepted}{missing}"
    return f"condition: {' '.join(policy.condition.split())}" if reason.startswith("condition") else ""


def step_hint(context: Context, reason: str, now: datetime) -> str:
    """The value for which a step is not planned, if the reason alone does not say it; else empty."""
    identity = context.identity
    if identity.reason in reason:
        against = [f"{name}: {told}" for name, told in identity.checks.items() if told != HELD]
        return f"identity is {identity.level}: {'; '.join(against) or identity.reason}"
    if reason.startswith("namespace_"):
        return _value("namespace", context)
    if reason in {"finding_too_old", "finding_from_the_future"}:
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
