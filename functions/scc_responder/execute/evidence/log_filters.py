"""The questions to Cloud Logging about a finding, in its query language, with every value filled in. Pure.

Names come from findings and pods, so anyone may have chosen them: a value that has not the form of a name enters no
filter, and its question is left out. In this language `OR` binds more closely than `AND`.
Source: Cloud Logging, "Logging query language"; Google's runbooks for container threats, "Check logs".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from scc_responder.domain.context import Context
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.kubernetes.ephemeral_containers import CONTAINER_PREFIX
from scc_responder.domain.resource_names import is_namespace, is_object_name
from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import Value
from scc_responder.execute.evidence.run_log_filters import run_identities, run_questions, run_resources

MOST_CHARACTERS = 20_000
"""Of a filter. Source: `ListLogEntriesRequest.filter`."""

LINES_BEFORE = timedelta(hours=1)
CHANGES_BEFORE = timedelta(hours=24)
"""How long before the event of the finding entries are asked for: what was written, and who changed what."""

_PROJECT_ID = LatePattern(r"[a-z][a-z0-9-]{4,61}[a-z0-9]|[a-z0-9.-]{1,60}:[a-z][a-z0-9-]{4,61}[a-z0-9]")
_PROJECT_NUMBER = LatePattern(r"[0-9]{1,20}")
_PLACE = LatePattern(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_INSTANCE = LatePattern(r"[0-9]{1,20}")
_PLURALS = {
    "ReplicationController": "replicationcontrollers",
    "ReplicaSet": "replicasets",
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "Job": "jobs",
    "CronJob": "cronjobs",
}
_ENTERED = ("exec", "attach", "portforward")


class LogQuery(Value, frozen=True, kw_only=True):
    """One request to Cloud Logging: what it is about, and its filter."""

    name: str
    filter: str


def log_project(context: Context) -> str:
    """The project whose logs are asked, by its id where the finding says it; empty where none is known."""
    finding = context.finding
    named = [finding.project_display_name, *(place.project for place in (finding.cluster, finding.cloud_run) if place)]
    ids = [name for name in named if _PROJECT_ID.fullmatch(name)]
    numbers = [name for name in named if _PROJECT_NUMBER.fullmatch(name)]
    return next(iter([*ids, *numbers]), "")


def log_queries(context: Context) -> tuple[LogQuery, ...]:
    """Two requests at most: who changed and entered the workload and what its identity did, and what was written."""
    asked = log_questions(context)
    queries = [LogQuery(name=name, filter=_any_of(parts.values())) for name, parts in asked.items() if parts]
    return tuple(query for query in queries if len(query.filter) <= MOST_CHARACTERS)


def log_questions(context: Context) -> dict[str, dict[str, str]]:
    """The questions of each request, by what each asks for in words."""
    cluster, place = context.finding.cluster, context.finding.cluster or context.finding.cloud_run
    if place is None or not (_PLACE.fullmatch(place.location) and _PLACE.fullmatch(place.name)):
        return {}
    if cluster is None:
        return run_questions(context, _since(context, CHANGES_BEFORE), _since(context, LINES_BEFORE))
    return {
        "who": dict([*_changes(context, cluster), *_identity(context)]),
        "written": dict(_written(context, cluster)),
    }


def identities(context: Context) -> tuple[str, ...]:
    """The principals by which the service account of the pod, or of Cloud Run's service, is known in audit logs."""
    if context.finding.cloud_run and not context.finding.cluster:
        return run_identities(context)
    pod = context.pod
    account = (pod.service_account or "default") if pod else ""
    if pod is None or not (is_namespace(pod.namespace) and is_object_name(account)):
        return ()
    return (f"system:serviceaccount:{pod.namespace}:{account}", f"/subject/ns/{pod.namespace}/sa/{account}")


def resources(context: Context) -> tuple[str, ...]:
    """The names in audit logs of the pod and its owners: `namespaces/shop/deployments/web`."""
    if context.finding.cloud_run and not context.finding.cluster:
        return run_resources(context)
    pod = context.pod
    if pod is None or not (is_namespace(pod.namespace) and is_object_name(pod.name)):
        return ()
    owners = [(_PLURALS.get(owner.kind, ""), owner.name) for owner in pod.owners]
    named = [("pods", pod.name), *(item for item in owners if item[0] and is_object_name(item[1]))]
    return tuple(f"namespaces/{pod.namespace}/{plural}/{name}" for plural, name in named)


def _changes(context: Context, cluster: ClusterRef) -> Iterator[tuple[str, str]]:
    names = resources(context)
    if not names:
        return
    in_cluster = f'resource.type="k8s_cluster" AND {_in(cluster)}'
    changed = " OR ".join(f'protoPayload.resourceName:"{name}"' for name in names)
    since = _since(context, CHANGES_BEFORE)
    yield "who changed it", f'log_id("cloudaudit.googleapis.com/activity") AND {in_cluster} AND ({changed}) AND {since}'
    entered = " OR ".join(f'protoPayload.resourceName:"{names[0]}/{way}"' for way in _ENTERED)
    yield "who entered the pod", f"{in_cluster} AND ({entered}) AND {since}"


def _identity(context: Context) -> Iterator[tuple[str, str]]:
    names = identities(context)
    if names:
        account, subject = names
        field = "protoPayload.authenticationInfo"
        either = f'({field}.principalEmail="{account}" OR {field}.principalSubject:"{subject}")'
        yield "what its identity did", f"{either} AND {_since(context, LINES_BEFORE)}"


def _written(context: Context, cluster: ClusterRef) -> Iterator[tuple[str, str]]:
    pod, node, since = context.pod, context.node, _since(context, LINES_BEFORE)
    if pod and is_namespace(pod.namespace) and is_object_name(pod.name):
        named = f'resource.labels.namespace_name="{pod.namespace}" AND resource.labels.pod_name="{pod.name}"'
        theirs = f'NOT resource.labels.container_name=~"^{CONTAINER_PREFIX}"'
        yield (
            "what its containers wrote",
            f'resource.type="k8s_container" AND {_in(cluster)} AND {named} AND {theirs} AND {since}',
        )
    if node and _INSTANCE.fullmatch(node.instance_id):
        machine = f'resource.type="gce_instance" AND resource.labels.instance_id="{node.instance_id}"'
        yield "the machine", f"{machine} AND {since}"
    if node and is_object_name(node.name):
        of_node = f'resource.type="k8s_node" AND {_in(cluster)} AND resource.labels.node_name="{node.name}"'
        yield "the node", f"{of_node} AND {since}"


def _in(cluster: ClusterRef) -> str:
    return f'resource.labels.location="{cluster.location}" AND resource.labels.cluster_name="{cluster.name}"'


def _since(context: Context, before: timedelta) -> str:
    moment: datetime = context.finding.event_time - before
    return f'timestamp>="{moment:%Y-%m-%dT%H:%M:%SZ}"'


def _any_of(parts: Iterable[str]) -> str:
    return " OR ".join(f"({part})" for part in parts)
