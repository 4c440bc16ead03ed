"""The kustomization of undo in the test cluster, for an identity of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import yaml

from tests.admission.installed import network_policy
from tests.admission.kustomize import FOLDER, build
from tests.cluster import objects
from tests.cluster.client import MERGE_PATCH, Answer, ApiFailure, object_path
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until


class UndoInstalled:
    """What `kubectl apply -k terraform/kubernetes/undo` puts there, under names with a suffix.

    With `wide`, the identity is a cluster-admin too, so that nothing but admission holds. It is a side for `api_of`.
    `collector`: the lines of forensic/collector.yaml that were edited; None: without that component.
    """

    def __init__(
        self, plane: ControlPlane, namespace: str, *, wide: bool = False, collector: Mapping[str, str] | None = None
    ) -> None:
        self.plane, self.namespace = plane, namespace
        self.url, self.ca_pem = plane.url, plane.ca_pem.encode()
        self._token = objects.create_service_account(plane.admin, namespace, "undo")
        self.user = f"system:serviceaccount:{namespace}:undo"
        names = {"email": self.user, "unique_id": "1" * 21}
        components = [] if collector is None else ["forensic"]
        undo = FOLDER / "undo"
        self.manifests = build(names, components, f"-{namespace}", folder=undo, collector=collector or {})
        if wide:
            self.manifests.append(self._wide())

    def _wide(self) -> dict[str, Any]:
        group = "rbac.authorization.k8s.io"
        role = {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"}
        subjects = [{"apiGroup": group, "kind": "User", "name": self.user}]
        kind = {"apiVersion": f"{group}/v1", "kind": "ClusterRoleBinding"}
        return {**kind, "metadata": {"name": f"undo-wide-{self.namespace}"}, "roleRef": role, "subjects": subjects}

    def token(self, _user: str) -> str:
        """The account's token."""
        return self._token

    def apply(self) -> None:
        """Apply it, and wait until the API server goes by it."""
        self.plane.admin.apply(yaml.safe_dump_all(self.manifests))
        other = {**network_policy(self.namespace), "spec": {"podSelector": {}}}
        other["metadata"] = {"name": "not-ours", "namespace": self.namespace}
        path = object_path(
            self.plane.admin.create(other) | {"kind": "NetworkPolicy", "apiVersion": other["apiVersion"]}
        )
        policy = f"scc-responder-undo-{self.namespace}"

        def refused() -> str:
            return str(self.send("DELETE", path, dryRun="All").body.get("message", ""))

        wait_until(lambda: policy in refused(), what=f"{policy} to be in force")
        self.plane.admin.delete(path)

    def send(self, method: str, path: str, body: object = None, **query: str) -> Answer:
        """One request as this identity. A PATCH is a merge patch."""
        kind = MERGE_PATCH if method == "PATCH" else "application/json"
        headers = {"Impersonate-User": self.user}
        return self.plane.admin.send(method, path, body, content_type=kind, headers=headers, **query)

    def put_in(self, pod: str, *containers: Mapping[str, Any], **query: str) -> Answer:
        """One request that puts containers into a running pod."""
        path, body = f"{pod}/ephemeralcontainers", {"spec": {"ephemeralContainers": list(containers)}}
        headers, kind = {"Impersonate-User": self.user}, "application/strategic-merge-patch+json"
        return self.plane.admin.send("PATCH", path, body, content_type=kind, headers=headers, **query)

    def remove(self) -> None:
        """Take all of it away again."""
        for item in self.manifests:
            with suppress(ApiFailure):
                self.plane.admin.delete(object_path(item))
