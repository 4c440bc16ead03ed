"""The other Kubernetes objects that a finding names, and its node.

ETD names objects as `//k8s.io/core/v1/namespaces/NS/pods/NAME` in `sourceProperties.affectedResources`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import Any

from scc_responder.domain.finding import ClusterRef, KubernetesObject
from scc_responder.domain.resource_names import Instance, is_object_name, region_of, same_project
from scc_responder.domain.text import LatePattern, visible
from scc_responder.domain.value import Value
from scc_responder.intake.fields import distinct, enum, field, part, records, text

MAX_OBJECTS = 64
MAX_OBJECT_RECORDS = 512
MAX_SUBJECTS = 32

_RBAC = "rbac.authorization.k8s.io"
_SUBJECTS = {"USER": "User", "GROUP": "Group", "SERVICEACCOUNT": "ServiceAccount"}
_AFFECTED = LatePattern(
    r"//k8s\.io/(?:(?P<group>[a-z0-9.-]{1,100})/)?v[a-z0-9]{1,20}/"
    r"(?:namespaces/(?P<namespace>[^/]{1,100})/)?(?P<plural>[a-z]{1,60})/(?P<name>[^/]{1,253})",
)
_KINDS = {
    "pods": "Pod",
    "nodes": "Node",
    "serviceaccounts": "ServiceAccount",
    "secrets": "Secret",
    "services": "Service",
    "configmaps": "ConfigMap",
    "namespaces": "Namespace",
    "deployments": "Deployment",
    "daemonsets": "DaemonSet",
    "statefulsets": "StatefulSet",
    "replicasets": "ReplicaSet",
    "jobs": "Job",
    "cronjobs": "CronJob",
    "roles": "Role",
    "rolebindings": "RoleBinding",
    "clusterroles": "ClusterRole",
    "clusterrolebindings": "ClusterRoleBinding",
    "certificatesigningrequests": "CertificateSigningRequest",
    "mutatingwebhookconfigurations": "MutatingWebhookConfiguration",
    "validatingwebhookconfigurations": "ValidatingWebhookConfiguration",
}


def affected_names(source: Mapping[str, Any]) -> tuple[str, ...]:
    """The full resource names in `affectedResources`, distinct, at most `MAX_OBJECTS`."""
    resources = records(field(source, "affectedResources"))
    return distinct((text(item, "gcpResourceName") for item in resources), MAX_OBJECTS)


def affected_objects(names: Iterable[str]) -> tuple[KubernetesObject, ...]:
    """The Kubernetes objects among full resource names."""
    matches = filter(None, map(_AFFECTED.fullmatch, names))
    return tuple(
        KubernetesObject(
            kind=_KINDS.get(match["plural"], match["plural"]),
            name=match["name"],
            namespace=match["namespace"] or "",
            group="" if match["group"] in {None, "core"} else match["group"],
        )
        for match in matches
    )


def read_objects(finding: Mapping[str, Any], affected: Iterable[KubernetesObject]) -> tuple[KubernetesObject, ...]:
    """Roles, bindings and any other objects, distinct; pods and nodes have fields of their own."""
    kubernetes = part(finding, "kubernetes")
    named = chain(
        map(_role, records(field(kubernetes, "roles"))),
        map(_binding, records(field(kubernetes, "bindings"))),
        map(_object, records(field(kubernetes, "objects"))),
        affected,
    )
    others = (item for item in islice(named, MAX_OBJECT_RECORDS) if item.name and item.kind not in {"Pod", "Node"})
    by_name: dict[tuple[str, str, str], KubernetesObject] = {}
    for item in others:
        by_name.setdefault((item.kind, item.namespace, item.name), item)
    return tuple(islice(by_name.values(), MAX_OBJECTS))


def _role(item: Mapping[str, Any]) -> KubernetesObject:
    kind = "ClusterRole" if enum(item, "kind") == "CLUSTER_ROLE" else "Role"
    return KubernetesObject(kind=kind, name=text(item, "name"), namespace=text(item, "ns"), group=_RBAC)


def _binding(item: Mapping[str, Any]) -> KubernetesObject:
    namespace = text(item, "ns")
    subjects = (
        visible(f"{_SUBJECTS.get(enum(subject, 'kind'), enum(subject, 'kind'))} {_qualified(subject)}")
        for subject in records(field(item, "subjects"))
        if text(subject, "name")
    )
    return KubernetesObject(
        kind="RoleBinding" if namespace else "ClusterRoleBinding",
        name=text(item, "name"),
        namespace=namespace,
        group=_RBAC,
        role=text(part(item, "role"), "name"),
        subjects=distinct(subjects, MAX_SUBJECTS),
    )


def _object(item: Mapping[str, Any]) -> KubernetesObject:
    return KubernetesObject(
        kind=text(item, "kind"), name=text(item, "name"), namespace=text(item, "ns"), group=text(item, "group")
    )


def _qualified(item: Mapping[str, Any]) -> str:
    return "/".join(filter(None, (text(item, "ns"), text(item, "name"))))


def read_access_reviews(finding: Mapping[str, Any]) -> tuple[str, ...]:
    """What was asked of the API server's access review, such as `get secrets in shop`."""
    reviews = records(field(part(finding, "kubernetes"), "accessReviews"))
    return distinct(map(_access_review, reviews), MAX_OBJECTS)


def _access_review(item: Mapping[str, Any]) -> str:
    resource = "/".join(filter(None, (text(item, "resource"), text(item, "subresource"), text(item, "name"))))
    words = (text(item, "verb"), resource, text(item, "ns") and "in " + text(item, "ns"))
    return visible(" ".join(filter(None, words)))


class NodeParts(Value, frozen=True, kw_only=True):
    """The one node that a finding names, its instance where it says so, and what is wrong with that."""

    node: str
    instance: str
    contradictions: tuple[str, ...]


def read_node(
    finding: Mapping[str, Any], source: Mapping[str, Any], resource_name: str, cluster: ClusterRef | None
) -> NodeParts:
    """The node: the last segment of its instance's name.

    `node` is contradicted where parts name different nodes, or the node's project or region is not the cluster's. An
    instance that is known by its number alone names no node.
    """
    typed = distinct((text(item, "name") for item in records(field(part(finding, "kubernetes"), "nodes"))), MAX_OBJECTS)
    told = (*typed, text(source, "VM_Instance_Name"), resource_name if Instance.parse(resource_name) else "")
    instances = [instance for instance in map(Instance.parse, told) if instance]
    names = distinct((_last_segment(name) for name in told), MAX_OBJECTS)
    valid = [name for name in names if is_object_name(name)]
    faults = {
        "several_nodes": len(set(map(_last_segment, typed))) > 1,
        "node": len(set(valid)) > 1 or any(not _belongs(instance, cluster) for instance in instances),
        "invalid_node_name": len(valid) < len(names),
    }
    one, unnamed = len(set(valid)) == 1, not names and len({instance.path for instance in instances}) == 1
    return NodeParts(
        node=valid[0] if one else "",
        instance=instances[0].path if instances and (one or unnamed) else "",
        contradictions=tuple(name for name, found in faults.items() if found),
    )


def _last_segment(name: str) -> str:
    """The node's name; a bare number is an instance's id, which names no node."""
    last = name.rpartition("/")[2]
    return "" if last.isdigit() else last


def _belongs(instance: Instance, cluster: ClusterRef | None) -> bool:
    if cluster is None:
        return True
    in_region = region_of(instance.zone) == region_of(cluster.location)
    return in_region and same_project(instance.project, cluster.project)
