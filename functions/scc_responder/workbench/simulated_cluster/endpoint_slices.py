"""The EndpointSlices of Services that select pods: which pods get requests.

Source: discovery.k8s.io/v1 EndpointSlice; k8s.io/endpointslice, `podToEndpoint`.
"""

from __future__ import annotations

from scc_responder.domain.kubernetes.selectors import selects
from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.server.objects import Objects
from scc_responder.workbench.simulated_cluster.server.resources import BY_KIND, RequestTarget
from scc_responder.workbench.simulated_cluster.statuses import has_ready_condition

_ENDED_PHASES = frozenset({"Succeeded", "Failed"})


def update_endpoint_slices(objects: Objects) -> None:
    """Bring the slice of every Service to the pods that are there now."""
    for service in objects.stored("Service"):
        if service["spec"].get("selector"):
            _update(objects, service)


def _update(objects: Objects, service: ApiObject) -> None:
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    selector = {"matchLabels": service["spec"]["selector"]}
    pods = (pod for pod in objects.stored("Pod", namespace) if selects(selector, pod["metadata"].get("labels", {})))
    endpoints = [_endpoint(pod) for pod in pods if _is_reachable(pod)]
    found = {item["metadata"]["name"]: item for item in objects.stored("EndpointSlice", namespace)}
    stored = found.get(f"{name}-1")
    if stored is None:
        labels = {"kubernetes.io/service-name": name}
        metadata = {"name": f"{name}-1", "namespace": namespace, "labels": labels}
        target = RequestTarget(resource=BY_KIND["EndpointSlice"], namespace=namespace)
        kind = {"apiVersion": target.resource.api_version, "kind": target.resource.kind}
        objects.create(target, {**kind, "metadata": metadata, "addressType": "IPv4", "endpoints": endpoints})
    elif stored["endpoints"] != endpoints:
        objects.replace({**stored, "endpoints": endpoints})


def _is_reachable(pod: ApiObject) -> bool:
    status = pod.get("status", {})
    return bool(status.get("podIP")) and status.get("phase") not in _ENDED_PHASES


def _endpoint(pod: ApiObject) -> ApiObject:
    metadata, serves = pod["metadata"], has_ready_condition(pod)
    leaves = "deletionTimestamp" in metadata
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": serves and not leaves, "serving": serves, "terminating": leaves},
        "nodeName": pod["spec"].get("nodeName"),
        "targetRef": {
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }
