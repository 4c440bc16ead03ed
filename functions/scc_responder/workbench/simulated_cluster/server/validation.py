"""What the API server refuses to store: names, labels, annotations, and fields that may not change.

Source: k8s.io/apimachinery/pkg/util/validation; k8s.io/kubernetes/pkg/apis/core/validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.server.refusal import bad_request, invalid
from scc_responder.workbench.simulated_cluster.server.resources import RequestTarget

Cause = tuple[str, str]

_DNS_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?", re.ASCII)
_ANNOTATIONS_SIZE = 256 * 1024
_MUTABLE_POD_SPEC = frozenset({"activeDeadlineSeconds", "tolerations"})


def check_type(target: RequestTarget, body: ApiObject) -> None:
    """Refuse a body that is of another kind, or for another name or namespace, than its path says."""
    said = (body.get("apiVersion"), body.get("kind"))
    if said != (target.resource.api_version, target.resource.kind):
        raise bad_request(f"the object provided is unrecognized (must be of type {target.resource.kind}): {said}")
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        raise bad_request("the object has no metadata")
    if metadata.get("namespace", target.namespace) != target.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")


def check(target: RequestTarget, stored: ApiObject | None, new: ApiObject) -> None:
    """Refuse (422) an object that may not be stored, or not in place of `stored`."""
    causes = [*_metadata_causes(new["metadata"])]
    if stored is not None:
        causes += _update_causes(target, stored, new)
    if target.resource.kind == "NetworkPolicy":
        causes += _policy_causes(new.get("spec", {}))
    if causes:
        raise invalid(target, causes)


def _metadata_causes(metadata: ApiObject) -> Iterator[Cause]:
    name = metadata.get("name", "")
    if len(name) > 253 or not _SUBDOMAIN.fullmatch(name):
        yield "metadata.name", f"Invalid value: {name!r}: a lowercase RFC 1123 subdomain is required"
    yield from _label_causes("metadata.labels", metadata.get("labels") or {})
    annotations = metadata.get("annotations") or {}
    yield from _key_causes("metadata.annotations", (key.lower() for key in annotations))
    if sum(len(f"{key}{value}".encode()) for key, value in annotations.items()) > _ANNOTATIONS_SIZE:
        yield "metadata.annotations", "Too long: may not be more than 262144 bytes"


def _label_causes(field: str, labels: dict[str, Any]) -> Iterator[Cause]:
    yield from _key_causes(field, labels)
    for value in labels.values():
        if not isinstance(value, str) or (value and (len(value) > 63 or not _WORD.fullmatch(value))):
            yield field, f"Invalid value: {value!r}: a valid label must be an empty string or consist of alphanumerics"


def _key_causes(field: str, keys: Iterable[str]) -> Iterator[Cause]:
    for key in keys:
        prefix, slash, name = key.rpartition("/")
        named = len(name) <= 63 and _WORD.fullmatch(name)
        prefixed = not slash or (len(prefix) <= 253 and _SUBDOMAIN.fullmatch(prefix))
        if not named or not prefixed:
            yield field, f"Invalid value: {key!r}: not a qualified name"


def _update_causes(target: RequestTarget, stored: ApiObject, new: ApiObject) -> Iterator[Cause]:
    for field in ("uid", "name", "namespace", "creationTimestamp"):
        if new["metadata"].get(field) != stored["metadata"].get(field):
            yield f"metadata.{field}", f"Invalid value: {new['metadata'].get(field)!r}: field is immutable"
    if target.resource.kind == "Pod" and _fixed(stored.get("spec", {})) != _fixed(new.get("spec", {})):
        yield "spec", "Forbidden: pod updates may not change fields other than container images and tolerations"


def _fixed(spec: ApiObject) -> ApiObject:
    """The part of a pod's spec that no update may change."""
    containers = [{**container, "image": ""} for container in spec.get("containers", ())]
    return {**{key: value for key, value in spec.items() if key not in _MUTABLE_POD_SPEC}, "containers": containers}


def _policy_causes(spec: ApiObject) -> Iterator[Cause]:
    yield from _label_causes("spec.podSelector.matchLabels", spec.get("podSelector", {}).get("matchLabels") or {})
    for kind in spec.get("policyTypes", ()):
        if kind not in {"Ingress", "Egress"}:
            yield "spec.policyTypes", f'Unsupported value: {kind!r}: supported values: "Ingress", "Egress"'
