"""Which kinds and subresources the simulated API server knows, and which of them a path means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from scc_responder.domain.kubernetes.network_policies.policy_kinds import POLICY_KINDS
from scc_responder.domain.value import Value

_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<subresource>[^/]+))?)?"
)


class Resource(Value, frozen=True, kw_only=True):
    """A kind and how it is addressed."""

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    subresources: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """As in an object: `apps/v1`, or `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version


class RequestTarget(Value, frozen=True, kw_only=True):
    """What a request is about. `name` is empty for a collection, `namespace` for what has none.

    `subresource` is such as `eviction`, and empty for the object itself.
    """

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Where the object is stored."""
        return (self.resource.kind, self.namespace, self.name)

    @property
    def rule(self) -> tuple[str, str]:
        """The API group and the resource as a ClusterRole names them: `pods`, or `pods/eviction`."""
        plural = self.resource.plural
        return self.resource.group, f"{plural}/{self.subresource}" if self.subresource else plural

    def named(self, name: str) -> RequestTarget:
        """One object of this collection."""
        return RequestTarget(resource=self.resource, namespace=self.namespace, name=name)


RESOURCES = (
    Resource(kind="Pod", plural="pods", subresources=("ephemeralcontainers", "eviction", "log")),
    Resource(kind="Event", plural="events"),
    Resource(kind="Service", plural="services"),
    Resource(kind="EndpointSlice", plural="endpointslices", group="discovery.k8s.io"),
    Resource(kind="PersistentVolumeClaim", plural="persistentvolumeclaims"),
    Resource(kind="ServiceAccount", plural="serviceaccounts"),
    Resource(kind="Node", plural="nodes", namespaced=False),
    Resource(kind="Namespace", plural="namespaces", namespaced=False),
    Resource(kind="ReplicationController", plural="replicationcontrollers"),
    Resource(kind="ReplicaSet", plural="replicasets", group="apps"),
    Resource(kind="Deployment", plural="deployments", group="apps"),
    Resource(kind="StatefulSet", plural="statefulsets", group="apps"),
    Resource(kind="DaemonSet", plural="daemonsets", group="apps"),
    Resource(kind="Job", plural="jobs", group="batch"),
    Resource(kind="CronJob", plural="cronjobs", group="batch"),
    Resource(kind="PodDisruptionBudget", plural="poddisruptionbudgets", group="policy"),
    Resource(kind="NetworkPolicy", plural="networkpolicies", group="networking.k8s.io"),
)
ON_REQUEST = tuple(
    Resource(kind=kind.name, plural=kind.plural, group=kind.group, version=kind.version, namespaced=kind.namespaced)
    for kind in POLICY_KINDS
)
"""Kinds that a cluster serves only where they are installed."""

_BY_PLURAL = {(resource.group, resource.version, resource.plural): resource for resource in (*RESOURCES, *ON_REQUEST)}
BY_KIND = {resource.kind: resource for resource in (*ON_REQUEST, *RESOURCES)}


def group_list(served: Iterable[str]) -> dict[str, Any]:
    """The API groups, with those of the kinds on request that are served. Source: meta/v1 APIGroupList."""
    names = frozenset(served)
    resources = [*RESOURCES, *(resource for resource in ON_REQUEST if resource.kind in names)]
    versions: dict[str, dict[str, None]] = {}
    for resource in resources:
        if resource.group:
            versions.setdefault(resource.group, {})[resource.version] = None
    groups = [
        {"name": name, "versions": [{"groupVersion": f"{name}/{one}", "version": one} for one in listed]}
        for name, listed in versions.items()
    ]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def target_of(path: str) -> RequestTarget | None:
    """What a path means, or None where there is no such resource.

    >>> target_of("/apis/apps/v1/namespaces/shop/deployments/web").key
    ('Deployment', 'shop', 'web')
    >>> target_of("/api/v1/namespaces/shop/pods/web-1/eviction").rule
    ('', 'pods/eviction')
    """
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    resource = _BY_PLURAL.get((match["group"] or "", match["version"], match["plural"]))
    namespace = match["namespace"] or ""
    # Without a namespace, all of a kind can be listed; one object cannot be named so.
    if resource is None or (namespace and not resource.namespaced):
        return None
    if match["name"] and resource.namespaced and not namespace:
        return None
    name, subresource = match["name"] or "", match["subresource"] or ""
    if subresource not in {"", *resource.subresources}:
        return None
    return RequestTarget(resource=resource, namespace=namespace, name=name, subresource=subresource)
