"""What joins a case with others to one incident: its pod, its workload, the service account that acted. Pure.

An image or a node joins nothing: an image runs in many places, and a node has many tenants.
"""

from __future__ import annotations

from collections.abc import Iterator

from scc_responder.domain.context import Context
from scc_responder.domain.text import LatePattern

_GOOGLE_ACCOUNT = LatePattern(
    r"(?!service-)[a-z0-9-]{1,63}@(?!gcp-sa-)[a-z0-9.:-]{1,100}\.gserviceaccount\.com"
    r"|principal://iam\.googleapis\.com/[A-Za-z0-9/._-]{1,200}/subject/ns/(?!kube-system/)[a-z0-9-]{1,63}/sa/[a-z0-9.-]{1,253}"
)
_CLUSTER_ACCOUNT = LatePattern(r"system:serviceaccount:(?!kube-system:)[a-z0-9-]{1,63}:[a-z0-9.-]{1,253}")
"""Accounts of the platform are left out everywhere: Google's agents and those of `kube-system` act for everybody."""


def incident_keys(context: Context) -> tuple[str, ...]:
    """One text for each thing that the finding is about, by what tells it from everything else.

    A UID, and an account of a cluster, count within their cluster or project.
    """
    return tuple(_keys(context))


def workload_uid(context: Context) -> str:
    """The UID of the pod's topmost owner, or of a pod without one; empty where there is no pod, or a link is unread."""
    if context.pod is None or "owner" in context.missing:
        return ""
    return context.pod.workload.uid if context.pod.workload else context.pod.uid


def _keys(context: Context) -> Iterator[str]:
    pod, run, place = context.pod, context.run_owner, context.finding.place
    # A static pod has its node for an owner: all of the node would be one workload.
    is_static = pod is not None and pod.workload is not None and pod.workload.kind == "Node"
    uids = {"workload": "" if is_static else workload_uid(context), "pod": pod and pod.uid, "run": run and run.uid}
    yield from (f"{kind} {place} {uid}" for kind, uid in uids.items() if uid)
    principal = context.finding.principal or context.finding.principal_subject
    if _GOOGLE_ACCOUNT.fullmatch(principal):
        yield f"identity {principal}"
    elif _CLUSTER_ACCOUNT.fullmatch(principal):
        # The same name in another cluster is another account.
        yield f"identity {place} {principal}"
