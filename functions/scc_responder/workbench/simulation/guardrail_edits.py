"""What an edit of `guardrails.yaml` changes, field by field, and which edits allow more. Pure.

Whether a recorded finding meets it does not matter. Where it cannot be told whether an edit widens, it is said to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time
from functools import partial
from itertools import chain
from typing import Literal, TypeVar

from msgspec.structs import replace

from scc_responder.domain.value import StrictValue
from scc_responder.policy.guardrails import Ceiling, Exemption, Guardrails, QuietHours
from scc_responder.policy.hours import is_within
from scc_responder.workbench.policy_files.hours_mistakes import WEEK
from scc_responder.workbench.policy_files.value_bounds import measured
from scc_responder.workbench.simulation.edits.edit import (
    Edit,
    field_edit,
    limit_edits,
    mode_edit,
    shown_value,
)

Entries = TypeVar("Entries", Ceiling, QuietHours, Exemption)
Looser = Literal["shorter", "longer", "lower", "higher"]
"""The direction in which a number or a time allows more."""

_STORM: dict[str, Looser] = {"targets": "higher", "denials": "higher", "within": "shorter"}
_AGES: dict[str, Looser] = {"irreversible": "longer", "reversible": "longer"}


def edits(former: Guardrails, now: Guardrails, today: date) -> tuple[Edit, ...]:
    """Every difference, in the order of the file. What has expired by `today` holds nothing: it can go."""
    return tuple(
        chain(
            _lists("protected", former.protected, now.protected, gone=True),
            mode_edit("max_mode", former.max_mode, now.max_mode),
            _named("ceilings", former.ceilings, now.ceilings, _ceiling),
            _named("quiet_hours", former.quiet_hours, now.quiet_hours, _quiet),
            _named("exemptions", former.exemptions, now.exemptions, partial(_exemption, today)),
            _approval(former, now),
            _limits("limits", former.limits, now.limits),
            _limits("isolation.limits", former.isolation.limits, now.isolation.limits),
            _measures("isolation.storm_breaker", former.isolation.storm_breaker, now.isolation.storm_breaker, _STORM),
            _environments(former, now),
            _measures("", former, now, {"cluster_share": "higher"}),
            _entries("keep_serving", former.keep_serving, now.keep_serving, gone=True),
            _measures("storm_breaker", former.storm_breaker, now.storm_breaker, _STORM),
            _warm_up(former.warm_up, now.warm_up),
            _lists("allowed_keys", former.allowed_keys, now.allowed_keys, gone=False),
            _measures("max_finding_age", former.max_finding_age, now.max_finding_age, _AGES),
            field_edit("accepted", former.accepted, now.accepted, widens=False),
        )
    )


def _entries(field: str, before: Iterable[str], after: Iterable[str], *, gone: bool) -> Iterator[Edit]:
    """Entries of a list without order. `gone`: it widens to take one away; else, to add one."""
    yield from (Edit(field=field, before=item, widens=gone) for item in sorted(set(before) - set(after)))
    yield from (Edit(field=field, after=item, widens=not gone) for item in sorted(set(after) - set(before)))


def _lists(field: str, before: StrictValue, after: StrictValue, *, gone: bool) -> Iterator[Edit]:
    for name in before.__struct_fields__:
        yield from _entries(f"{field}.{name}", getattr(before, name), getattr(after, name), gone=gone)


def _named(
    field: str,
    before: tuple[Entries, ...],
    after: tuple[Entries, ...],
    changed: Callable[[str, Entries, Entries | None], Iterator[Edit]],
) -> Iterator[Edit]:
    """Entries that are known by their names: taking one away widens, adding one does not."""
    now = {item.name: item for item in after}
    for item in before:
        yield from changed(f"{field}.{item.name}", item, now.pop(item.name, None))
    yield from (Edit(field=f"{field}.{name}", after=shown_value(item), widens=False) for name, item in now.items())


def _ceiling(field: str, before: Ceiling, after: Ceiling | None) -> Iterator[Edit]:
    if after is None:
        yield Edit(field=field, before=shown_value(before), widens=True)
        return
    yield from mode_edit(f"{field}.max_mode", before.max_mode, after.max_mode)
    yield from _scope(f"{field}.clusters", before.clusters, after.clusters)
    yield from _scope(f"{field}.namespaces", before.namespaces, after.namespaces)
    yield from _scope(f"{field}.actions", before.actions, after.actions)


def _scope(field: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Edit]:
    """Where an entry holds: everywhere, if nothing is named."""
    if before and after:
        yield from _entries(field, before, after, gone=True)
    else:
        yield from field_edit(field, before, after, widens=bool(after))


def _quiet(field: str, before: QuietHours, after: QuietHours | None) -> Iterator[Edit]:
    if after is None:
        yield Edit(field=field, before=shown_value(before), widens=True)
        return
    times = [(name, getattr(before, name), getattr(after, name)) for name in ("days", "start", "end", "timezone")]
    widens = any(was != now for _, was, now in times) and _leaves_time(before, after)
    words = {"start": "from", "end": "to"}
    for name, was, now in times:
        yield from field_edit(f"{field}.{words.get(name, name)}", was, now, widens=widens)
    yield from _scope(f"{field}.clusters", before.clusters, after.clusters)
    yield from mode_edit(f"{field}.max_mode", before.max_mode, after.max_mode)


def _leaves_time(before: QuietHours, after: QuietHours) -> bool:
    """Whether a minute of the week is quiet no more. Of two time zones that depends on the day: it is said to be so."""
    if before.timezone != after.timezone:
        return True
    was, now = replace(before, timezone="UTC"), replace(after, timezone="UTC")
    return any(is_within(was, minute) and not is_within(now, minute) for minute in WEEK)


def _exemption(today: date, field: str, before: Exemption, after: Exemption | None) -> Iterator[Edit]:
    holds = before.ends > datetime.combine(today, time(), UTC)
    if after is None:
        yield Edit(field=field, before=shown_value(before), widens=holds)
        return
    # A condition more, or another one, may leave out a target that was held.
    yield from field_edit(f"{field}.when", before.when, after.when, widens=holds)
    for edit in _scope(f"{field}.actions", before.actions, after.actions):
        yield replace(edit, widens=edit.widens and holds)
    yield from field_edit(f"{field}.expires", before.expires, after.expires, widens=holds and after.ends < before.ends)
    for name in ("owner", "reason", "ticket"):
        yield from field_edit(f"{field}.{name}", getattr(before, name), getattr(after, name), widens=False)


def _approval(former: Guardrails, now: Guardrails) -> Iterator[Edit]:
    yield from _entries("approval.approvers", former.approval.approvers, now.approval.approvers, gone=False)
    yield from _measures("approval", former.approval, now.approval, {"needed": "lower", "expires": "longer"})


def _environments(former: Guardrails, now: Guardrails) -> Iterator[Edit]:
    """Whose limits are counted with whose: no edit is known to allow less for every cluster."""
    before, after = ({item.name: item for item in each.environments} for each in (former, now))
    for name in dict.fromkeys((*before, *after)):
        yield from field_edit(f"environments.{name}", before.get(name), after.get(name), widens=True)
    # A cluster is in the first that names it.
    kept = ([name for name in each if name in before and name in after] for each in (before, after))
    yield from field_edit("environments", *kept, widens=True)


def _limits(field: str, former: StrictValue, now: StrictValue) -> Iterator[Edit]:
    for scope in former.__struct_fields__:
        yield from limit_edits(f"{field}.{scope}", getattr(former, scope), getattr(now, scope))


def _warm_up(before: str, after: str) -> Iterator[Edit]:
    yield from field_edit("warm_up", before, after, widens=measured(after) < measured(before))


def _measures(field: str, former: StrictValue, now: StrictValue, looser: dict[str, Looser]) -> Iterator[Edit]:
    for name, direction in looser.items():
        before, after = getattr(former, name), getattr(now, name)
        more = measured(after) > measured(before)
        less = measured(after) < measured(before)
        widens = more if direction in {"higher", "longer"} else less
        yield from field_edit(f"{field}.{name}".removeprefix("."), before, after, widens=widens)
