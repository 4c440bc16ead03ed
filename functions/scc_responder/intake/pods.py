"""The pods and containers that a finding names, and where its parts disagree on them.

Typed fields (`kubernetes`, `containers`) come first, then `sourceProperties`, then `affectedResources`. Each of them
that says something must say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import Any

from scc_responder.domain.finding import FindingContainer, KubernetesObject, PodRef
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import is_namespace, is_object_name
from scc_responder.domain.value import Value
from scc_responder.intake.fields import field, part, records, text, timestamp

MAX_PODS = 64
MAX_CONTAINERS = 64
MAX_CONTAINER_RECORDS = 512
MAX_POD_RECORDS = 512


class Pods(Value, frozen=True, kw_only=True):
    """The distinct pods that a finding names, and what is wrong with that."""

    pods: tuple[PodRef, ...]
    contradictions: tuple[str, ...]
    truncated: bool


def read_pods(finding: Mapping[str, Any], source: Mapping[str, Any], affected: Iterable[KubernetesObject]) -> Pods:
    """The pods by the first part of the finding that names one; `pod` is contradicted by any part that says otherwise.

    A name that Kubernetes would refuse is left out and named `invalid_pod_name`: it would become part of a path. Of
    more records than any pod has (`too_many_pods`) the rest is not read.
    """
    kubernetes = part(finding, "kubernetes")
    listed, named_objects = records(field(kubernetes, "pods")), records(field(kubernetes, "objects"))
    typed = [(text(pod, "ns"), text(pod, "name")) for pod in listed[:MAX_POD_RECORDS]]
    objects = [item for item in named_objects[:MAX_POD_RECORDS] if text(item, "kind") == "Pod"]
    ranked = [
        typed,
        [(text(source, "Pod_Namespace"), text(source, "Pod_Name"))],
        [(text(item, "ns"), text(item, "name")) for item in objects],
        [(item.namespace, item.name) for item in affected if item.kind == "Pod"],
    ]
    complete = [[pair for pair in dict.fromkeys(pairs) if all(pair)] for pairs in ranked]
    named = next((pairs for pairs in complete if pairs), [])
    valid = [
        PodRef(namespace=space, name=name) for space, name in named if is_namespace(space) and is_object_name(name)
    ]
    faults = {
        "pod": any(not _consistent(pairs, named) for pairs in ranked),
        Reason.SEVERAL_PODS: len(named) > 1,
        "too_many_pods": max(len(listed), len(named_objects)) > MAX_POD_RECORDS,
        "invalid_pod_name": len(valid) < len(named),
    }
    return Pods(
        pods=tuple(valid[:MAX_PODS]),
        contradictions=tuple(name for name, found in faults.items() if found),
        truncated=len(valid) > MAX_PODS,
    )


def _consistent(pairs: Iterable[tuple[str, str]], named: list[tuple[str, str]]) -> bool:
    """Whether each of the pairs, half-empty ones included, fits one of the named pods."""
    if not named:
        return True
    namespaces, names, both = {space for space, _ in named}, {name for _, name in named}, set(named)
    return all(
        (space, name) in both if space and name else (not space or space in namespaces) and (not name or name in names)
        for space, name in pairs
    )


class Containers(Value, frozen=True, kw_only=True):
    """The containers that a finding names, the affected one first, and what is wrong with that."""

    containers: tuple[FindingContainer, ...]
    contradictions: tuple[str, ...]
    truncated: bool


def read_containers(finding: Mapping[str, Any], source: Mapping[str, Any]) -> Containers:
    """The containers, those of `containers` before those of the pods; one record for each name."""
    pods = records(field(part(finding, "kubernetes"), "pods"))
    listed = records(field(finding, "containers"))
    inner = (item for pod in pods for item in records(field(pod, "containers")))
    merged: dict[str, FindingContainer] = {}
    faults: set[str] = set()
    for item in islice(chain(listed, inner), MAX_CONTAINER_RECORDS):
        _merge(merged, _container(item), faults)
    _merge_source(merged, source, faults)
    containers = tuple(islice(merged.values(), MAX_CONTAINERS))
    return Containers(
        containers=containers, contradictions=tuple(sorted(faults)), truncated=len(merged) > MAX_CONTAINERS
    )


def _container(item: Mapping[str, Any]) -> FindingContainer:
    return FindingContainer(
        name=text(item, "name"),
        image=text(item, "uri"),
        image_id=text(item, "imageId"),
        create_time=timestamp(field(item, "createTime")),
    )


def _merge_source(merged: dict[str, FindingContainer], source: Mapping[str, Any], faults: set[str]) -> None:
    container = FindingContainer(
        name=text(source, "Container_Name"),
        image=text(source, "Container_Image_Uri"),
        image_id=text(source, "Container_Image_Id"),
        create_time=timestamp(source.get("Container_Creation_Timestamp")),
    )
    if not container.name:
        only = next(iter(merged), "") if len(merged) == 1 else ""
        container = FindingContainer(
            name=only, image=container.image, image_id=container.image_id, create_time=container.create_time
        )
    elif any(merged) and container.name not in merged:
        faults.add("container")
        return
    _merge(merged, container, faults)


def _merge(merged: dict[str, FindingContainer], container: FindingContainer, faults: set[str]) -> None:
    if not any((container.name, container.image, container.image_id)):
        return
    earlier = merged.get(container.name)
    if earlier is None:
        merged[container.name] = container
        return
    if _differ(earlier.image, container.image) or _differ(_digest(earlier.image_id), _digest(container.image_id)):
        faults.add("image")
    merged[container.name] = FindingContainer(
        name=earlier.name,
        image=earlier.image or container.image,
        image_id=earlier.image_id or container.image_id,
        create_time=earlier.create_time or container.create_time,
    )


def _differ(left: str, right: str) -> bool:
    return bool(left and right and left != right)


def _digest(image_id: str) -> str:
    return image_id.rpartition("sha256:")[2]
