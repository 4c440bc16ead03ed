"""Exemptions that end by themselves: one threat on one workload, which a person called a false alarm. Pure.

What would change the target is held as `exempt:CASE`. Evidence is kept, and people are told, as without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import AwareDatetime, Value
from scc_responder.guard.timed.timed_ceilings import has_unread_owner

LONGEST_EXEMPTION = timedelta(hours=72)
"""The longest time of an exemption. What is to stay longer belongs into the guardrails, where it is reviewed."""


class TimedExemption(Value, frozen=True, kw_only=True):
    """One threat on one workload, before `until`.

    `uid` is the UID of the pod's topmost owner, of a pod that has none, or of the service or job of Cloud Run. `name`
    is `NAMESPACE/KIND/NAME`, or a resource name, for people. `case` is the id of the case that it was made by, `place`
    as in `TimedCeiling`.
    """

    threat: str
    uid: str
    case: str
    name: str = ""
    place: str = ""
    reason: str
    by: str
    at: AwareDatetime
    until: AwareDatetime

    @property
    def key(self) -> tuple[str, str]:
        """What it is on: a later one on the same takes its place."""
        return self.threat, self.uid


def exemption_reason(exemptions: Iterable[TimedExemption], context: Context) -> Reason | None:
    """`exempt:CASE`, by the first exemption of this threat on this workload; None where there is none."""
    cases = (item.case for item in exemptions if item.threat == context.threat.name and _may_be_about(item, context))
    case = next(cases, None)
    return Reason.EXEMPT.of(case) if case else None


def _may_be_about(exemption: TimedExemption, context: Context) -> bool:
    """Whether it is about this workload. One of the same namespace that could not be read is taken for it."""
    pod = context.pod
    if pod is None:
        return context.run_owner is not None and context.run_owner.uid == exemption.uid
    is_near = exemption.name.startswith(f"{pod.namespace}/")
    return exemption.uid in {pod.uid, *(owner.uid for owner in pod.owners)} or (is_near and has_unread_owner(context))
