"""The subresource `pods/ephemeralcontainers`: put containers into a running pod; none is ever changed or removed.

Source: k8s.io/kubernetes/pkg/registry/core/pod, `EphemeralContainersREST` and `podEphemeralContainersStrategy`.
"""

from __future__ import annotations

from typing import Any

from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.server import refusal
from scc_responder.workbench.simulated_cluster.server.objects import Objects
from scc_responder.workbench.simulated_cluster.server.resources import RequestTarget

_FIELD = "spec.ephemeralContainers"
_FORBIDDEN = ("resources", "ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle")


def insert(objects: Objects, target: RequestTarget, body: ApiObject, *, dry_run: bool) -> ApiObject:
    """Merge the list by name into the pod's, on condition of the UID. The pod. Raises Refusal."""
    pod = objects.get(target)
    if body.get("metadata", {}).get("uid", pod["metadata"]["uid"]) != pod["metadata"]["uid"]:
        why = f"Invalid value: {body['metadata']['uid']!r}: field is immutable"
        raise refusal.invalid(target, [("metadata.uid", why)])
    if body.get("metadata", {}).get("resourceVersion", "") not in {"", pod["metadata"]["resourceVersion"]}:
        raise refusal.modified(target)
    there = {item["name"]: item for item in pod["spec"].get("ephemeralContainers", ())}
    asked = body.get("spec", {}).get("ephemeralContainers", ())
    _check(target, pod, there, asked)
    merged = {item["name"]: there.get(item["name"], item) for item in asked}
    spec = {**pod["spec"], "ephemeralContainers": [*(merged | there).values()]}
    return objects.admit(target, pod, {**pod, "spec": spec}, dry_run=dry_run)


def _check(target: RequestTarget, pod: ApiObject, there: dict[str, Any], asked: list[ApiObject]) -> None:
    causes = []
    names = {item["name"] for item in pod["spec"].get("containers", ())}
    for index, item in enumerate(asked):
        field, stored = f"{_FIELD}[{index}]", there.get(item["name"])
        if stored is not None and {**stored, **item} != stored:
            causes.append((_FIELD, f"Forbidden: existing ephemeral containers {item['name']!r} may not be changed"))
        causes += [
            (f"{field}.{name}", "Forbidden: cannot be set for an Ephemeral Container")
            for name in _FORBIDDEN
            if name in item
        ]
        if item.get("targetContainerName", "") not in {"", *names}:
            causes.append((f"{field}.targetContainerName", f"Not found: {item['targetContainerName']!r}"))
        if not item.get("image"):
            causes.append((f"{field}.image", "Required value"))
    if causes:
        raise refusal.invalid(target, causes)
