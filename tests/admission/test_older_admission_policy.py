"""This version where the admission policy is still that of version 0.1.0, and a pod that is full of annotations.

`version_0_1_0/admission.yaml` is that version's terraform/kubernetes/admission.yaml, to the letter.
"""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.mode import Mode
from scc_responder.workbench.doctor.cluster_checks import Examined, _admits
from tests.admission.installed import Installed
from tests.cluster import objects
from tests.cluster.client import ApiFailure
from tests.cluster.polling import wait_until
from tests.kits.responder import deployed, finding_about, mutations, policy

pytestmark = pytest.mark.timeout(180)

OLD = next(yaml.safe_load_all((Path(__file__).parent / "version_0_1_0" / "admission.yaml").read_text()))
STEPS = ("label_pod", "isolate_pod", "capture_evidence", "delete_pod")
TARGET = ClusterRef(project="example-project", location="europe-west1", name="prod-1")


@pytest.fixture
def older(shipped: Installed) -> Iterator[Installed]:
    """The shipped roles, with the rules of the older policy in force."""
    shipped.switch("enforce")
    now = next(item for item in shipped.manifests if item["metadata"]["name"].startswith("scc-responder-acts"))
    old = copy.deepcopy(now)
    old["spec"] |= {name: OLD["spec"][name] for name in ("variables", "validations")}
    shipped.set_policy(old)
    wait_until(lambda: "labeled with" in shipped._isolating("email"), what="the older policy to be in force")
    yield shipped
    shipped.set_policy(now)
    wait_until(lambda: not shipped._isolating("email"), what="this version's policy to be in force")


def running(installed: Installed, node: dict[str, Any]) -> dict[str, Any]:
    """A pod of a new Deployment of two."""
    name = f"web-{uuid.uuid4().hex[:8]}"
    admin = installed.plane.admin
    admin.create(objects.deployment(name, installed.namespace, node["metadata"]["name"], replicas=2))
    return objects.running_pods(admin, installed.namespace, name, count=2)[0]


def contained(installed: Installed, folder: Path, pod: dict[str, Any]) -> tuple[list[tuple[str, str]], list[str]]:
    """The steps as reason and detail, and the writes, of a finding about the pod."""
    deployment = deployed(folder, installed, policy(*STEPS))
    deployment.services.wait = time.sleep
    document = finding_about(pod, finding_id=pod["metadata"]["uid"].replace("-", ""))
    before = len(installed.writes())
    deployment.respond_to(document)
    steps = [(f"{step.action}: {step.reason}", step.detail) for step in deployment.case(document).steps]
    return steps, list(mutations(installed.writes()[before:]))


CONTAINED = [
    "label_pod: patched",
    "isolate_pod: patched",
    "isolate_pod: isolated",
    "capture_evidence: captured",
    "delete_pod: armed",
    "delete_pod: processes_ended",
]


def test_the_older_policy_is_served_by_its_own_keys(older: Installed, tmp_path: Path, node: dict[str, Any]) -> None:
    """The pod is isolated and deleted as before, and both steps say that the cluster's policy is older."""
    steps, _ = contained(older, tmp_path, running(older, node))
    assert [outcome for outcome, _ in steps] == CONTAINED
    assert [outcome for outcome, detail in steps if "admission_older" in detail] == [
        "isolate_pod: isolated",
        "delete_pod: processes_ended",
    ]


def test_doctor_names_a_cluster_of_the_older_policy(older: Installed) -> None:
    """By the refusal of a rehearsal, and with the command that mends it."""
    api = connect(older.url, older.ca_pem, lambda: older.token("responder"))
    examined = Examined(ref=TARGET, needs=(), furthest=Mode.ENFORCE, namespace=older.namespace)
    check = _admits(api, examined)
    api.close()
    assert (check.reason, TARGET.path in check.probed) == ("admission_older", True)


def test_a_pod_full_of_annotations_is_contained(shipped: Installed, tmp_path: Path, node: dict[str, Any]) -> None:
    """No letter fits any more: the pod is marked by labels alone, isolated, kept as evidence, and deleted."""
    shipped.switch("enforce")
    pod = running(shipped, node)
    path = f"/api/v1/namespaces/{shipped.namespace}/pods/{pod['metadata']['name']}"
    there = pod["metadata"].get("annotations", {})
    size = 256 * 1024 - sum(len(key) + len(value) for key, value in there.items()) - len("example.com/notes")
    full = shipped.plane.admin.patch(path, {"metadata": {"annotations": {"example.com/notes": "x" * size}}})
    with pytest.raises(ApiFailure, match="Too long"):
        shipped.plane.admin.patch(path, {"metadata": {"annotations": {"a": ""}}})
    steps, _ = contained(shipped, tmp_path, full)
    assert [outcome for outcome, _ in steps] == CONTAINED
    assert not any("admission_older" in detail for _, detail in steps)
    assert list(tmp_path.glob("evidence/**/*manifest*"))
    objects.await_end(shipped.plane.admin, path)
