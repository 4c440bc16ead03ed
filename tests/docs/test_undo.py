"""The reference for on-call: what a person types to undo a case does undo it, by `kubectl` on a real API server."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.finding import case_id
from scc_responder.domain.labels import CASE_LABEL, EACH_CASE, ISOLATED_POD
from scc_responder.journal.case import CaseRecord
from tests.cluster import objects
from tests.cluster.client import ClusterClient
from tests.cluster.control_plane import ControlPlane
from tests.docs.examples import ROOT, commands
from tests.kits.responder import Deployment, deployed, finding_about, policy
from tests.requirements import missing

pytestmark = pytest.mark.timeout(180)

PAGE = (ROOT / "terraform" / "docs" / "on-call-reference.md").read_text()
PART = PAGE.partition("\n## Undo by hand\n")[2].partition("\n## ")[0]
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PART, re.DOTALL)
    for line in commands(block)
    if line.startswith("kubectl ")
]
POLICIES = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies"
ACTIONS = ("label_pod", "annotate_pod", "isolate_pod", "cordon_node")


@pytest.fixture
def pod(control_plane: ControlPlane, namespace: str, node: dict[str, Any]) -> dict[str, Any]:
    """One of two pods of a Deployment."""
    if shutil.which("kubectl") is None:
        missing("kubectl", "it is not in PATH", "gcloud components install kubectl")
    name = f"web-{uuid.uuid4().hex[:8]}"
    control_plane.admin.create(objects.deployment(name, namespace, node["metadata"]["name"], replicas=2))
    return objects.running_pods(control_plane.admin, namespace, name, count=2)[0]


class Side:
    """The control plane, as a deployment reaches it."""

    def __init__(self, plane: ControlPlane) -> None:
        self.url, self.ca_pem, self.token = plane.url, plane.ca_pem.encode(), plane.token


@pytest.fixture
def contained(control_plane: ControlPlane, tmp_path: Path, pod: dict[str, Any]) -> tuple[Deployment, CaseRecord]:
    """The case in which it was marked and cut off, and its node cordoned."""
    deployment = deployed(tmp_path, Side(control_plane), policy(*ACTIONS))
    deployment.services.wait = time.sleep
    document = finding_about(pod, finding_id=pod["metadata"]["uid"].replace("-", ""))
    assert deployment.respond_to(document).reason == "done"
    return deployment, deployment.case(document)


def typed(line: str, pod: dict[str, Any], case: str) -> list[str]:
    """The line with this pod, node and case in place of the page's."""
    meta = pod["metadata"]
    swaps = {
        "0123456789ab": case,
        "8f14e45f": meta["uid"][:8],
        "web-1": meta["name"],
        "gke-prod-1-pool-1-3f2a1b0c-q7wz": pod["spec"]["nodeName"],
        "--namespace shop": f"--namespace {meta['namespace']}",
        "app=web": f"app={meta['labels']['app']}",
    }
    for shown, own in swaps.items():
        line = line.replace(shown, own)
    return shlex.split(line)


def as_version_0_1_0_left_it(admin: ClusterClient, pod: dict[str, Any], case: str) -> None:
    """Put the older label, and a policy that selects by it, in place of this version's."""
    space, uid = pod["metadata"]["namespace"], pod["metadata"]["uid"]
    (made,) = admin.list(POLICIES.format(space))
    admin.delete(f"{POLICIES.format(space)}/{made['metadata']['name']}")
    older = {"scc-responder/pod-uid": uid}
    meta = {name: made["metadata"][name] for name in ("name", "namespace", "annotations", "ownerReferences")}
    spec = {**made["spec"], "podSelector": {"matchLabels": older}}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    admin.create({**kind, "metadata": {**meta, "labels": older}, "spec": spec})
    labels = {**older, ISOLATED_POD: None, f"{EACH_CASE}{case}": None}
    admin.patch(f"/api/v1/namespaces/{space}/pods/{pod['metadata']['name']}", {"metadata": {"labels": labels}})


@pytest.mark.parametrize("older", [False, True], ids=["this-version", "version-0.1.0"])
def test_the_undo_commands_restore_everything(
    control_plane: ControlPlane,
    pod: dict[str, Any],
    contained: tuple[Deployment, CaseRecord],
    tmp_path: Path,
    *,
    older: bool,
) -> None:
    """Typed in order, the commands find what the case touched, and leave pod, node and namespace as they were."""
    admin, name = control_plane.admin, pod["metadata"]["name"]
    space, case = pod["metadata"]["namespace"], case_id(contained[1].finding_key)
    if older:
        as_version_0_1_0_left_it(admin, pod, case)
    assert len(admin.list(POLICIES.format(space))) == 1
    told = ""
    for line in LINES:
        environment = {**os.environ, "KUBECONFIG": str(control_plane.kubeconfig), "HOME": str(tmp_path)}
        words = typed(line, pod, case)
        if older and words[1] == "get":
            words = [word.replace(EACH_CASE + case, f"{CASE_LABEL}={case}") for word in words]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told += done.stdout if words[1] == "get" else ""

    found = admin.get(f"/api/v1/namespaces/{space}/pods/{name}")["metadata"]
    node = admin.get(f"/api/v1/nodes/{pod['spec']['nodeName']}")
    left = [*found.get("labels", {}), *found.get("annotations", {}), *node["metadata"].get("annotations", {})]
    assert [key for key in left if key.startswith("scc-responder/")] == []
    assert admin.list(POLICIES.format(space)) == []
    assert not node["spec"].get("unschedulable")
    assert all(part in told for part in (name, f"networkpolicy.networking.k8s.io/scc-responder-{case}-", "true"))


def test_it_is_not_done_again(
    control_plane: ControlPlane, pod: dict[str, Any], contained: tuple[Deployment, CaseRecord]
) -> None:
    """Another delivery of the same finding leaves alone what a person undid."""
    deployment, record = contained
    space = pod["metadata"]["namespace"]
    (made,) = control_plane.admin.list(POLICIES.format(space))
    control_plane.admin.delete(f"{POLICIES.format(space)}/{made['metadata']['name']}")
    document = finding_about(pod, finding_id=pod["metadata"]["uid"].replace("-", ""))

    assert deployment.deliver(document).reason == "duplicate"
    assert deployment.case(document).steps == record.steps
    assert control_plane.admin.list(POLICIES.format(space)) == []


def test_commands_are_found() -> None:
    """The page is really searched."""
    assert [line.split()[1] for line in LINES] == [
        *("get", "get", "get", "delete", "get", "label", "annotate", "annotate", "label"),
        *("get", "uncordon", "annotate"),
    ]
