"""Where a pod's packets go that no NetworkPolicy holds: its operating system, and its further network interfaces. Pure.

Sources: core/v1 Pod `spec.os`; GKE, "Set up multi-network support for Pods"; Kubernetes Network Plumbing Working Group,
"Multi-Network Custom Resource Definition".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

OPERATING_SYSTEM = "kubernetes.io/os"
"""The label of a node, and of what pods ask of a node."""

WINDOWS = "windows"

POLICY_NETWORK = "networking.gke.io/network"
"""The annotation of a NetworkPolicy that is for another network of its pods than the cluster's own."""

_STATUSES = ("k8s.v1.cni.cncf.io/network-status", "k8s.v1.cni.cncf.io/networks-status")
_ASKED_FOR = ("networking.gke.io/interfaces", "networking.gke.io/pod-ips", *_STATUSES)
"""Lists of interfaces, in which the cluster's own may stand too; only a status says of one that it is that."""

_BESIDES = ("k8s.v1.cni.cncf.io/networks", "v1.multus-cni.io/default-network")
"""Further networks, or another in place of the cluster's own."""

_OWN_NETWORK = "default"
_SYSTEM_KEYS = (OPERATING_SYSTEM, "beta.kubernetes.io/os")
_DEVICES = "networking.gke.io.networks/"
"""Starts the name of the resource that stands for an address in a further network."""


def operating_system(pod: Mapping[str, Any]) -> str:
    """The operating system that the pod asks for, such as `windows`; empty where it asks for none."""
    spec = pod.get("spec", {})
    selected = [(spec.get("nodeSelector") or {}).get(key) for key in _SYSTEM_KEYS]
    asked = [(spec.get("os") or {}).get("name"), *selected, *_by_affinity(spec)]
    return str(next(filter(None, asked), ""))


def node_system(node: Mapping[str, Any]) -> str:
    """The operating system of a node, as its kubelet reports it or its labels say."""
    labels = node["metadata"].get("labels") or {}
    reported = (node.get("status", {}).get("nodeInfo") or {}).get("operatingSystem")
    return str(next(filter(None, (reported, *(labels.get(key) for key in _SYSTEM_KEYS))), ""))


def _by_affinity(spec: Mapping[str, Any]) -> Iterator[str]:
    """The one operating system that a required affinity to nodes leaves."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    for term in (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or ():
        for rule in term.get("matchExpressions") or ():
            if rule["key"] in _SYSTEM_KEYS and rule["operator"] == "In" and len(rule["values"]) == 1:
                yield rule["values"][0]


def has_further_interfaces(pod: Mapping[str, Any]) -> bool:
    """Whether the pod has network interfaces besides the cluster's own, or none can tell."""
    annotations = pod["metadata"].get("annotations") or {}
    listed = any(_lists_others(annotations[key], key in _STATUSES) for key in _ASKED_FOR if annotations.get(key))
    spec = pod.get("spec", {})
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    asked = [name for item in containers for name in (item.get("resources") or {}).get("limits") or {}]
    return (
        listed
        or any((annotations.get(key) or "[]").strip() != "[]" for key in _BESIDES)
        or any(name.startswith(_DEVICES) for name in asked)
    )


def is_for_another_network(policy: Mapping[str, Any]) -> bool:
    """Whether a NetworkPolicy is for another network than the cluster's own, where the cluster has several."""
    return network_of(policy) != _OWN_NETWORK


def network_of(policy: Mapping[str, Any]) -> str:
    """The network that a NetworkPolicy is for."""
    annotations = policy["metadata"].get("annotations") or {}
    return str(annotations.get(POLICY_NETWORK, _OWN_NETWORK))


def _lists_others(text: str, is_status: bool) -> bool:
    try:
        interfaces = json.loads(text)
        return not all(
            (is_status and item.get("default")) or item.get("network") == _OWN_NETWORK for item in interfaces
        )
    except (AttributeError, RecursionError, TypeError, ValueError):
        return True
