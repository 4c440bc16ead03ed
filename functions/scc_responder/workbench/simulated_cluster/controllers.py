"""The controllers and kubelets of the simulated cluster: they create the pods that workloads want, and delete them.

`settle` compares and acts, so a deleted pod is replaced at the next call.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.endpoint_slices import update_endpoint_slices
from scc_responder.workbench.simulated_cluster.pod_owners import claim_pods, owned_by
from scc_responder.workbench.simulated_cluster.server.objects import Objects, kubernetes_time, suffix, target_to
from scc_responder.workbench.simulated_cluster.server.resources import BY_KIND, RequestTarget
from scc_responder.workbench.simulated_cluster.statuses import ready_condition, terminated, update_statuses

START_TAKES = timedelta(seconds=2)
"""From a pod's creation to the start of its containers: creation is set back by it, so that nobody waits."""

LINGER_SECONDS = 0.7
"""How long the object of a pod stays after its kubelet has told that its containers ended."""


class Controllers:
    """Deployment, ReplicaSet, StatefulSet, DaemonSet and Job controllers, a scheduler and the kubelets.

    `stop_seconds` is how long a pod takes to stop, whatever its grace period, and `linger_seconds` how long its object
    stays then: no longer than the stop where it is None. A pod for which both are nothing is seen to have ended at the
    next look, and is gone at the one after.
    """

    def __init__(
        self, objects: Objects, clock: Callable[[], datetime], stop_seconds: float, linger_seconds: float | None = None
    ) -> None:
        self._objects = objects
        self._clock = clock
        self._stop_seconds = stop_seconds
        self._linger_seconds = min(stop_seconds, LINGER_SECONDS) if linger_seconds is None else linger_seconds
        self._stopping: dict[str, float] = {}
        self._going: dict[str, float] = {}
        self._pods: dict[str, str] = {}
        self._ended: dict[str, datetime] = {}
        self._settled_at = 0

    def settle(self, *, kubelets: bool = True) -> None:
        """Bring the cluster to where its workloads want it. Without `kubelets` no pod comes closer to its end."""
        self._stop_pods(kubelets=kubelets)
        if self._objects.version == self._settled_at:
            return
        self._note_ended_pods()
        self._collect_garbage()
        for deployment in self._objects.stored("Deployment"):
            if not self._owned("ReplicaSet", deployment):
                self._create(_replica_set(deployment))
        claim_pods(self._objects)
        for kind in ("ReplicaSet", "Job", "StatefulSet", "DaemonSet"):
            for workload in self._objects.stored(kind):
                for name, node in list(self._wanted(workload)):
                    self._create(_pod(workload, name, node))
        self._start_pods()
        self._start_ephemeral()
        update_statuses(self._objects)
        update_endpoint_slices(self._objects)
        self._pods = self._names_of_pods()
        self._settled_at = self._objects.version

    def _wanted(self, workload: ApiObject) -> Iterator[tuple[str, str]]:
        """The pods to be made, by name and node."""
        name, spec = workload["metadata"]["name"], workload.get("spec", {})
        pods = self._owned("Pod", workload)
        taken = {pod["metadata"]["name"] for pod in self._objects.stored("Pod", workload["metadata"]["namespace"])}
        if workload["kind"] == "DaemonSet":
            served = {pod["spec"].get("nodeName") for pod in pods}
            only = spec["template"]["spec"].get("nodeName")
            nodes = (node["metadata"]["name"] for node in self._objects.stored("Node"))
            yield from ((f"{name}-{suffix()}", node) for node in nodes if node not in served and only in {None, node})
        elif workload["kind"] == "StatefulSet":
            ordinals = (f"{name}-{ordinal}" for ordinal in range(spec.get("replicas", 1)))
            yield from ((pod, "") for pod in ordinals if pod not in taken)
        else:
            running = sum("deletionTimestamp" not in pod["metadata"] for pod in pods)
            missing = spec.get("replicas", spec.get("parallelism", 1)) - running
            yield from ((f"{name}-{suffix()}", "") for _ in range(missing))

    def _owned(self, kind: str, owner: ApiObject) -> list[ApiObject]:
        uid = owner["metadata"]["uid"]
        found = self._objects.stored(kind, owner["metadata"]["namespace"])
        return [item for item in found if any(ref["uid"] == uid for ref in item["metadata"].get("ownerReferences", ()))]

    def _create(self, manifest: ApiObject) -> None:
        resource = BY_KIND[manifest["kind"]]
        self._objects.create(RequestTarget(resource=resource, namespace=manifest["metadata"]["namespace"]), manifest)

    def _start_pods(self) -> None:
        nodes = [node for node in self._objects.stored("Node") if not node.get("spec", {}).get("unschedulable")]
        for index, pod in enumerate(self._objects.stored("Pod")):
            if pod.get("status", {}).get("phase"):
                continue
            pod = self._objects.get(target_to(pod))  # noqa: PLW2901 - a copy, which may be changed
            if not pod["spec"].get("nodeName") and nodes:
                pod["spec"]["nodeName"] = nodes[index % len(nodes)]["metadata"]["name"]
            on_node = bool(pod["spec"].get("nodeName"))
            if on_node:
                pod["metadata"]["creationTimestamp"] = kubernetes_time(self._made(pod))
            self._objects.replace({**pod, "status": _running(pod, self._clock()) if on_node else {"phase": "Pending"}})

    def _start_ephemeral(self) -> None:
        """Containers that were put into a running pod begin, and have ended by the next look. Not in one that stops."""
        for pod in self._objects.stored("Pod"):
            status, field = pod.get("status", {}), "ephemeralContainerStatuses"
            reported = {item["name"] for item in status.get(field, ())}
            new = [item for item in pod["spec"].get("ephemeralContainers", ()) if item["name"] not in reported]
            if new and status.get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]:
                ended = [_ended_ephemeral(pod, item, self._clock()) for item in new]
                self._objects.replace({**pod, "status": {**status, field: [*status.get(field, ()), *ended]}})

    def _made(self, pod: ApiObject) -> datetime:
        """When a pod was made that starts now: no earlier than the end of the one whose name it has."""
        earlier = self._clock() - START_TAKES
        return max(earlier, self._ended.get(_full_name(pod), earlier))

    def _note_ended_pods(self) -> None:
        pods = self._names_of_pods()
        self._ended |= {name: self._clock() for uid, name in self._pods.items() if uid not in pods}

    def _names_of_pods(self) -> dict[str, str]:
        return {pod["metadata"]["uid"]: _full_name(pod) for pod in self._objects.stored("Pod")}

    def _collect_garbage(self) -> None:
        """Remove the network policies whose owners are all gone."""
        for policy in self._objects.stored("NetworkPolicy"):
            owners = policy["metadata"].get("ownerReferences", ())
            if owners and not any(self._is_there(owner, policy["metadata"]["namespace"]) for owner in owners):
                self._objects.remove(target_to(policy))

    def _is_there(self, owner: ApiObject, namespace: str) -> bool:
        found = self._objects.stored(owner["kind"], namespace)
        return any(item["metadata"]["uid"] == owner["uid"] for item in found)

    def stop_now(self) -> None:
        """Let the time be over that the pods which are to stop take."""
        self._stopping = dict.fromkeys(self._stopping, 0.0)

    def _stop_pods(self, *, kubelets: bool) -> None:
        present = time.monotonic()
        for pod in self._objects.stored("Pod"):
            metadata = pod["metadata"]
            if "deletionTimestamp" not in metadata:
                continue
            uid = metadata["uid"]
            if self._stopping.setdefault(uid, present + self._stop_seconds) > present or not kubelets:
                continue
            if uid not in self._going:
                self._going[uid] = present + self._linger_seconds
                self._objects.replace({**pod, "status": terminated(pod["status"], self._clock())})
            elif self._going[uid] <= present and not metadata.get("finalizers"):
                self._objects.remove(target_to(pod))


