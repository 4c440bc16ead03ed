"""The responder in a cluster: a service account, its role, and admission policies in the shipped ones' words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import yaml

from scc_responder.checkup.cluster import ACTS, MODE, SWITCH
from scc_responder.permissions import Need, cluster_role, cluster_role_binding, of_all_actions
from tests.cluster import objects
from tests.cluster.client import ApiFailure, object_path
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until

NEEDS = tuple(need for need in of_all_actions() if need.verb)
RULES = {"apiGroups": ["networking.k8s.io"], "apiVersions": ["v1"], "operations": ["CREATE"]}
ISOLATES = "has(object.spec.podSelector.matchLabels) && !has(object.spec.egress)"
SWITCHED = f"params.metadata.?annotations['{MODE}'].orValue('')"
IN_MODE = f"{SWITCHED} == 'enforce' || ({SWITCHED} == 'dry_run' && request.?dryRun.orValue(false))"


class Member:
    """One service account in a namespace of its own, which bears the parameter too. It is gone after the block."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.namespace = objects.create_namespace(plane.admin)
        self.user = f"system:serviceaccount:{self.namespace}:scc-responder"
        self._applied: list[dict[str, Any]] = []
        account = {"name": "scc-responder", "namespace": self.namespace}
        plane.admin.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 900}}
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/scc-responder/token"
        self.token = str(plane.admin.request("POST", path, request)["status"]["token"])

    def install(self, *, without: Iterable[str] = (), needs: Iterable[Need] = NEEDS, mode: str = "enforce") -> None:
        """Apply role, policies and parameter, and wait until the API server goes by them.

        `without`: policies that are left out, by their names.
        """
        name, left_out = f"scc-responder-{self.namespace}", set(without)
        self._apply(cluster_role(needs, name), cluster_role_binding(name, self.user))
        self.switch(mode)
        for policy, expression, parameter in ((ACTS, ISOLATES, {}), (SWITCH, IN_MODE, self._parameter)):
            if policy not in left_out:
                self._apply(*self._admission(policy, expression, parameter))
        wait_until(lambda: self._may("get", "pods"), what="the role to be in force")
        if ACTS not in left_out:
            wait_until(lambda: not self._admitted({"egress": [{}]}), what="the admission policy to be in force")
        if SWITCH not in left_out:
            wait_until(lambda: self._admitted({}) == (mode in {"enforce", "dry_run"}), what="the mode to be in force")

    def switch(self, mode: str) -> None:
        """Set the parameter; with an empty word, take it away."""
        path = f"/api/v1/namespaces/{self.namespace}"
        self.plane.admin.patch(path, {"metadata": {"annotations": {MODE: mode or None}}})

    @property
    def _parameter(self) -> dict[str, Any]:
        return {"paramKind": {"apiVersion": "v1", "kind": "Namespace"}}

    def _admission(self, policy: str, expression: str, parameter: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        name = f"{policy}-{self.namespace}"
        mine = {"name": "scc-responder", "expression": f"request.userInfo.username == '{self.user}'"}
        spec = {
            **parameter,
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{**RULES, "resources": ["networkpolicies"]}]},
            "matchConditions": [mine],
            "validations": [{"expression": expression, "message": f"not allowed by {policy}"}],
        }
        reference = {"name": self.namespace, "parameterNotFoundAction": "Deny"}
        bound = {"policyName": name, "validationActions": ["Deny"], **({"paramRef": reference} if parameter else {})}
        version = {"apiVersion": "admissionregistration.k8s.io/v1"}
        return (
            {**version, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec},
            {**version, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": bound},
        )

    def _apply(self, *manifests: dict[str, Any]) -> None:
        self.plane.admin.apply(yaml.safe_dump_all(manifests))
        self._applied += manifests

    def _may(self, verb: str, resource: str) -> bool:
        asked = {"user": self.user, "resourceAttributes": {"verb": verb, "resource": resource}}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": asked}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        return bool(self.plane.admin.request("POST", path, review)["status"]["allowed"])

    def _admitted(self, more: Mapping[str, Any]) -> bool:
        path = f"/apis/networking.k8s.io/v1/namespaces/{self.namespace}/networkpolicies"
        body = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "tried", "namespace": self.namespace},
            "spec": {"podSelector": {"matchLabels": {"a": "b"}}, "policyTypes": ["Egress"], **more},
        }
        headers = {"Impersonate-User": self.user}
        return self.plane.admin.send("POST", path, body, headers=headers, dryRun="All").status == 201

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for item in self._applied:
            with suppress(ApiFailure):
                self.plane.admin.delete(object_path(item))
        self.plane.admin.delete(f"/api/v1/namespaces/{self.namespace}")
