"""Kubernetes API paths, built only from names that Kubernetes itself would accept.

Names come from findings, so anyone who can name a process or send a message may have chosen them. A name that is no
RFC 1123 name is refused with `invalid_name`: `..`, `/`, `?`, `#` and `%` can never become part of a URL.
"""

from __future__ import annotations

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import is_namespace
from scc_responder.domain.text import LatePattern

_NAME = LatePattern(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_UID = LatePattern(r"[0-9A-Za-z](?:[-0-9A-Za-z]{0,126}[0-9A-Za-z])?")
_NAME_LENGTH = 253
_LABEL_VALUE = LatePattern(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
NODE_POOL = "cloud.google.com/gke-nodepool"

_OWNERS = {
    ("v1", "ReplicationController"): "/api/v1{}/replicationcontrollers/{}",
    ("apps/v1", "ReplicaSet"): "/apis/apps/v1{}/replicasets/{}",
    ("apps/v1", "Deployment"): "/apis/apps/v1{}/deployments/{}",
    ("apps/v1", "StatefulSet"): "/apis/apps/v1{}/statefulsets/{}",
    ("apps/v1", "DaemonSet"): "/apis/apps/v1{}/daemonsets/{}",
    ("batch/v1", "Job"): "/apis/batch/v1{}/jobs/{}",
    ("batch/v1", "CronJob"): "/apis/batch/v1{}/cronjobs/{}",
}
_PATH = LatePattern(r"/(?:api|apis/(?P<group>[^/]+))/[^/]+(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<rest>.+)")
_ITEM_VERBS = {"GET": "get", "PATCH": "patch", "DELETE": "delete", "PUT": "update", "POST": "create"}
_COLLECTION_VERBS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}


def groups() -> str:
    """The list of the API groups that the server has, without their kinds."""
    return "/apis"


def collection(group: str, version: str, plural: str, namespace: str = "") -> str:
    """All objects of a kind that Kubernetes itself does not have; of one namespace where it is given.

    >>> collection("cilium.io", "v2", "ciliumnetworkpolicies", "shop")
    '/apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies'
    """
    return f"/apis/{_name(group)}/{_name(version)}{_scope(namespace) if namespace else ''}/{_name(plural)}"


def pods(namespace: str) -> str:
    """The pods of a namespace. Raises ApiError `invalid_name`, as does everything here."""
    return f"/api/v1{_scope(namespace)}/pods"


def pod(namespace: str, name: str) -> str:
    """One pod.

    >>> pod("shop", "web-1")
    '/api/v1/namespaces/shop/pods/web-1'
    """
    return f"{pods(namespace)}/{_name(name)}"


def pod_eviction(namespace: str, name: str) -> str:
    """Where a pod's Eviction is created.

    >>> pod_eviction("shop", "web-1")
    '/api/v1/namespaces/shop/pods/web-1/eviction'
    """
    return f"{pod(namespace, name)}/eviction"


def pod_log(namespace: str, name: str) -> str:
    """Where the logs of a pod's containers are read.

    >>> pod_log("shop", "web-1")
    '/api/v1/namespaces/shop/pods/web-1/log'
    """
    return f"{pod(namespace, name)}/log"


def ephemeral_containers(namespace: str, name: str) -> str:
    """Where ephemeral containers are put into a pod.

    >>> ephemeral_containers("shop", "web-1")
    '/api/v1/namespaces/shop/pods/web-1/ephemeralcontainers'
    """
    return f"{pod(namespace, name)}/ephemeralcontainers"


def volume_claim(namespace: str, name: str) -> str:
    """One PersistentVolumeClaim."""
    return f"/api/v1{_scope(namespace)}/persistentvolumeclaims/{_name(name)}"


def service_account(namespace: str, name: str) -> str:
    """One service account.

    >>> service_account("shop", "web")
    '/api/v1/namespaces/shop/serviceaccounts/web'
    """
    return f"/api/v1{_scope(namespace)}/serviceaccounts/{_name(name)}"


def node(name: str) -> str:
    """One node."""
    return f"/api/v1/nodes/{_name(name)}"


def nodes() -> str:
    """All nodes; see `nodes_of_pool` for which."""
    return "/api/v1/nodes"


def nodes_of_pool(pool: str) -> str:
    """The label selector for the nodes of a pool; without a name, for those that no pool's label is on.

    >>> nodes_of_pool("pool-1")
    'cloud.google.com/gke-nodepool=pool-1'
    """
    if pool and not _LABEL_VALUE.fullmatch(pool):
        raise ApiError(Reason.INVALID_NAME, "not the value of a Kubernetes label")
    return f"{NODE_POOL}={pool}" if pool else f"!{NODE_POOL}"


def disruption_budgets(namespace: str) -> str:
    """The PodDisruptionBudgets of a namespace."""
    return f"/apis/policy/v1{_scope(namespace)}/poddisruptionbudgets"


def namespace(name: str) -> str:
    """One namespace."""
    return f"/api/v1{_scope(name)}"


def events(namespace: str) -> str:
    """The core/v1 events of a namespace; see `events_about` for which."""
    return f"/api/v1{_scope(namespace)}/events"


def events_about(uid: str) -> str:
    """The field selector for the events of one object.

    >>> events_about("7c9e6679-7425-40de-944b-e07fc1f90ae7")
    'involvedObject.uid=7c9e6679-7425-40de-944b-e07fc1f90ae7'
    """
    if not _UID.fullmatch(uid):
        raise ApiError(Reason.INVALID_NAME, "not the UID of a Kubernetes object")
    return f"involvedObject.uid={uid}"


def network_policies(namespace: str) -> str:
    """The network policies of a namespace."""
    return f"/apis/networking.k8s.io/v1{_scope(namespace)}/networkpolicies"


def network_policy(namespace: str, name: str) -> str:
    """One network policy."""
    return f"{network_policies(namespace)}/{_name(name)}"


def owner(namespace: str, api_version: str, kind: str, name: str) -> str:
    """A controller of pods: the workload kinds of Kubernetes itself. Raises ApiError `unknown_kind` for others.

    >>> owner("shop", "apps/v1", "ReplicaSet", "web-5d8f")
    '/apis/apps/v1/namespaces/shop/replicasets/web-5d8f'
    """
    template = _OWNERS.get((api_version, kind))
    if template is None:
        raise ApiError(Reason.UNKNOWN_KIND, "the owner is no workload kind of Kubernetes itself")
    return template.format(_scope(namespace), _name(name))


def owner_kinds() -> tuple[str, ...]:
    """The workload kinds of Kubernetes itself, which own pods."""
    return tuple(kind for _, kind in _OWNERS)


def permission(method: str, path: str) -> str:
    """The RBAC permission that a request needs.

    >>> permission("DELETE", "/api/v1/namespaces/shop/pods/web-1")
    'pods: delete in namespace shop'
    >>> permission("GET", "/apis/apps/v1/namespaces/shop/deployments/web")
    'deployments.apps: get in namespace shop'
    >>> permission("POST", "/api/v1/namespaces/shop/pods/web-1/eviction")
    'pods/eviction: create in namespace shop'
    """
    match = _PATH.fullmatch(path)
    if match is None:
        return f"{method.lower()} {path}"
    resource, *item = match["rest"].split("/")
    verb = (_ITEM_VERBS if item else _COLLECTION_VERBS).get(method, method.lower())
    group = f".{match['group']}" if match["group"] else ""
    subresource = f"/{item[1]}" if len(item) > 1 else ""
    place = f" in namespace {match['namespace']}" if match["namespace"] else ""
    return f"{resource}{group}{subresource}: {verb}{place}"


def _scope(namespace: str) -> str:
    if not is_namespace(namespace):
        raise ApiError(Reason.INVALID_NAME, "not the name of a Kubernetes namespace")
    return f"/namespaces/{namespace}"


def _name(name: str) -> str:
    if len(name) > _NAME_LENGTH or not _NAME.fullmatch(name):
        raise ApiError(Reason.INVALID_NAME, "not the name of a Kubernetes object")
    return name
