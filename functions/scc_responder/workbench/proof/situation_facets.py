"""What guardrails can see of a situation, entry by entry: situations that agree in all of it are held alike. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import datetime, timedelta

from scc_responder.domain.context import Context
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.wildcards import matches
from scc_responder.guard.google_agents import google_agent
from scc_responder.guard.protected import protected_reason, workload_reason
from scc_responder.intake.threats import UNKNOWN
from scc_responder.policy.effective_mode import is_out_of_hours
from scc_responder.policy.guardrails import Guardrails, Protected
from scc_responder.policy.hours import Hours, is_within
from scc_responder.policy.match import Match
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.proof.possible_targets import SYSTEM_NAMESPACES, cluster_lists

Facet = Callable[[Context], Hashable]
_LISTS = ("namespaces", "workloads", "clusters", "services", "locations", "principals")


def facets(rails: Iterable[Guardrails]) -> tuple[Facet, ...]:
    """Everything that is asked of a context."""
    return (_plain, *(facet for one in rails for facet in _of_rails(one)))


def _plain(context: Context) -> Hashable:
    return context.threat.name == UNKNOWN, google_agent(context), in_system(context)


def in_system(context: Context) -> bool:
    """Whether the pod is in a namespace of Kubernetes itself or of Google's agents."""
    named = context.pod or context.finding.pod
    return named is not None and named.namespace in SYSTEM_NAMESPACES


def _of_rails(rails: Guardrails) -> Iterator[Facet]:
    for field in _LISTS:
        entries = getattr(rails.protected, field)
        if entries:
            yield _protected(Protected(**{field: entries}))
    if rails.protected.nodes:
        yield lambda context: _fits(rails.protected.nodes, context.node.name if context.node else "")
    if rails.keep_serving:
        yield lambda context: workload_reason(context, rails.keep_serving)
    yield from map(_in_clusters, cluster_lists(rails))
    for ceiling in rails.ceilings:
        if ceiling.namespaces:
            yield _in_namespaces(ceiling.namespaces)
    for exemption in rails.exemptions:
        yield _answers(exemption.when)


def _answers(when: Match) -> Facet:
    return lambda context: tuple(answer for _, answer in when.answers(context))


def _protected(of_one: Protected) -> Facet:
    return lambda context: protected_reason(context, of_one, ())


def _in_clusters(patterns: tuple[str, ...]) -> Facet:
    return lambda context: _fits(patterns, context.finding.cluster.path if context.finding.cluster else "")


def _in_namespaces(patterns: tuple[str, ...]) -> Facet:
    return lambda context: _fits(patterns, context.pod.namespace if context.pod else "")


def _fits(patterns: Iterable[str], name: str) -> bool:
    return any(matches(pattern, name) for pattern in patterns)


ArrivalMoment = tuple[datetime, timedelta]
"""When a finding arrives, and how old it is then."""


def moments(rails: Iterable[Guardrails], policies: Iterable[Policy], now: datetime) -> tuple[ArrivalMoment, ...]:
    """The moments that guardrails and hours of policies tell apart, from `now` on, and the ages of findings."""
    known = list(rails)
    times, ages = {now}, {timedelta(0)}
    timed = [policy for policy in policies if policy.quiet_hours or policy.office_hours]
    hours: list[Hours] = [hours for policy in timed for hours in (*policy.quiet_hours, *policy.office_hours)]
    hours += [quiet for one in known for quiet in one.quiet_hours]
    for bound in {str(bound) for item in hours for bound in (item.start, item.end)}:
        times |= set(_week(now, int(bound[-2:]) % 15))
    for exemption in (exemption for one in known for exemption in one.exemptions):
        times |= {exemption.ends - timedelta(hours=1), exemption.ends}
    if len({one.max_finding_age for one in known}) > 1:
        limits = [getattr(one.max_finding_age, name) for one in known for name in ("irreversible", "reversible")]
        ages |= {parse_duration(limit) for limit in limits} | {
            parse_duration(limit) + timedelta(seconds=1) for limit in limits
        }
    found: dict[Hashable, ArrivalMoment] = {}
    for time in sorted(times, key=lambda time: (time != now, time)):
        for age in sorted(ages):
            found.setdefault(_told_apart(known, timed, time, age), (time, age))
    return tuple(found.values())


def _week(now: datetime, minute: int) -> Iterator[datetime]:
    """A week in quarters of an hour, as time zones differ by: each at this minute of the quarter."""
    day = now.replace(hour=0, minute=minute, second=0, microsecond=0)
    return (day + timedelta(minutes=15 * quarter) for quarter in range(7 * 96))


def _told_apart(rails: Iterable[Guardrails], timed: Iterable[Policy], now: datetime, age: timedelta) -> Hashable:
    out = tuple(is_out_of_hours(policy, now) for policy in timed)
    return out, tuple(
        (
            tuple(is_within(quiet, now) for quiet in one.quiet_hours),
            tuple(now < exemption.ends for exemption in one.exemptions),
            tuple(age > one.max_finding_age.limit(reversible=reversible) for reversible in (False, True)),
        )
        for one in rails
    )
