"""Kubernetes objects and the node that a finding names."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.finding import ClusterRef, KubernetesObject
from scc_responder.intake import named_objects

CLUSTER = ClusterRef(project="example-project", location="europe-west1", name="prod-1")
RBAC = "rbac.authorization.k8s.io"
ZONE = "//compute.googleapis.com/projects/example-project/zones/europe-west1-b/instances"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("//k8s.io/core/v1/namespaces/shop/pods/web-1", KubernetesObject(kind="Pod", name="web-1", namespace="shop")),
        ("//k8s.io/v1/nodes/n", KubernetesObject(kind="Node", name="n")),
        (f"//k8s.io/{RBAC}/v1/clusterroles/admin", KubernetesObject(kind="ClusterRole", name="admin", group=RBAC)),
        (
            "//k8s.io/example.com/v1/namespaces/a/widgets/w",
            KubernetesObject(kind="widgets", name="w", namespace="a", group="example.com"),
        ),
    ],
)
def test_a_full_name_becomes_an_object(name: str, expected: KubernetesObject) -> None:
    """Known plurals become kinds, others stay as they are."""
    names = named_objects.affected_names({"affectedResources": [{"gcpResourceName": name}] * 2})
    assert named_objects.affected_objects(names) == (expected,)


def test_other_names_are_no_objects() -> None:
    """A name of another service names no object of Kubernetes."""
    assert named_objects.affected_objects(["//container.googleapis.com/projects/p", "//k8s.io/x", ""]) == ()


def test_objects_are_read_from_every_place() -> None:
    """Roles, bindings with whom they bind, other objects and affected ones, each once; no pods or nodes."""
    kubernetes = {
        "roles": [{"kind": "CLUSTER_ROLE", "name": "admin"}, {"kind": "ROLE", "name": "r", "ns": "shop"}],
        "bindings": [
            {
                "name": "b",
                "role": {"name": "admin"},
                "subjects": [
                    {"kind": "USER", "name": "ann"},
                    {"kind": "SERVICEACCOUNT", "ns": "shop", "name": "sa"},
                    {},
                ],
            },
            {"name": "b2", "ns": "shop"},
        ],
        "objects": [{"kind": "Secret", "name": "s", "ns": "shop"}, {"kind": "Pod", "name": "p"}],
    }
    affected = [KubernetesObject(kind="Secret", name="s", namespace="shop"), KubernetesObject(kind="Node", name="n")]
    found = named_objects.read_objects({"kubernetes": kubernetes}, affected)
    assert [(item.kind, item.name) for item in found] == [
        ("ClusterRole", "admin"),
        ("Role", "r"),
        ("ClusterRoleBinding", "b"),
        ("RoleBinding", "b2"),
        ("Secret", "s"),
    ]
    assert (found[2].role, found[2].subjects) == ("admin", ("User ann", "ServiceAccount shop/sa"))


def test_an_access_review_reads_as_a_sentence() -> None:
    """Verb, resource and place; what is not said is left out."""
    reviews = [
        {"verb": "get", "resource": "secrets", "ns": "shop"},
        {"verb": "create", "resource": "pods", "subresource": "exec", "name": "web-1"},
        {},
    ]
    found = named_objects.read_access_reviews({"kubernetes": {"accessReviews": reviews}})
    assert found == ("get secrets in shop", "create pods/exec/web-1")


def node(
    names: list[str], source: Any = None, resource: str = "", cluster: ClusterRef | None = CLUSTER
) -> named_objects.NodeParts:
    finding = {"kubernetes": {"nodes": [{"name": name} for name in names]}}
    return named_objects.read_node(finding, source or {}, resource, cluster)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (node([f"{ZONE}/node-1"]), "node-1"),
        (node([], {"VM_Instance_Name": f"{ZONE}/node-1"}), "node-1"),
        (node([], None, f"{ZONE}/node-1"), "node-1"),
        (node([f"{ZONE}/node-1"], {"VM_Instance_Name": "node-1"}, "//container.googleapis.com/x"), "node-1"),
        (node([f"{ZONE}/node-1"], cluster=None), "node-1"),
        (node([]), ""),
        (node([], None, f"{ZONE}/12345"), ""),
    ],
)
def test_any_part_can_name_the_node(parts: named_objects.NodeParts, expected: str) -> None:
    """The last segment is the node's name; a number alone names an instance and no node."""
    assert (parts.node, parts.contradictions) == (expected, ())


def test_an_instance_is_known_by_number() -> None:
    """Where nothing names the node, its instance is still told."""
    assert node([], None, f"{ZONE}/12345").instance.endswith("instances/12345")


@pytest.mark.parametrize(
    ("parts", "contradictions"),
    [
        (node([f"{ZONE}/a", f"{ZONE}/b"]), ("several_nodes", "node")),
        (node([f"{ZONE}/a"], {"VM_Instance_Name": "b"}), ("node",)),
        (node([f"{ZONE}/a".replace("europe-west1", "us-east1")]), ("node",)),
        (node([f"{ZONE}/a".replace("example-project", "other-project")]), ("node",)),
        (node(["No Name"]), ("invalid_node_name",)),
    ],
)
def test_a_disagreement_on_nodes_is_named(parts: named_objects.NodeParts, contradictions: tuple[str, ...]) -> None:
    """Nodes that differ, are elsewhere than the cluster, or could be none, are told."""
    assert parts.contradictions == contradictions
