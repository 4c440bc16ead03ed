"""terraform/docs/on-call.md, "At night", as it is at night: the served zip, Firestore, a real API server.

The shipped policies act, and the commands reach the cluster as an identity that has the roles of `case undo` alone.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.finding import case_id
from scc_responder.domain.labels import ISOLATED_POD
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.admission.undo_installed import UndoInstalled
from tests.cli.commands import called
from tests.cluster import objects
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubelet import LogKubelet
from tests.docs.test_on_call import CASES, LATE, SHOWN_CLUSTER, differences, typed
from tests.e2e.served import ServedFunction
from tests.e2e.test_end_to_end import gke_cluster
from tests.findings import push_body
from tests.kits.google.firestore import FirestoreEmulator, Opened
from tests.kits.google.grpc_servers import ClusterManagerServer, SecurityCenterServer, item
from tests.kits.google.issuer import Issuer
from tests.kits.responder import CLUSTER, SOURCE, finding_about, turn
from tests.rehearsal.zipped import raised

pytestmark = pytest.mark.timeout(240)
REPLICAS = 4
APPROVER, SWEEPER = "oncall@example.com", "sweeper@example.com"
AUDIENCE = "https://responder.example.com"


class GoogleSide(NamedTuple):
    """Where findings, clusters and cases are, and who signs tokens."""

    firestore: FirestoreEmulator
    center: SecurityCenterServer
    clusters: ClusterManagerServer
    issuer: Issuer


class ServedDesk:
    """A Deployment in a namespace of its own, the function beside it, and a person who types."""

    def __init__(self, plane: ControlPlane, kubelet: LogKubelet, undo: UndoInstalled, google: GoogleSide) -> None:
        self.plane, self.undo, self.center, self.issuer = plane, undo, google.center, google.issuer
        firestore = google.firestore
        self.namespace = undo.namespace
        self.started = datetime.now(UTC)
        self.address, self.emulator = firestore.address(), firestore.host
        turn(self.address, emulator=self.emulator)
        self.opened = Opened(firestore.host, self.address)
        self.journal = Journal(self.opened(), utc_now)
        node = objects.create_node(plane.admin)["metadata"]["name"]
        kubelet.serve(node)
        plane.admin.create(objects.deployment("web", self.namespace, node, replicas=REPLICAS))
        self.pods: Sequence[dict[str, Any]] = objects.running_pods(plane.admin, self.namespace, "web", count=REPLICAS)
        self.documents: list[dict[str, Any]] = []

    def serve(self, folder: Path, endpoints: dict[str, str]) -> ServedFunction:
        """The function, which is not started yet, and the file with the settings of the desk."""
        self.folder = folder
        (folder / "kubernetes-token").write_text(self.plane.token("responder"))
        (folder / "token").write_text(self.issuer.token(APPROVER, aud=AUDIENCE))
        common = {"CLUSTERS": CLUSTER, "SOURCES": SOURCE, "STORE": self.address}
        desk = {**common, "CLUSTERS_FILE": str(self._clusters(folder))}
        (folder / "responder.env").write_text("".join(f"SCC_RESPONDER_{name}={text}\n" for name, text in desk.items()))
        served = {
            **common,
            **endpoints,
            "EVIDENCE": f"file://{folder / 'evidence'}",
            "KUBERNETES_TOKEN_FILE": str(folder / "kubernetes-token"),
            "APPROVAL_AUDIENCE": AUDIENCE,
            "APPROVAL_CERTS": self.issuer.certs,
            "SWEEPER": SWEEPER,
        }
        environment = {f"SCC_RESPONDER_{name}": text for name, text in served.items()}
        environment["FIRESTORE_EMULATOR_HOST"] = self.emulator
        guardrails = (PACK / "guardrails.yaml").read_text().replace("  approvers: []\n", f"  approvers: [{APPROVER}]\n")
        guardrails = guardrails.replace("\nwarm_up: 60s", "\nwarm_up: 0s")
        self.function = ServedFunction(raised(folder, guardrails), environment, log=folder / "function.log")
        return self.function

    def _clusters(self, folder: Path) -> Path:
        """How the identity of undo reaches the cluster."""
        server = {"server": self.plane.url, "certificate-authority": str(self.plane.ca_file)}
        access = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "undo",
            "clusters": [{"name": "prod", "cluster": server}],
            "users": [{"name": "undo", "user": {"token": self.undo.token("")}}],
            "contexts": [{"name": "undo", "context": {"cluster": "prod", "user": "undo"}}],
        }
        (folder / "kubeconfig").write_text(json.dumps(access))
        entry = {"kubeconfig": str(folder / "kubeconfig"), "context": "undo", "enforces_network_policy": True}
        (folder / "clusters.yaml").write_text(json.dumps({CLUSTER: entry}))
        return folder / "clusters.yaml"

    def meet(self, threat: str, pod: dict[str, Any]) -> CaseRecord:
        document = finding_about(pod, threat, finding_id=f"{len(self.center.items) + 1:032x}")
        self.documents.append(document)
        return self._pushed(document)

    def _pushed(self, document: dict[str, Any]) -> CaseRecord:
        self.center.items.append(item(document))
        assert self.function.post(push_body(document))[0] == 204, self.function.log.read_text()
        record = self.journal.read(parse_notification(document).key)
        assert record is not None
        return record

    def meet_held(self) -> None:
        """The share of the workload that may be deleted is used up by another pod of it."""
        other = finding_about(self.pods[2], LATE, finding_id=f"{len(self.center.items) + 1:032x}")
        assert self._pushed(other).state == "done", self.function.log.read_text()
        record = self.meet(LATE, self.pods[1])
        assert {step.reason for step in record.steps if step.action == "delete_pod"} == {"limit_owner"}

    def sweep(self) -> None:
        token = self.issuer.token(SWEEPER, aud=AUDIENCE)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        with urlopen(Request(f"{self.function.url}sweep", b"{}", headers, method="POST"), timeout=60) as answer:
            assert answer.status == 204, self.function.log.read_text()

    def deletions(self) -> int:
        events = self.plane.audit(since=self.started, namespace=self.namespace)
        return sum(event.verb == "delete" and event.resource == "pods" and event.code < 300 for event in events)

    def is_isolated(self) -> bool:
        meta = self.pods[0]["metadata"]
        pod = self.plane.admin.get(f"/api/v1/namespaces/{self.namespace}/pods/{meta['name']}")
        policies = self.plane.admin.list(f"/apis/networking.k8s.io/v1/namespaces/{self.namespace}/networkpolicies")
        return ISOLATED_POD in pod["metadata"]["labels"] or any(
            policy["metadata"]["name"].endswith(meta["uid"][:8]) for policy in policies
        )

    def here(self, text: str) -> str:
        records = [self.journal.read(parse_notification(document).key) for document in self.documents]
        last = records[-1]
        plan = last.plan if last else None
        swaps = {"shop/web-1": f"{self.namespace}/{self.pods[0]['metadata']['name']}"}
        swaps |= {
            "shop/Deployment": f"{self.namespace}/Deployment",
            f"{SHOWN_CLUSTER}/shop": f"{CLUSTER}/{self.namespace}",
        }
        swaps |= {"namespace shop ": f"namespace {self.namespace} ", SHOWN_CLUSTER: CLUSTER}
        swaps |= {"responder.env": str(self.folder / "responder.env"), "$SCC_RESPONDER_STORE": self.address}
        swaps |= {
            "--token-file token": f"--token-file {self.folder / 'token'}",
            "URL": self.function.url.rstrip("/"),
            "DIGEST": plan.digest if plan else "",
        }
        swaps |= dict(zip(CASES, (case_id(record.finding_key) for record in records if record), strict=False))
        for shown, own in swaps.items():
            text = text.replace(shown, own)
        return text

    def type(self, command: str) -> str:
        settings = {"SCC_RESPONDER_STORE": self.address, "FIRESTORE_EMULATOR_HOST": self.emulator}
        done = called(*shlex.split(self.here(command))[1:], **settings)
        print("$ " + self.here(command), done.stdout, done.stderr, sep="\n")
        assert (done.returncode, done.stderr) == (0, "") or "disabled" in command, done.stderr + done.stdout
        return done.stdout


@pytest.fixture
def google(
    firestore: FirestoreEmulator, security_center: SecurityCenterServer, cluster_manager: ClusterManagerServer
) -> Iterator[GoogleSide]:
    security_center.items = []
    with Issuer() as issuer:
        yield GoogleSide(firestore, security_center, cluster_manager, issuer)


@pytest.fixture
def desk(control_plane: ControlPlane, namespace: str, tmp_path: Path, google: GoogleSide) -> Iterator[ServedDesk]:
    undo = UndoInstalled(control_plane, namespace)
    undo.apply()
    google.clusters.clusters = {CLUSTER: gke_cluster(control_plane)}
    endpoints = {"SCC_ENDPOINT": google.center.endpoint, "GKE_ENDPOINT": google.clusters.endpoint}
    with LogKubelet(control_plane) as kubelet:
        made = ServedDesk(control_plane, kubelet, undo, google)
        with made.serve(tmp_path, endpoints):
            yield made
    made.opened.close()
    undo.remove()


def test_every_command_prints_at_night_what_the_page_shows(desk: ServedDesk) -> None:
    """With two cases on one pod: each does what the page says, in the cluster, too."""
    for block, printed in typed(desk):
        assert [*differences(desk.here(block.prints), printed)] == [], printed
