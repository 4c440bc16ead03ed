"""What a pod has that no second pod can have beside it: ports of its node, and volumes for one node or pod alone.

Source: core/v1 Pod and PersistentVolumeClaim; k8s.io/kubernetes/pkg/scheduler, NodePorts and VolumeRestrictions;
`IsMultiAttachAllowed` of its volume controller.
"""

from __future__ import annotations

from collections.abc import Iterator

from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.ports import ApiObject, KubernetesApi
from scc_responder.domain.reasons import Reason

_DISKS = frozenset(
    {
        "awsElasticBlockStore",
        "azureDisk",
        "cinder",
        "fc",
        "flocker",
        "gcePersistentDisk",
        "iscsi",
        "photonPersistentDisk",
        "rbd",
        "scaleIO",
        "storageos",
        "vsphereVolume",
    }
)
"""Volumes in the pod itself that one node can write to at a time."""

_SHARED = frozenset({"ReadOnlyMany", "ReadWriteMany"})


def unshared(api: KubernetesApi, namespace: str, pod: ApiObject) -> tuple[str, ...]:
    """`host_ports` and `volume_in_use`, where they are so. One request for each claim of the pod. Raises ApiError."""
    spec = pod.get("spec", {})
    if not spec.get("containers"):
        raise ApiError(Reason.NOT_IN_SNAPSHOT, "what the pod is made of was not read")
    held = {
        Reason.HOST_PORTS: _has_host_ports(spec),
        Reason.VOLUME_IN_USE: _has_disk(spec) or any(map(_is_for_one, _claims(api, namespace, spec))),
    }
    return tuple(reason for reason, is_so in held.items() if is_so)


def _has_host_ports(spec: ApiObject) -> bool:
    """Whether the pod listens on its node: on the node's network anything it listens on is the node's port."""
    containers = (*spec["containers"], *(spec.get("initContainers") or ()))
    ports = (port for container in containers for port in container.get("ports") or ())
    return bool(spec.get("hostNetwork")) or any(port.get("hostPort") for port in ports)


def _has_disk(spec: ApiObject) -> bool:
    """Whether the pod itself names a disk that it writes to."""
    disks = ((volume.get(name) or {}) for volume in spec.get("volumes") or () for name in _DISKS & volume.keys())
    return any(not disk.get("readOnly") for disk in disks)


def _claims(api: KubernetesApi, namespace: str, spec: ApiObject) -> Iterator[ApiObject]:
    """The claims that a replacement names too. A claim that is made for each pod anew is no such one."""
    named = (volume.get("persistentVolumeClaim") for volume in spec.get("volumes") or ())
    for name in dict.fromkeys(claim["claimName"] for claim in named if claim):
        yield api.get(api_paths.volume_claim(namespace, name))


def _is_for_one(claim: ApiObject) -> bool:
    """Whether one node, or one pod, alone can have the volume. A claim that says nothing counts as such."""
    modes = (claim.get("status") or {}).get("accessModes") or claim.get("spec", {}).get("accessModes") or ()
    return not _SHARED & {*modes}
