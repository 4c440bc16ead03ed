"""Whether what an action would change is protected by the guardrails. Pure.

A missing fact counts as protected where a pattern could fit it: `workload_unread`, `cluster_unread`,
`principal_unread`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scc_responder.domain.changes import Change
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason
from scc_responder.domain.wildcards import matches
from scc_responder.policy.guardrails import Protected

_KINDS_OF_PRINCIPAL = ("user:", "serviceAccount:", "group:")


def protected_reason(context: Context, protected: Protected, changes: Iterable[Change]) -> Reason | None:
    """Why these changes may not be made (`namespace_protected`), or None."""
    return (
        _cluster(context, protected.clusters)
        or _namespace(context, protected.namespaces)
        or _workload(context, protected.workloads)
        or _node(changes, protected.nodes)
        or _principal(context, protected.principals)
    )


def _cluster(context: Context, patterns: Iterable[str]) -> Reason | None:
    cluster = context.finding.cluster
    if cluster:
        return Reason.CLUSTER_PROTECTED if _fits(patterns, cluster.path) else None
    return Reason.CLUSTER_UNREAD if any(patterns) and context.finding.pods else None


def _namespace(context: Context, patterns: Iterable[str]) -> Reason | None:
    """A target without a namespace, or with several, fits `*` alone."""
    named = context.pod or context.finding.pod
    return Reason.NAMESPACE_PROTECTED if _fits(patterns, named.namespace if named else "") else None


def _workload(context: Context, patterns: tuple[str, ...]) -> Reason | None:
    """Whether the pod or an owner is protected. An owner that was not checked may be any workload in the namespace."""
    named = context.pod or context.finding.pod
    if named is None:
        return None
    if context.pod is None or "owner" in context.missing:
        spaces = (pattern.split("/")[0] for pattern in patterns)
        return Reason.WORKLOAD_UNREAD if _fits(spaces, named.namespace) else None
    links = [("Pod", named.name), *((owner.kind, owner.name) for owner in context.pod.owners)]
    held = any(_fits(patterns, f"{named.namespace}/{kind}/{name}") for kind, name in links)
    return Reason.WORKLOAD_PROTECTED if held else None


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
