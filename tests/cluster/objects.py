"""Manifests of what the tests put into a cluster, and what they wait for.

No scheduler runs: a pod names its node.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from tests.cluster.client import MERGE_PATCH, Answer, ClusterClient, object_path
from tests.cluster.polling import wait_until

Manifest = dict[str, Any]

IMAGE = "registry.example.com/shop/web:1.4.2"
SLOW_TO_STOP = {"example.com/slow-to-stop": "true"}
"""Annotations of a pod whose kubelet takes longer than any test to stop it."""
FINALIZER = "example.com/hold"


def metadata(
    name: str,
    namespace: str | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    finalizers: Sequence[str] = (),
) -> Manifest:
    """The metadata of any object; None and empty parts are left out."""
    parts: Manifest = {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations}
    return {key: value for key, value in {**parts, "finalizers": list(finalizers)}.items() if value}


def namespace(name: str, labels: Mapping[str, str] | None = None) -> Manifest:
    """core/v1 Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(name, labels=labels)}


def node(
    name: str,
    *,
    zone: str = "europe-west1-b",
    instance_id: str = "4711000000000000001",
    pool: str = "default-pool",
    autopilot: bool = False,
) -> Manifest:
    """core/v1 Node as GKE makes it. `autopilot` nodes are those that `autopilot.yaml` watches over."""
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/region": zone.rpartition("-")[0],
        "topology.kubernetes.io/zone": zone,
        "cloud.google.com/gke-nodepool": pool,
        **({"example.com/autopilot": "true"} if autopilot else {}),
    }
    annotations = {"container.googleapis.com/instance_id": instance_id, "kwok.x-k8s.io/node": "fake"}
    provider_id = f"gce://example-project/{zone}/{name}"
    manifest = {"apiVersion": "v1", "kind": "Node", "spec": {"providerID": provider_id}}
    return {**manifest, "metadata": metadata(name, labels=labels, annotations=annotations)}


def pod_spec(node_name: str, *, image: str = IMAGE, container: str = "web", **fields: Any) -> Manifest:
    """A pod's `spec` with one container; `fields` are more of it (`hostNetwork=True`)."""
    return {
        "nodeName": node_name,
        "containers": [{"name": container, "image": image}],
        "terminationGracePeriodSeconds": 30,
        **fields,
    }


def pod(
    name: str,
    namespace: str,
    node_name: str,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    finalizers: Sequence[str] = (),
    **spec: Any,
) -> Manifest:
    """A pod that belongs to nothing. `spec` as in `pod_spec`."""
    meta = metadata(name, namespace, labels=labels or {"app": name}, annotations=annotations, finalizers=finalizers)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod_spec(node_name, **spec)}


def held_pod(name: str, namespace: str, node_name: str) -> Manifest:
    """A pod that a finalizer keeps when it is deleted. `release` lets it go."""
    return pod(name, namespace, node_name, finalizers=[FINALIZER])


def mirror_pod(name: str, namespace: str, node_uid: str, node_name: str) -> Manifest:
    """A static pod as the API server shows it: owned by its node, `kubernetes.io/config.mirror`."""
    annotations = {
        "kubernetes.io/config.mirror": "5f1c9d0e6b7a4c3d",
        "kubernetes.io/config.hash": "5f1c9d0e6b7a4c3d",
        "kubernetes.io/config.source": "file",
    }
    manifest = pod(f"{name}-{node_name}", namespace, node_name, labels={"app": name}, annotations=annotations)
    owner = {"apiVersion": "v1", "kind": "Node", "name": node_name, "uid": node_uid, "controller": True}
    manifest["metadata"]["ownerReferences"] = [owner]
    # The server refuses mirror pods that name service accounts, and admits no projected token for them.
    manifest["spec"]["automountServiceAccountToken"] = False
    return manifest


def deployment(name: str, namespace: str, node_name: str, *, replicas: int = 1, **spec: Any) -> Manifest:
    """apps/v1 Deployment, whose pods carry `app: NAME`."""
    return _workload("Deployment", metadata(name, namespace), pod_spec(node_name, **spec), replicas=replicas)


def stateful_set(name: str, namespace: str, node_name: str, *, replicas: int = 1, **spec: Any) -> Manifest:
    """apps/v1 StatefulSet: a deleted pod comes back under its own name."""
    return _workload(
        "StatefulSet", metadata(name, namespace), pod_spec(node_name, **spec), replicas=replicas, serviceName=name
    )


def daemon_set(name: str, namespace: str, node_name: str, **spec: Any) -> Manifest:
    """apps/v1 DaemonSet, which runs on this one node only."""
    return _workload("DaemonSet", metadata(name, namespace), pod_spec(node_name, **spec))


