"""How far a policy goes at one moment: as far as its own mode, its hours and the place allow. Pure."""

from __future__ import annotations

from datetime import datetime

from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode, capped, furthest
from scc_responder.domain.reasons import Reason
from scc_responder.policy.hours import is_within
from scc_responder.policy.policy_set import Policy

OUT_OF_HOURS = "out_of_hours"
"""What lowers a mode at a time that the policy itself names; no ceiling has this name."""


def effective_mode(policy: Policy, context: Context) -> tuple[Mode, str]:
    """The policy's mode, and the reason for it where its own hours lowered it, or labels of the namespace may raise it.

    What is not known raises nothing.
    """
    if not policy.modes:
        mode, why = policy.mode, ""
    else:
        cluster = context.finding.cluster.path if context.finding.cluster else ""
        mode = policy.mode_in(cluster, context.namespace.labels if context.namespace else None)
        raised = furthest((mode, *(one.mode for one in policy.raising(cluster))))
        why = Reason.MODE_NOT_RAISED if context.namespace is None and raised != mode else ""
    lowered = capped(mode, policy.out_of_hours) if is_out_of_hours(policy, context.now) else mode
    return lowered, Reason.MODE_LOWERED_BY.of(OUT_OF_HOURS) if lowered != mode else why


def is_out_of_hours(policy: Policy, now: datetime | None) -> bool:
    """Whether it is one of the policy's quiet hours, or none of its office hours. At no known time it is."""
    if now is None:
        return bool(policy.quiet_hours or policy.office_hours)
    is_quiet = any(is_within(hours, now) for hours in policy.quiet_hours)
    return is_quiet or bool(policy.office_hours and not any(is_within(hours, now) for hours in policy.office_hours))
