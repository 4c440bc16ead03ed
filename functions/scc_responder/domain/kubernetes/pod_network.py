"""Where a pod's packets go that no NetworkPolicy holds: its operating system, and its further network interfaces. Pure.

Sources: core/v1 Pod `spec.os`; GKE, "Set up multi-network support for Pods"; Kubernetes Network Plumbing Working Group,
"Multi-Network Custom Resource Definition".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

OPERATING_SYSTEM = "kubernetes.io/os"
"""The label of a node, and of what pods ask of a node."""

WINDOWS = "windows"

POLICY_NETWORK = "networking.gke.io/network"
"""The annotation of a NetworkPolicy that is for another network of its pods than the cluster's own."""

_ASKED_FOR = ("networking.gke.io/interfaces", "networking.gke.io/pod-ips", "k8s.v1.cni.cncf.io/network-status")
"""Lists of interfaces, in which the cluster's own may stand too."""

_BESIDES = ("k8s.v1.cni.cncf.io/networks", "v1.multus-cni.io/default-network")
"""Further networks, or another in place of the cluster's own."""

_OWN_NETWORK = "default"
_DEVICES = "networking.gke.io.networks/"
"""Starts the name of the resource that stands for an address in a further network."""


def operating_system(pod: Mapping[str, Any]) -> str:
    """The operating system that the pod asks for, such as `windows`; empty where it asks for none."""
    spec = pod.get("spec", {})
    asked = (spec.get("os") or {}).get("name") or (spec.get("nodeSelector") or {}).get(OPERATING_SYSTEM)
    return str(asked or "")


def has_further_interfaces(pod: Mapping[str, Any]) -> bool:
    """Whether the pod has network interfaces besides the cluster's own, or none can tell."""
    annotations = pod["metadata"].get("annotations") or {}
    listed = any(_lists_others(annotations[key]) for key in _ASKED_FOR if annotations.get(key))
    containers = pod.get("spec", {}).get("containers") or ()
    asked = [name for item in containers for name in (item.get("resources") or {}).get("limits") or {}]
    return (
        listed
        or any((annotations.get(key) or "[]").strip() != "[]" for key in _BESIDES)
        or any(name.startswith(_DEVICES) for name in asked)
    )


def is_for_another_network(policy: Mapping[str, Any]) -> bool:
    """Whether a NetworkPolicy is for another network than the cluster's own: it says nothing of that."""
    annotations = policy["metadata"].get("annotations") or {}
    return str(annotations.get(POLICY_NETWORK, _OWN_NETWORK)) != _OWN_NETWORK


def _lists_others(text: str) -> bool:
    try:
        return not all(item.get("default") or item.get("network") == _OWN_NETWORK for item in json.loads(text))
    except (AttributeError, TypeError, ValueError):
        return True
