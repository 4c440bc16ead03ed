"""How long each call of a containment takes on the real node while it does nothing else: the floor of its figures."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from tests.cluster import objects
from tests.cluster.client import object_path
from tests.cluster.objects import Manifest
from tests.cluster.polling import wait_until
from tests.node import images, launch
from tests.node.real_node import Node

STRATEGIC = "application/strategic-merge-patch+json"


def put_in(node: Node, pod: Manifest, container: dict[str, Any], until: str = "running") -> dict[str, Any]:
    """Put an ephemeral container into a pod, and wait until it is in this state: the pod's status then.

    Raises TimeoutError.
    """
    patch = {"spec": {"ephemeralContainers": [container]}}
    node.admin.request("PATCH", f"{object_path(pod)}/ephemeralcontainers", patch, content_type=STRATEGIC)

    def status() -> dict[str, Any] | None:
        found: dict[str, Any] = node.admin.get(object_path(pod))["status"]
        states = {item["name"]: item["state"] for item in found.get("ephemeralContainerStatuses", [])}
        return found if until in states.get(container["name"], {}) else None

    return wait_until(status, what=f"{container['name']} to be {until}", seconds=60.0) or {}


def floors(node: Node, calls: int = 9) -> dict[str, float]:
    """The median of each call, in milliseconds."""
    namespace = objects.create_namespace(node.admin)
    container = {"name": "web", "image": images.PAUSE}
    pod = objects.create_running(node.admin, objects.pod("idle", namespace, launch.NODE, containers=[container]))
    path = object_path(pod)

    def patch(number: int) -> None:
        node.admin.patch(path, {"metadata": {"labels": {"number": str(number)}}})

    def policy(number: int) -> None:
        meta = objects.metadata(f"p{number}", namespace)
        spec = {"podSelector": {"matchLabels": {"nobody": "has"}}}
        node.admin.create(
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}
        )

    def look(number: int) -> None:
        ended = {"name": f"look-{number}", "image": images.WORKLOAD, "command": ["/workload", "outside", "nowhere"]}
        put_in(node, pod, ended, "terminated")

    floor = {
        "read a pod": _median(lambda _: node.admin.get(path), calls),
        "patch a pod": _median(patch, calls),
        "make a network policy": _median(policy, calls),
        "read a log": _median(lambda _: node.admin.send("GET", f"{path}/log"), calls),
        "an ephemeral container, to its end": _median(look, calls),
    }
    node.admin.delete(f"/api/v1/namespaces/{namespace}")
    return floor


def _median(call: Callable[[int], object], calls: int) -> float:
    def once(number: int) -> float:
        started = time.perf_counter()
        call(number)
        return (time.perf_counter() - started) * 1000

    return median(map(once, range(calls)))
