"""The kustomization in the test cluster, for an identity of its own; others' tests go on beside it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import yaml

from scc_responder.guard.google_agents import AGENT_PODS
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.admission.kustomize import build, of_kind
from tests.cluster import objects
from tests.cluster.audit import AuditEvent
from tests.cluster.client import MERGE_PATCH, Answer, ApiFailure, ClusterClient, object_path
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until

MODE = "scc-responder/mode"
UID = "11111111-2222-4333-8444-555555555555"
WIDE = "wide"
_REPOSITORY = "europe-docker.pkg.dev/example-project/tools/collector"
COLLECTOR = {"image": f"{_REPOSITORY}@sha256:{'a' * 64}", "image_before": f"{_REPOSITORY}@sha256:{'b' * 64}"}


def protected_namespace(admin: ClusterClient, *, of_agent: bool) -> str:
    """A new namespace of a name that the shipped guardrails list, which no other test uses now, with its account.

    `of_agent`: whether it is one of those whose every pod is Google's own agent by the namespace alone.
    """
    of_agents = {namespace for namespace, name in AGENT_PODS if name == "*"}
    listed = load_policies(PACK).guardrails.protected.namespaces
    for name in listed:
        if any(fnmatchcase(name, pattern) for pattern in of_agents) is not of_agent:
            continue
        with suppress(ApiFailure):  # it is there
            admin.create(objects.namespace(name))
            wait_until(partial(_has_account, admin, name), what="the default service account")
            return name
    raise AssertionError("every such namespace is used")


def _has_account(admin: ClusterClient, namespace: str) -> bool:
    return admin.send("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default").status == 200


def network_policy(
    namespace: str, name: str = f"scc-responder-0123456789ab-{UID[:8]}", uid: str = UID
) -> dict[str, Any]:
    """The NetworkPolicy that isolates a pod, in the form that the responder gives it."""
    label = {"scc-responder/isolated-pod": uid}
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": uid}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": label,
            "annotations": {"scc-responder/action-id": "a"},
            "ownerReferences": [owner],
        },
        "spec": {"podSelector": {"matchLabels": label}, "policyTypes": ["Ingress", "Egress"]},
    }


class Installed:
    """What `kubectl apply -k` puts there, under names with a suffix, with the parameter on a namespace of its own.

    It is a side for `deployed`. With `wide`, the identity is a cluster-admin too, so that nothing but admission holds.
    `filled`: the lines of identity.yaml that were edited. `collector`: those of forensic/collector.yaml.
    """

    def __init__(
        self,
        plane: ControlPlane,
        namespace: str,
        *,
        wide: bool = False,
        filled: Sequence[str] = ("email", "unique_id"),
        collector: Mapping[str, str] = COLLECTOR,
    ) -> None:
        self.plane, self.namespace = plane, namespace
        self.url, self.ca_pem = plane.url, plane.ca_pem.encode()
        self.started = datetime.now(UTC)
        self._token = objects.create_service_account(plane.admin, namespace, "scc-responder")
        self.names = {
            "email": f"system:serviceaccount:{namespace}:scc-responder",
            "unique_id": str(random.randrange(10**20, 10**21)),
        }
        identity = {name: self.names[name] for name in filled}
        self.manifests = build(identity, ["forensic"], suffix=f"-{namespace}", collector=collector)
        binding = of_kind(self.manifests, "ClusterRoleBinding")[0]
        self.bound = [subject["name"] for subject in binding["subjects"]]
        for item in of_kind(self.manifests, "ValidatingAdmissionPolicyBinding"):
            if "paramRef" in item["spec"]:
                item["spec"]["paramRef"]["name"] = namespace
        if wide:
            self.manifests.append(self._wide())

    def _wide(self) -> dict[str, Any]:
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        users = [{"apiGroup": role["apiGroup"], "kind": "User", "name": name} for name in self.names.values()]
        meta = {"name": f"{WIDE}-{self.namespace}"}
        kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding"}
        return {**kind, "metadata": meta, "roleRef": role, "subjects": users}

    def token(self, _user: str) -> str:
        """The account's token."""
        return self._token

    def apply(self) -> None:
        """Apply it, and wait until the API server goes by all of it: nothing may be written then."""
        self.plane.admin.apply(yaml.safe_dump_all(self.manifests))
        for name in self.bound:
            self._wait_refused("scc-responder-mode", name)
        self.switch("enforce")
        self._wait_refused("scc-responder-acts", self.bound[0], "x")
        self.switch(None)

    def _wait_refused(self, policy: str, who: str, name: str = "") -> None:
        wait_until(lambda: policy in self._isolating(who, name), what=f"{policy} to be in force")

    def switch(self, mode: str | None) -> None:
        """Set or take away the mode as a person does, and wait until the API server has heard of it."""
        path = f"/api/v1/namespaces/{self.namespace}"
        self.plane.admin.patch(path, {"metadata": {"annotations": {MODE: mode}}})
        wanted = {"enforce": (True, True), "dry_run": (False, True)}.get(mode or "", (False, False))
        wait_until(lambda: self._writes() == wanted, what=f"mode {mode} to be in force")

    def _writes(self) -> tuple[bool, bool]:
        """Whether an act is admitted, and whether its rehearsal is."""
        allowed = not self._isolating(self.bound[0], dry_run="")
        if allowed:
            with suppress(ApiFailure):
                self.plane.admin.delete(object_path(network_policy(self.namespace)))
        return allowed, not self._isolating(self.bound[0])

    def _isolating(self, who: str, name: str = "", dry_run: str = "All") -> str:
        """What is said against isolating a pod; empty if nothing is."""
        policy = network_policy(self.namespace, **({"name": name} if name else {}))
        path = object_path(policy).rpartition("/")[0]
        answer = self.send(self.names.get(who, who), "POST", path, policy, **({"dryRun": dry_run} if dry_run else {}))
        return "" if answer.status == 201 else str(answer.body["message"])

    def send(self, user: str, method: str, path: str, body: object = None, **query: str) -> Answer:
        """One request as this user. A PATCH is a merge patch."""
        kind = MERGE_PATCH if method == "PATCH" else "application/json"
        headers = {"Impersonate-User": user}
        return self.plane.admin.send(method, path, body, content_type=kind, headers=headers, **query)

    def flow_of(self, user: str) -> tuple[str, str]:
        """UIDs of the FlowSchema and the level that the API server puts a read of this user under."""
        headers = {"Impersonate-User": user}
        answer = self.plane.admin.send("GET", f"/api/v1/namespaces/{self.namespace}", headers=headers)
        names = ("X-Kubernetes-Pf-Flowschema-Uid", "X-Kubernetes-Pf-Prioritylevel-Uid")
        return answer.headers.get(names[0], ""), answer.headers.get(names[1], "")

    def requests(self) -> Sequence[AuditEvent]:
        """What the account itself asked of the server, by the audit log; not what was sent in its name."""
        return self.plane.audit(user=self.names["email"], since=self.started)

    def writes(self) -> list[AuditEvent]:
        """Those of them that would change something."""
        return [event for event in self.requests() if event.verb not in {"get", "list", "watch"}]

    def remove(self) -> None:
        """Take all of it away again."""
        for item in self.manifests:
            with suppress(ApiFailure):
                self.plane.admin.delete(object_path(item))

    def set_policy(self, policy: Mapping[str, Any]) -> None:
        """Apply another version of one object."""
        self.plane.admin.apply(yaml.safe_dump(policy))
