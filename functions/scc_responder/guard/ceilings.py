"""The furthest mode that any policy may have for a target at a time: the lowest ceiling wins. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.value import Value
from scc_responder.domain.wildcards import matches
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.hours import is_within

EVERYWHERE = "max_mode"
"""The name of the ceiling of all environments in a decision."""


class Lowest(Value, frozen=True, kw_only=True):
    """The lowest ceiling, and what it is called."""

    name: str
    max_mode: Mode


def lowest(context: Context, guardrails: Guardrails, now: datetime, planned: frozenset[str] = frozenset()) -> Lowest:
    """The ceiling that holds for this target at this moment; of several as low, the first one in the file.

    `planned` are the actions that a policy is about to take: some ceilings hold for these alone.
    """
    found = Lowest(name=EVERYWHERE, max_mode=guardrails.max_mode)
    for name, mode in _holding(context, guardrails, now, planned):
        if capped(found.max_mode, mode) != found.max_mode:
            found = Lowest(name=name, max_mode=mode)
    return found


def _holding(
    context: Context, guardrails: Guardrails, now: datetime, planned: frozenset[str]
) -> Iterator[tuple[str, Mode]]:
    for ceiling in guardrails.ceilings:
        if ceiling.actions and planned.isdisjoint(ceiling.actions):
            continue
        if _may_be_in(_cluster(context), ceiling.clusters) and _may_be_in(_namespace(context), ceiling.namespaces):
            yield ceiling.name, ceiling.max_mode
    for quiet in guardrails.quiet_hours:
        if _may_be_in(_cluster(context), quiet.clusters) and is_within(quiet, now):
            yield quiet.name, quiet.max_mode


def _may_be_in(name: str | None, patterns: tuple[str, ...]) -> bool:
    """Whether the name fits a pattern. An unknown (empty) name fits any; None fits none."""
    if not patterns or name == "":
        return True
    return name is not None and any(matches(pattern, name) for pattern in patterns)


def _cluster(context: Context) -> str | None:
    finding = context.finding
    if finding.cluster:
        return finding.cluster.path
    return None if finding.cloud_run else ""


def _namespace(context: Context) -> str | None:
    named = context.pod or context.finding.pod
    if named:
        return named.namespace
    return None if context.finding.cloud_run and not context.finding.cluster else ""
