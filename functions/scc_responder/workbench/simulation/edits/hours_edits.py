"""What an edit of a policy's hours changes, and whether it goes further at some minute of the week. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from scc_responder.domain.mode import capped
from scc_responder.policy.effective_mode import is_out_of_hours
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policy_files.hours_mistakes import WEEK
from scc_responder.workbench.simulation.edits.edit import Edit, field_edit


def hours_edits(before: Policy, after: Policy) -> Iterator[Edit]:
    """The hours that differ: it widens where a minute is out of hours no more, or more may be done out of them."""
    widens = _leaves_time(before, after)
    for name in ("quiet_hours", "office_hours"):
        yield from field_edit(name, getattr(before, name), getattr(after, name), widens=widens)
    has_hours = bool(after.quiet_hours or after.office_hours)
    further = capped(after.out_of_hours, before.out_of_hours) != after.out_of_hours
    yield from field_edit("out_of_hours", before.out_of_hours, after.out_of_hours, widens=has_hours and further)


def _leaves_time(before: Policy, after: Policy) -> bool:
    """Whether a minute of the week is out of hours no more. Of several time zones that depends on the day: it is so."""
    zones = {hours.timezone for policy in (before, after) for hours in (*policy.quiet_hours, *policy.office_hours)}
    was, now = map(_in_utc, (before, after))
    if len(zones) > 1:
        return bool(before.quiet_hours or before.office_hours) and _hours(before) != _hours(after)
    return any(is_out_of_hours(was, minute) and not is_out_of_hours(now, minute) for minute in WEEK)


def _hours(policy: Policy) -> object:
    return policy.quiet_hours, policy.office_hours


def _in_utc(policy: Policy) -> Policy:
    quiet, office = (
        tuple(replace(hours, timezone="UTC") for hours in every) for every in (policy.quiet_hours, policy.office_hours)
    )
    return replace(policy, quiet_hours=quiet, office_hours=office)
