"""The printed ClusterRole on the real API server: it suffices to contain a finding, and each verb of it is needed.

A few verbs are taken away one by one in `make test`, all of them in `make soak`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from scc_responder.cli.main import main
from scc_responder.domain.kubernetes.network_policies.policy_kinds import LISTS_OTHER_POLICIES
from scc_responder.workbench.needed_permissions import Need, cluster_role, needed, rule_of
from tests.cluster import objects
from tests.cluster.client import ApiFailure, object_path
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until
from tests.counts import Cases
from tests.kits.responder import ALL, CONTAINED, Deployment, Interposed, deployed, finding_about, policy, write_policies

pytestmark = pytest.mark.timeout(180)

ANY_POD = "delete_pod {allow_daemonset: true, allow_standalone: true, allow_last_replica: true}"
STEPS = [step.replace("delete_pod", ANY_POD) for step in ALL]
WHERE_SERVED = {str(one) for one in LISTS_OTHER_POLICIES}
"""Needed only in a cluster that serves these kinds: `test_other_policy_kinds.py` has one."""

NEEDS = tuple(need for need in needed(("", name) for name in ALL) if need.verb)
SERVED = tuple(need for need in NEEDS if need.permission not in WHERE_SERVED)
FEW = {"pods: get", "pods: delete", "networkpolicies.networking.k8s.io: get", "statefulsets.apps: get"}
TAKEN = Cases("verbs of the printed role taken away", [need for need in NEEDS if need.permission in FEW], SERVED)


class Killed(BaseException):
    """The process ends: nothing catches it, and no other step is done."""


class Privileged:
    """One service account in a namespace of its own, allowed what one printed role grants. See `deployed`."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane, self.namespace = plane, namespace
        self.url, self.ca_pem = plane.url, plane.ca_pem.encode()
        self.user = f"system:serviceaccount:{namespace}:scc-responder"
        self.started = datetime.now(UTC)
        self._token = objects.create_service_account(plane.admin, namespace, "scc-responder")

    def token(self, _user: str) -> str:
        """The account's token."""
        return self._token

    def grant(self, printed: str) -> None:
        """Apply what `permissions --format rbac` printed, and wait until the API server goes by it."""
        self.applied = list(yaml.safe_load_all(printed))
        self.plane.admin.apply(printed)
        wait_until(self._may_read_namespaces_or_pods, what="the role to be in force")

    def _may_read_namespaces_or_pods(self) -> bool:
        return any(self._may("get", resource) for resource in ("namespaces", "pods"))

    def _may(self, verb: str, resource: str) -> bool:
        asked = {"user": self.user, "resourceAttributes": {"verb": verb, "resource": resource}}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": asked}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        return bool(self.plane.admin.request("POST", path, review)["status"]["allowed"])

    def revoke(self) -> None:
        """Take the role and its binding away."""
        for item in self.applied:
            with suppress(ApiFailure):
                self.plane.admin.delete(object_path(item))

    def used(self) -> set[tuple[str, str, int]]:
        """(resource, verb, status) of every request about a resource, by the audit log."""
        events = self.plane.audit(user=self.user, since=self.started)
        return {(event.rbac_resource, event.verb, event.code) for event in events if event.resource}


@pytest.fixture
def account(control_plane: ControlPlane, namespace: str) -> Iterator[Privileged]:
    """A service account that may do nothing yet."""
    made = Privileged(control_plane, namespace)
    yield made
    made.revoke()


def printed(folder: Path, account: Privileged) -> str:
    """What the command prints for the policies of a folder."""
    shown = StringIO()
    with redirect_stdout(shown):
        names = ("--name", f"scc-responder-{account.namespace}", "--user", account.user)
        assert main(["permissions", "--policies", str(folder), "--format", "rbac", *names]) == 0
    return shown.getvalue()


def contained(account: Privileged, tmp_path: Path, pod: dict[str, Any]) -> tuple[Deployment, dict[str, Any], str]:
    """What came of a finding about the pod: the deployment, the finding, and the last delivery's reason.

    A first delivery crashes in the middle: what is needed to go on after that is needed too.
    """
    deployment = deployed(tmp_path, account, policy(*STEPS))
    deployment.services.wait = time.sleep
    document, api = finding_about(pod), deployment.clusters.api
    deployment.clusters.api = Interposed(api, before=_crash_at_create)
    with suppress(Killed):
        deployment.respond_to(document)
    deployment.clusters.api = api
    return deployment, document, deployment.deliver(document).reason


def _crash_at_create(_number: int, verb: str, _path: str) -> None:
    if verb == "create":
        raise Killed