def digest_of(image: str) -> str:
    """The image id that a node reports for an image: the name with a digest made from its text."""
    if "@sha256:" in image:
        return image
    return f"{image.rsplit(':', 1)[0]}@sha256:{_sha256(image)}"


def _replica_set(deployment: ApiObject) -> ApiObject:
    metadata, spec = deployment["metadata"], deployment["spec"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name']}-{_sha256(metadata['uid'])[:10]}",
            "namespace": metadata["namespace"],
            "labels": spec["template"].get("metadata", {}).get("labels", {}),
            "ownerReferences": [owned_by(deployment)],
        },
        "spec": {key: spec[key] for key in ("replicas", "selector", "template") if key in spec},
    }


def _pod(workload: ApiObject, name: str, node: str) -> ApiObject:
    template: dict[str, Any] = workload["spec"]["template"]
    metadata = {
        **template.get("metadata", {}),
        "name": name,
        "namespace": workload["metadata"]["namespace"],
        "ownerReferences": [owned_by(workload)],
    }
    spec = {**template["spec"], **({"nodeName": node} if node else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _ended_ephemeral(pod: ApiObject, container: ApiObject, moment: datetime) -> ApiObject:
    """What the kubelet reports of an ephemeral container that has done its work."""
    ended = kubernetes_time(moment)
    container_id = f"containerd://{_sha256(pod['metadata']['uid'] + container['name'])}"
    state = {"exitCode": 0, "reason": "Completed", "startedAt": ended, "finishedAt": ended, "containerID": container_id}
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": digest_of(container["image"]),
        "containerID": container_id,
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": state},
    }


def _full_name(pod: ApiObject) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _running(pod: ApiObject, moment: datetime) -> ApiObject:
    started = kubernetes_time(moment)
    statuses = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": digest_of(container["image"]),
            "containerID": f"containerd://{_sha256(pod['metadata']['uid'] + container['name'])}",
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": started}},
        }
        for container in pod["spec"].get("containers", ())
    ]
    conditions = [ready_condition()]
    address = ".".join(["10", *(str(byte) for byte in bytes.fromhex(_sha256(pod["metadata"]["uid"])[:6]))])
    network = {"podIP": address, "podIPs": [{"ip": address}]}
    return {
        "phase": "Running",
        "startTime": started,
        "conditions": conditions,
        "containerStatuses": statuses,
        **network,
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
