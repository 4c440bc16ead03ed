"""Whether what an action would change is protected by the guardrails. Pure.

A missing fact counts as protected where a pattern could fit it: `workload_unread`, `cluster_unread`,
`principal_unread`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scc_responder.domain.changes import Change
from scc_responder.domain.context import Context
from scc_responder.domain.wildcards import matches
from scc_responder.policy.guardrails import Protected

_KINDS_OF_PRINCIPAL = ("user:", "serviceAccount:", "group:")


def protected_reason(context: Context, protected: Protected, changes: Iterable[Change]) -> str:
    """Why these changes may not be made (`namespace_protected`), or an empty string."""
    return (
        _cluster(context, protected.clusters)
        or _namespace(context, protected.namespaces)
        or _workload(context, protected.workloads)
        or _node(changes, protected.nodes)
        or _principal(context, protected.principals)
    )


def _cluster(context: Context, patterns: Iterable[str]) -> str:
    cluster = context.finding.cluster
    if cluster:
        return "cluster_protected" if _fits(patterns, cluster.path) else ""
    return "cluster_unread" if any(patterns) and context.finding.pods else ""


def _namespace(context: Context, patterns: Iterable[str]) -> str:
    """A target without a namespace, or with several, fits `*` alone."""
    named = context.pod or context.finding.pod
    return "namespace_protected" if _fits(patterns, named.namespace if named else "") else ""


def _workload(context: Context, patterns: tuple[str, ...]) -> str:
    """Whether the pod or an owner is protected. An owner that was not checked may be any workload in the namespace."""
    named = context.pod or context.finding.pod
    if named is None:
        return ""
    if context.pod is None or "owner" in context.missing:
        spaces = (pattern.split("/")[0] for pattern in patterns)
        return "workload_unread" if _fits(spaces, named.namespace) else ""
    links = [("Pod", named.name), *((owner.kind, owner.name) for owner in context.pod.owners)]
    held = any(_fits(patterns, f"{named.namespace}/{kind}/{name}") for kind, name in links)
    return "workload_protected" if held else ""


def _node(changes: Iterable[Change], patterns: Iterable[str]) -> str:
    """A node is protected only from changes to itself, not from changes to its pods."""
    targets = (change.target for change in changes)
    nodes = [target.name for target in targets if target and target.kind == "Node"]
    return "node_protected" if any(_fits(patterns, name) for name in nodes) else ""


def _principal(context: Context, patterns: tuple[str, ...]) -> str:
    """The principals of an audit-log finding: such a finding always has one."""
    folded = [pattern.casefold() for pattern in patterns]
    known = list(_principals(context))
    if any(_fits(folded, name) for name in known):
        return "principal_protected"
    audited = context.finding.method_name or context.finding.service_name
    return "principal_unread" if patterns and audited and not known else ""


def _principals(context: Context) -> Iterator[str]:
    for name in (context.finding.principal, context.finding.principal_subject):
        kind = next((kind for kind in _KINDS_OF_PRINCIPAL if name.startswith(kind)), "")
        if name:
            yield name.removeprefix(kind).casefold()


def _fits(patterns: Iterable[str], text: str) -> bool:
    return any(matches(pattern, text) for pattern in patterns)
