"""The parts that a rehearsal stands on, and one finding's way through them.

Google's emulators and local servers hold what Terraform rendered; the cluster, which is the stage's own, holds what
`kubectl apply -k terraform/kubernetes` puts there, under its own names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from tests.admission.kustomize import build, of_kind
from tests.cluster import objects
from tests.cluster.audit import AuditEvent
from tests.cluster.client import object_path
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubelet import LogKubelet
from tests.cluster.polling import wait_until
from tests.e2e.test_end_to_end import gke_cluster
from tests.kits.google.emulator import Emulator
from tests.kits.google.firestore import FirestoreEmulator
from tests.kits.google.grpc_servers import item
from tests.kits.responder import finding_about
from tests.rehearsal.google_side import GoogleSide, ServedBy
from tests.rehearsal.rendered import Rendered

MODE = "scc-responder/mode"


class Stage(GoogleSide):
    """All parts, from `with` until its end. `served` runs the function in an environment of its own."""

    def __init__(
        self, rendered: Rendered, plane: ControlPlane, pubsub: Emulator, firestore: FirestoreEmulator, folder: Path
    ) -> None:
        super().__init__(rendered, pubsub, firestore, folder)
        self.plane = plane
        self.user = rendered.identity["email"]
        self.kubelet = LogKubelet(plane)
        self.gke.clusters = {rendered.cluster: gke_cluster(plane)}
        self.manifests = build(rendered.identity)
        (folder / "token").write_text(plane.token("deployed"))
        self.grant()

    def grant(self, without: str = "") -> None:
        """Let Google's side go by the rendered roles of the function's identity, or by all but one permission."""
        held = self.rendered.held(without)
        project = self.rendered.cluster.split("/")[1]
        scope = next(target for target in held if target.startswith("organization/"))
        self.security_center.granted = held[scope]
        self.gke.granted = self.logging.granted = held[f"project/{project}"]

    def install(self) -> None:
        """Apply the kustomization, switch it on as its README says, and wait until all of it is in force."""
        self.plane.admin.apply(yaml.safe_dump_all(self.manifests))
        self.plane.admin.patch("/api/v1/namespaces/default", {"metadata": {"annotations": {MODE: "enforce"}}})
        wait_until(lambda: self.may("get", "namespaces"), what="the roles to be in force")
        wait_until(self._refuses_strange_acts, what="the admission policies to be in force")

    def _refuses_strange_acts(self) -> bool:
        """Whether admission refuses a network policy of another form, which the roles would allow."""
        manifest = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "strange", "namespace": "default"},
            "spec": {"podSelector": {}},
        }
        path = object_path(manifest).rpartition("/")[0]
        answer = self.plane.client("deployed").send("POST", path, manifest, dryRun="All")
        return answer.status == 422 and "scc-responder-acts" in answer.body["message"]

    def may(self, verb: str, resource: str, group: str = "") -> bool:
        """Whether the API server's authorizer allows this verb to the function's identity."""
        asked = {"user": self.user, "resourceAttributes": {"verb": verb, "resource": resource, "group": group}}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": asked}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        return bool(self.plane.admin.request("POST", path, review)["status"]["allowed"])

    def roles(self) -> Sequence[dict[str, Any]]:
        """The shipped ClusterRoles."""
        return of_kind(self.manifests, "ClusterRole")

    def served(self, source: Path, **more: str) -> Served:
        """The function from this folder; `more` replaces addresses, or asks for a crash."""
        return Served(self, source, {**self.environment, **more})

    def victim(self, make: Callable[[ControlPlane, str, str], dict[str, Any]] | None = None) -> dict[str, Any]:
        """A finding about a pod in a namespace and on a node of its own; the pod is one of a Deployment of two."""
        admin = self.plane.admin
        space, node = objects.create_namespace(admin), objects.create_node(admin)["metadata"]["name"]
        self.kubelet.serve(node)
        if make:
            pod = make(self.plane, space, node)
        else:
            admin.create(objects.deployment("web", space, node, replicas=2))
            pod = objects.running_pods(admin, space, "web", count=2)[0]
        document = finding_about(
            pod,
            "modified_malicious_library_loaded",
            cluster=self.rendered.cluster,
            finding_id=pod["metadata"]["uid"].replace("-", ""),
        )
        self.security_center.items.append(item(document))
        return document

    def audit(self, since: datetime) -> Sequence[AuditEvent]:
        """What the function asked of the API server since, in the server's own words."""
        return self.plane.audit(user=self.user, since=since)

    def enter(self, parts: ExitStack) -> None:
        """Begin to serve, with all that is shipped in force."""
        super().enter(parts)
        parts.enter_context(self.kubelet)
        self.install()


class Served(ServedBy[Stage]):
    """The function behind the rendered subscription of a stage that has a cluster."""
