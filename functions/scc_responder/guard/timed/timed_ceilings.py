"""Ceilings that end by themselves: on one policy, one namespace or one workload. Pure.

They stand in the kill switch's document for everywhere, so that to read them takes no request of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from scc_responder.domain.context import NO_SUCH_OWNER, Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.value import AwareDatetime, Value
from scc_responder.domain.wildcards import matches


class TimedScope(StrEnum):
    """What a timed ceiling is on."""

    POLICY = "policy"
    NAMESPACE = "namespace"
    WORKLOAD = "workload"
    ERROR_BUDGET = "error_budget"
    """One policy, whose acts people called wrong: only a person ends it."""


class TimedCeiling(Value, frozen=True, kw_only=True):
    """The furthest mode of one policy, or of all policies in one namespace or workload, before `until`.

    `name` is the policy's name, the namespace, or `NAMESPACE/KIND/NAME`. `place` is a cluster's path or `projects/P`;
    empty: everywhere. Of an environment of the guardrails it is `environments/NAME`, and `clusters` are its patterns.
    """

    scope: TimedScope
    name: str
    place: str = ""
    mode: Mode
    reason: str
    by: str
    at: AwareDatetime
    until: AwareDatetime
    clusters: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is on, and where: a later one on the same takes its place."""
        return self.scope, self.name, self.place

    @property
    def source(self) -> str:
        """What a decision says that its mode was lowered by: `control_policy`, `error_budget`."""
        return str(self.scope) if self.scope is TimedScope.ERROR_BUDGET else f"control_{self.scope}"


def is_in(ceiling: TimedCeiling, cluster: str, places: Collection[str]) -> bool:
    """Whether the ceiling is on one of these places, or on an environment that names the cluster."""
    return ceiling.place in places or any(matches(pattern, cluster) for pattern in ceiling.clusters)


def holds_for(ceiling: TimedCeiling, policy: str, context: Context) -> bool:
    """Whether the ceiling is on this policy, or on what the context is about. What could not be read is taken for it.

    The caller has chosen the ceilings of the place.
    """
    if ceiling.scope in {TimedScope.POLICY, TimedScope.ERROR_BUDGET}:
        return ceiling.name == policy
    namespace, _, workload = ceiling.name.partition("/")
    return _may_be_in(namespace, context) and (not workload or _may_belong_to(workload, context))


def _may_be_in(namespace: str, context: Context) -> bool:
    named = context.pod or context.finding.pod
    return named.namespace == namespace if named else context.finding.cluster is not None


def _may_belong_to(workload: str, context: Context) -> bool:
    """Whether it is the pod (`Pod/NAME`) or one of its owners (`Deployment/NAME`), as far as they were read."""
    pod = context.pod
    if pod is None or has_unread_owner(context):
        return True
    chain = (f"Pod/{pod.name}", *(f"{owner.kind}/{owner.name}" for owner in pod.owners))
    return workload.casefold() in {link.casefold() for link in chain}


def has_unread_owner(context: Context) -> bool:
    """Whether the pod may have an owner that was not read."""
    return "owner" in context.missing and context.missing["owner"] not in NO_SUCH_OWNER
