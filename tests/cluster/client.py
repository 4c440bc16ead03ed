"""A plain client of an API server for tests: dicts in, dicts out, one request per call, nothing retried."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import urllib3
import yaml

from scc_responder.domain.value import Value

MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
_RESOURCES = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "FlowSchema": "flowschemas",
    "Namespace": "namespaces",
    "Node": "nodes",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
"""Cluster-wide kinds; namespaced ones are found by name."""
_IRREGULAR = {"NetworkPolicy": "networkpolicies", "PodDisruptionBudget": "poddisruptionbudgets"}


class Answer(Value, frozen=True, kw_only=True):
    """What the server answered, whatever it was."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = {}


class ApiFailure(Exception):  # noqa: N818 - names the server's answer
    """The server refused. `status` is the HTTP status, `body` the Kubernetes `Status`."""

    def __init__(self, what: str, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{what}: {status} {body.get('message', '')}")
        self.status = status
        self.body = body


def collection_path(manifest: Mapping[str, Any]) -> str:
    """Where objects of this kind (and namespace) are created: `/api/v1/namespaces/shop/pods`."""
    version, kind = manifest["apiVersion"], manifest["kind"]
    prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
    if kind in _RESOURCES:
        return f"{prefix}/{_RESOURCES[kind]}"
    resource = _IRREGULAR.get(kind, f"{kind.lower()}s")
    return f"{prefix}/namespaces/{manifest['metadata']['namespace']}/{resource}"


def object_path(manifest: Mapping[str, Any]) -> str:
    """The path of one object: `/api/v1/namespaces/shop/pods/web-1`."""
    return f"{collection_path(manifest)}/{manifest['metadata']['name']}"


class ClusterClient:
    """One identity's connection to one API server. TLS is verified. Paths are as in the API reference."""

    def __init__(
        self,
        url: str,
        ca_file: str | Path,
        token: str = "",
        cert_file: str | None = None,
        key_file: str | None = None,
    ) -> None:
        self.url = url
        self.ca_file = ca_file
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._pool = urllib3.PoolManager(
            maxsize=8,
            ca_certs=str(ca_file),
            cert_file=cert_file,
            key_file=key_file,
            headers=headers,
            retries=False,
            timeout=30,
        )

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] = {},
        **query: str,
    ) -> Answer:
        """One request, whose failure is an answer too."""
        target = f"{self.url}{path}{'?' + urlencode(query) if query else ''}"
        fields = {**self._pool.headers, "Content-Type": content_type, "Accept": "application/json", **headers}
        content = None if body is None else json.dumps(body).encode()
        response = self._pool.request(method, target, body=content, headers=fields)
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        answered = response.json() if is_json else {"message": response.data.decode()}
        return Answer(status=response.status, body=answered, headers=dict(response.headers))

    def request(self, method: str, path: str, body: object = None, **options: Any) -> dict[str, Any]:
        """One request. Raises ApiFailure unless the server agreed."""
        answer = self.send(method, path, body, **options)
        if answer.status >= 300:
            raise ApiFailure(f"{method} {path}", answer.status, answer.body)
        return answer.body

    def get(self, path: str) -> dict[str, Any]:
        """Read one object. Raises ApiFailure."""
        return self.request("GET", path)

    def apply(self, manifests: str) -> Sequence[dict[str, Any]]:
        """Server-side apply of a YAML text of any number of objects. Raises ApiFailure."""
        return [
            self.request("PATCH", object_path(item), item, content_type=APPLY_PATCH, fieldManager="tests", force="true")
            for item in yaml.safe_load_all(manifests)
        ]

    def create(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Create the object a manifest describes, with its `status` where it has one. Raises ApiFailure."""
        created = self.request("POST", collection_path(manifest), manifest)
        if "status" in manifest:
            return self.patch(f"{object_path(created)}/status", {"status": manifest["status"]})
        return created

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """JSON merge patch. Raises ApiFailure."""
        return self.request("PATCH", path, body, content_type=MERGE_PATCH)

    def delete(self, path: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Delete one object, or a collection. Raises ApiFailure."""
        return self.request("DELETE", path, options)

    def list(self, path: str, **query: str) -> list[dict[str, Any]]:
        """All items of a collection; `labelSelector="app=web"` narrows them. Raises ApiFailure."""
        return cast("list[dict[str, Any]]", self.request("GET", path, **query)["items"])