def test_the_printed_role_is_enough(account: Privileged, node: dict[str, Any], tmp_path: Path) -> None:
    """With the printed role, applied as it is, a finding is contained, and no request is refused."""
    account.grant(printed(write_policies(tmp_path / "printed", policy(*STEPS)), account))
    account.plane.admin.create(objects.deployment("web", account.namespace, node["metadata"]["name"]))
    pod = objects.running_pods(account.plane.admin, account.namespace, "web")[0]

    deployment, document, reason = contained(account, tmp_path, pod)

    used = account.used()
    granted = {(rule_of(need.resource)[1], need.verb) for need in NEEDS}
    assert (reason, deployment.outcomes(document)) == ("done", CONTAINED)
    assert {request for request in used if request[2] == 403} == set()
    assert {(resource, verb) for resource, verb, _ in used} <= granted
    unserved = {(rule_of(need.resource)[1], need.verb) for need in NEEDS if need.permission in WHERE_SERVED}
    unused = granted - {(resource, verb) for resource, verb, _ in used} - unserved
    assert unused <= {(kind, "get") for kind in OWNERS}


def _owned_directly(kind: str, version: str, **spec: Any) -> Callable[[ControlPlane, str, str], dict[str, Any]]:
    """A pod that says it belongs to a workload which makes no pods itself."""

    def make(plane: ControlPlane, namespace: str, node: str) -> dict[str, Any]:
        owner = {"apiVersion": version, "kind": kind, "metadata": {"name": "own", "namespace": namespace}, "spec": spec}
        uid = plane.admin.create(owner)["metadata"]["uid"]
        pod = objects.pod("web", namespace, node)
        reference = {"apiVersion": version, "kind": kind, "name": "own", "uid": uid, "controller": True}
        pod["metadata"]["ownerReferences"] = [reference]
        return objects.create_running(plane.admin, pod)

    return make


def _owned_by(
    manifest: Callable[[str, str, str], dict[str, Any]],
) -> Callable[[ControlPlane, str, str], dict[str, Any]]:
    """A pod that a workload made."""

    def make(plane: ControlPlane, namespace: str, node: str) -> dict[str, Any]:
        plane.admin.create(manifest("web", namespace, node))
        return objects.running_pods(plane.admin, namespace, "web")[0]

    return make


def _replication_controller(name: str, namespace: str, node: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": objects.pod_spec(node)}
    meta = {"name": name, "namespace": namespace}
    spec = {"replicas": 1, "selector": {"app": name}, "template": template}
    return {"apiVersion": "v1", "kind": "ReplicationController", "metadata": meta, "spec": spec}


_OTHER = {"metadata": {"labels": {"app": "other"}}, "spec": {"containers": [{"name": "c", "image": "c"}]}}
_ONCE = {**_OTHER["spec"], "restartPolicy": "Never"}
OWNERS = {
    "replicationcontrollers": _owned_by(_replication_controller),
    "replicasets": _owned_by(objects.deployment),
    "statefulsets": _owned_by(objects.stateful_set),
    "daemonsets": _owned_by(objects.daemon_set),
    "jobs": _owned_by(objects.job),
    "deployments": _owned_directly(
        "Deployment", "apps/v1", replicas=0, selector={"matchLabels": {"app": "other"}}, template=_OTHER
    ),
    "cronjobs": _owned_directly(
        "CronJob", "batch/v1", schedule="0 0 1 1 *", jobTemplate={"spec": {"template": {"spec": _ONCE}}}
    ),
}
"""A pod for each kind of owner whose reading needs a permission of its own."""


@pytest.mark.parametrize("need", TAKEN.chosen, ids=lambda need: need.permission)
def test_each_verb_is_needed(account: Privileged, node: dict[str, Any], tmp_path: Path, need: Need) -> None:
    """Without one verb, the case or the delivery says which permission is missing, and claims nothing it did not do."""
    all_verbs = list(yaml.safe_load_all(printed(write_policies(tmp_path / "printed", policy(*STEPS)), account)))
    less = cluster_role([other for other in NEEDS if other != need], all_verbs[0]["metadata"]["name"])
    account.grant(yaml.safe_dump_all([less, all_verbs[1]]))
    resource = rule_of(need.resource)[1]
    pod = OWNERS.get(resource, OWNERS["replicasets"])(account.plane, account.namespace, node["metadata"]["name"])

    deployment, document, reason = contained(account, tmp_path, pod)

    told = msgspec.json.encode(deployment.case(document)).decode() + str(deployment.line)
    done = {(verb, kind) for kind, verb, code in account.used() if code < 300}
    assert {(kind, verb) for kind, verb, code in account.used() if code == 403} == {(resource, need.verb)}
    assert f"missing permission: {need.permission}" in told
    assert (need.verb, resource) not in done
    assert reason != "done" or (need.verb == "get" and resource in {*OWNERS, "namespaces"})