def job(name: str, namespace: str, node_name: str, **spec: Any) -> Manifest:
    """batch/v1 Job that keeps running."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": pod_spec(node_name, **{"restartPolicy": "Never", **spec}),
    }
    manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(name, namespace)}
    return {**manifest, "spec": {"template": template}}


def disruption_budget(name: str, namespace: str, app: str, **spec: Any) -> Manifest:
    """policy/v1 PodDisruptionBudget for the pods of a workload: `minAvailable=1` or `maxUnavailable="25%"`."""
    manifest = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(name, namespace)}
    return {**manifest, "spec": {"selector": {"matchLabels": {"app": app}}, **spec}}


def _workload(kind: str, meta: Manifest, spec: Manifest, **fields: Any) -> Manifest:
    labels = {"app": meta["name"]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    manifest = {"apiVersion": "apps/v1", "kind": kind, "metadata": {**meta, "labels": labels}}
    return {**manifest, "spec": {**fields, "selector": {"matchLabels": labels}, "template": template}}


def is_running(manifest: Mapping[str, Any]) -> bool:
    """Whether the kubelet has reported the pod as running."""
    return manifest.get("status", {}).get("phase") == "Running" and "deletionTimestamp" not in manifest["metadata"]


def is_settled(manifest: Mapping[str, Any]) -> bool:
    """Whether the node is ready and no controller is about to change it (its first taint is removed)."""
    conditions = manifest.get("status", {}).get("conditions", [])
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    return ready and not manifest["spec"].get("taints")


def create_namespace(client: ClusterClient, labels: Mapping[str, str] | None = None) -> str:
    """Create a namespace of a new name and wait until pods can be made in it: its name. Raises TimeoutError."""
    name = f"test-{uuid.uuid4().hex[:10]}"
    client.create(namespace(name, labels))
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    wait_until(lambda: client.send("GET", account).status == 200, what="the default service account")
    return name


def create_service_account(client: ClusterClient, namespace: str, name: str) -> str:
    """Create a service account that may do nothing yet: a token of it, for ten minutes."""
    client.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(name, namespace)})
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    return str(client.request("POST", path, request)["status"]["token"])


def create_node(client: ClusterClient, *, autopilot: bool = False) -> Manifest:
    """Create a node of a new name in a pool of its own, and wait until it is ready: the node as it is then.

    A second node is in the pool, so that the first may be cordoned; `spare_of` names it. Raises TimeoutError.
    """
    unique = uuid.uuid4()
    name = f"gke-shop-default-pool-{unique.hex[:10]}"
    more = {"instance_id": str(unique.int)[:19], "pool": f"pool-{unique.hex[:10]}", "autopilot": autopilot}
    create_settled(client, node(spare_of(name), **more))
    return create_settled(client, node(name, **more))


def spare_of(name: str) -> str:
    """The name of the other node in the pool of a node that `create_node` made."""
    return f"{name}-spare"


def create_settled(client: ClusterClient, manifest: Mapping[str, Any]) -> Manifest:
    """Create a node and wait until it is ready: the node as it is then. Raises TimeoutError."""
    path = object_path(client.create(manifest))

    def ready() -> Manifest | None:
        found = client.get(path)
        return found if is_settled(found) else None

    return wait_until(ready, what=f"{path} to be ready") or {}


def create_running(client: ClusterClient, manifest: Mapping[str, Any]) -> Manifest:
    """Create a pod and wait until it runs: the pod as it is then. Raises TimeoutError."""
    path = object_path(client.create(manifest))

    def running() -> Manifest | None:
        found = client.get(path)
        return found if is_running(found) else None

    return wait_until(running, what=f"{path} to run") or {}


def await_end(client: ClusterClient, path: str) -> None:
    """Wait until the object is gone: kubelets take pods away a moment after their processes. Raises TimeoutError."""
    wait_until(lambda: client.send("GET", path).status == 404, what=f"{path} to go")


def running_pods(
    client: ClusterClient, namespace: str, app: str, *, count: int = 1, seconds: float = 15.0
) -> list[Manifest]:
    """Wait until exactly `count` pods labeled `app` are there, run, and are told of by the Deployment of that name.

    Raises TimeoutError.
    """
    path = f"/api/v1/namespaces/{namespace}/pods"

    def running() -> list[Manifest] | None:
        found = client.list(path, labelSelector=f"app={app}")
        there = len(found) == count and all(map(is_running, found))
        return found if there and told() else None

    def told() -> bool:
        answer = client.send("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/{app}")
        return answer.status == 404 or answer.body.get("status", {}).get("readyReplicas") == count

    return wait_until(running, what=f"{count} running pods of {app} in {namespace}", seconds=seconds) or []


def set_container_status(client: ClusterClient, manifest: Mapping[str, Any], **fields: Any) -> Manifest:
    """Let the kubelet report other facts of the pod's first container: `imageID=...`, `state={...}`."""
    first, *rest = manifest["status"]["containerStatuses"]
    return client.patch(
        f"{object_path(_typed(manifest, 'Pod'))}/status",
        {"status": {"containerStatuses": [{**first, **fields}, *rest]}},
    )


def release(client: ClusterClient, path: str) -> None:
    """Remove an object's finalizers, so that its deletion can end."""
    client.patch(path, {"metadata": {"finalizers": None}})


def _typed(manifest: Mapping[str, Any], kind: str) -> Manifest:
    """Items of a list come without `kind`."""
    return {"apiVersion": "v1", "kind": kind, **manifest}


def start_warden(client: ClusterClient) -> None:
    """Let `autopilot.yaml` watch over nodes made with `autopilot=True`, for the rest of the run; others are free."""
    client.apply(Path(__file__).with_name("autopilot.yaml").read_text())


def wait_refused(client: ClusterClient, path: str, patch: Mapping[str, Any]) -> Answer:
    """The refusal of a dry-run patch, once the server has heard of the policy. Raises TimeoutError."""

    def refused() -> Answer | None:
        answer = client.send("PATCH", path, patch, content_type=MERGE_PATCH, dryRun="All")
        return answer if answer.status == 403 else None

    return cast("Answer", wait_until(refused, what="the admission policy to be in force"))
