"""Whether what an action would change is protected by the guardrails. Pure.

A missing fact counts as protected where a pattern could fit it: `workload_unread`, `cluster_unread`,
`principal_unread`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scc_responder.domain.changes import Change
from scc_responder.domain.cloud_run.run_names import RunTarget, run_target
from scc_responder.domain.context import Context, Owner
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import region_of
from scc_responder.domain.wildcards import matches
from scc_responder.policy.guardrails import Protected

_KINDS_OF_PRINCIPAL = ("user:", "serviceAccount:", "group:")
_OWNERS_OF = {"ReplicaSet": "Deployment", "Job": "CronJob"}
_KUBERNETES_KINDS = frozenset(
    {"Pod", "ReplicationController", "StatefulSet", "DaemonSet", *_OWNERS_OF, *_OWNERS_OF.values()}
)


def protected_reason(
    context: Context, protected: Protected, changes: Iterable[Change], *, reversible: bool = False
) -> Reason | None:
    """Why these changes may not be made (`namespace_protected`), or None.

    `reversible`: all of them can be undone, so an owner that nobody can read is no reason against them.
    """
    return (
        _cluster(context, protected.clusters)
        or _location(context, protected.locations)
        or _service(context, protected.services)
        or _namespace(context, protected.namespaces)
        or workload_reason(context, protected.workloads, reversible=reversible)
        or _node(changes, protected.nodes)
        or _principal(context, protected.principals)
    )


def _cluster(context: Context, patterns: Iterable[str]) -> Reason | None:
    cluster = context.finding.cluster
    if cluster:
        return Reason.CLUSTER_PROTECTED if _fits(patterns, cluster.path) else None
    return Reason.CLUSTER_UNREAD if any(patterns) and context.finding.pods else None


def _location(context: Context, patterns: tuple[str, ...]) -> Reason | None:
    """Where the cluster, the service or the job is. A pod of an unknown cluster may be in any location."""
    place = context.finding.cluster or context.finding.cloud_run
    if place is None:
        return Reason.CLUSTER_UNREAD if patterns and context.finding.pods else None
    names = (place.location, region_of(place.location))
    return Reason.LOCATION_PROTECTED if any(_fits(patterns, name) for name in names) else None


def _service(context: Context, patterns: Iterable[str]) -> Reason | None:
    """A project's number may be that of any id."""
    target = run_target(context.finding.cloud_run)
    if not isinstance(target, RunTarget):
        return None
    numbered = target.name.project.isdigit()
    tried = (_in_any_project(pattern) if numbered else pattern for pattern in patterns)
    return Reason.SERVICE_PROTECTED if _fits(tried, target.path) else None


def _in_any_project(pattern: str) -> str:
    return "/".join(["projects", "*", *pattern.split("/")[2:]])


def _namespace(context: Context, patterns: Iterable[str]) -> Reason | None:
    """A target without a namespace, or with several, fits `*` alone."""
    named = context.pod or context.finding.pod
    return Reason.NAMESPACE_PROTECTED if _fits(patterns, named.namespace if named else "") else None


def workload_reason(context: Context, patterns: tuple[str, ...], *, reversible: bool = False) -> Reason | None:
    """Whether the pod or an owner is named. An owner that was not checked may be any workload in the namespace."""
    pod, named = context.pod, context.pod or context.finding.pod
    if named is None:
        return None
    links = [("Pod", named.name), *((owner.kind, owner.name) for owner in (pod.owners if pod else ()))]
    if pod is None or "owner" in context.missing:
        near = [pattern for pattern in patterns if matches(pattern.split("/")[0], named.namespace)]
        if pod and reversible and context.owner_unreadable:
            near = [item for item in near if _names(item, named.namespace, links) or _may_own(item, pod.owners[-1])]
        return Reason.WORKLOAD_UNREAD if near else None
    return Reason.WORKLOAD_PROTECTED if any(_names(item, named.namespace, links) for item in patterns) else None


def _names(pattern: str, namespace: str, links: Iterable[tuple[str, str]]) -> bool:
    return any(matches(pattern, f"{namespace}/{kind}/{name}") for kind, name in links)


def _may_own(pattern: str, owner: Owner) -> bool:
    """Whether a workload of the pattern may own this owner, which could not be read.

    Of the kinds of Kubernetes itself only Deployments and CronJobs own others, whose names begin with their own.
    """
    _, kind, name = pattern.split("/")
    if kind in _KUBERNETES_KINDS:
        return _OWNERS_OF.get(owner.kind) == kind and matches(f"{name}-*", owner.name)
    return True


def _node(changes: Iterable[Change], patterns: Iterable[str]) -> Reason | None:
    """A node is protected only from changes to itself, not from changes to its pods."""
    targets = (change.target for change in changes)
    nodes = [target.name for target in targets if target and target.kind == "Node"]
    return Reason.NODE_PROTECTED if any(_fits(patterns, name) for name in nodes) else None


def _principal(context: Context, patterns: tuple[str, ...]) -> Reason | None:
    """The principals of an audit-log finding: such a finding always has one."""
    folded = [pattern.casefold() for pattern in patterns]
    known = list(_principals(context))
    if any(_fits(folded, name) for name in known):
        return Reason.PRINCIPAL_PROTECTED
    audited = context.finding.method_name or context.finding.service_name
    return Reason.PRINCIPAL_UNREAD if patterns and audited and not known else None


def _principals(context: Context) -> Iterator[str]:
    for name in (context.finding.principal, context.finding.principal_subject):
        kind = next((kind for kind in _KINDS_OF_PRINCIPAL if name.startswith(kind)), "")
        if name:
            yield name.removeprefix(kind).casefold()


def _fits(patterns: Iterable[str], text: str) -> bool:
    return any(matches(pattern, text) for pattern in patterns)
