"""The parts that a rehearsal stands on, and one finding's way through them.

Google's emulators and local servers hold what Terraform rendered; the cluster, which is the stage's own, holds what
`kubectl apply -k terraform/kubernetes` puts there, under its own names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import yaml

from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.domain.clock import utc_now
from scc_responder.domain.finding import PodRef
from scc_responder.domain.permissions import GET_ACCESS_TOKEN
from scc_responder.domain.status import CaseState
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from tests.admission.kustomize import build, of_kind
from tests.cluster import objects
from tests.cluster.audit import AuditEvent
from tests.cluster.client import object_path
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubelet import LogKubelet
from tests.cluster.polling import wait_until
from tests.e2e.served import ServedFunction, free_port
from tests.e2e.test_end_to_end import gke_cluster
from tests.findings import data
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.emulator import Emulator
from tests.kits.google.firestore import FirestoreEmulator
from tests.kits.google.fronts import IamCredentials
from tests.kits.google.grpc_servers import ClusterManagerServer, SecurityCenterServer, item
from tests.kits.google.logging_server import LoggingServer
from tests.kits.responder import finding_about, turn
from tests.rehearsal.local import localized
from tests.rehearsal.relay import Delivery, Relay
from tests.rehearsal.rendered import Rendered
from tests.terraform.promises import function

MODE = "scc-responder/mode"
TOPICS = ("findings", "dead-letters", "outcomes")
SECONDS = 90.0
"""How long a delivery may take on a busy machine."""


class Stage:
    """All parts, from `with` until its end. `served` runs the function in an environment of its own."""

    def __init__(
        self, rendered: Rendered, plane: ControlPlane, pubsub: Emulator, firestore: FirestoreEmulator, folder: Path
    ) -> None:
        self.rendered, self.plane, self.pubsub, self.firestore, self.folder = rendered, plane, pubsub, firestore, folder
        self.user = rendered.identity["email"]
        self.security_center, self.gke, self.logging = SecurityCenterServer(), ClusterManagerServer(), LoggingServer()
        self.cloud_run, self.iam_credentials = CloudRunServer(), IamCredentials()
        self.kubelet = LogKubelet(plane)
        self.gke.clusters = {rendered.cluster: gke_cluster(plane)}
        self.manifests = build(rendered.identity)
        self._stack = ExitStack()
        self.token = plane.token("deployed")
        (folder / "token").write_text(self.token)
        self.grant()

    @property
    def environment(self) -> dict[str, str]:
        """The function's, as rendered, with the addresses of what is here."""
        addresses = {
            "SCC_RESPONDER_EVIDENCE": f"file://{self.folder / 'evidence'}",
            "FIRESTORE_EMULATOR_HOST": self.firestore.host,
            "PUBSUB_EMULATOR_HOST": self.pubsub.host,
            "SCC_RESPONDER_SCC_ENDPOINT": self.security_center.endpoint,
            "SCC_RESPONDER_GKE_ENDPOINT": self.gke.endpoint,
            "SCC_RESPONDER_LOGGING_ENDPOINT": self.logging.endpoint,
            "SCC_RESPONDER_RUN_ENDPOINT": self.cloud_run.endpoint,
            "SCC_RESPONDER_IAM_CREDENTIALS_ENDPOINT": self.iam_credentials.host,
            "SCC_RESPONDER_KUBERNETES_TOKEN_FILE": str(self.folder / "token"),
        }
        service, _ = function(self.rendered.state)
        return localized(self.rendered.environment, addresses, service["timeout_seconds"])

    def grant(self, without: str = "") -> None:
        """Let Google's side go by the rendered roles of the function's identity, or by all but one permission."""
        held = self.rendered.held(without)
        project = self.rendered.cluster.split("/")[1]
        scope = next(target for target in held if target.startswith("organization/"))
        self.security_center.granted = held[scope]
        self.gke.granted = self.logging.granted = held[f"project/{project}"]

    def grant_cloud_run(self, rendered: Rendered, without: str = "") -> None:
        """Let Cloud Run go by the rendered roles of both identities, or by all but one permission of them."""
        account = rendered.writer
        project = f"project/{rendered.services[0].split('/')[1]}"
        changes = rendered.held(without, account["member"])[project]
        name = account["email"].partition("@")[0]
        self.cloud_run.rights = {self.token: rendered.held(without)[project]}
        self.cloud_run.rights |= {f"{name}-{number}": changes for number in range(1, 100)}
        self.iam_credentials.accounts = {account["email"]}
        self.iam_credentials.creators = set() if without == GET_ACCESS_TOKEN else {self.token}

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

    def store(self) -> FirestoreStore:
        """The journal's database, past whatever the function reaches it by."""
        address = self.rendered.environment["SCC_RESPONDER_STORE"]
        return FirestoreStore(address, emulator=self.firestore.host, deadline_seconds=60, try_seconds=30)

    def __enter__(self) -> Self:
        with self._stack as parts:
            parts.enter_context(self.security_center)
            parts.enter_context(self.gke)
            parts.enter_context(self.logging)
            parts.enter_context(self.cloud_run)
            parts.enter_context(self.iam_credentials)
            parts.enter_context(self.kubelet)
            self.install()
            self._stack = parts.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()


class Served:
    """The function behind the rendered subscription, from `with` until its end, with an empty journal."""

    def __init__(self, stage: Stage, source: Path, environment: Mapping[str, str]) -> None:
        self.stage, self.environment = stage, environment
        port = free_port()
        self.relay = Relay(port)
        self.function = ServedFunction(source, environment, log=stage.folder / f"function-{port}.log", port=port)
        self.subscriptions = stage.rendered.subscriptions(self.relay.url)
        self._stack = ExitStack()

    def respond(self, document: Mapping[str, Any], until: Collection[CaseState] = ()) -> Response:
        """Publish a finding, and wait until its delivery was answered, or until its case is in one of these states."""
        response = Response(self, document)
        self.stage.pubsub.publish(self.stage.rendered.topic("findings"), data(document))
        wait_until(lambda: response.deliveries, what="a delivery to be answered", seconds=SECONDS)
        if until:
            wait_until(lambda: response.record and response.record.state in until, what="the case", seconds=SECONDS)
        return response

    def restart(self) -> None:
        """Go on with a new instance, to which no cluster has been described yet."""
        self.function.stop()
        self.function.start().wait_listening()

    def start_over(self) -> None:
        """Go on with empty queues and a journal that holds nothing but the kill switch, at `enforce`."""
        self._take_down()
        self._set_up()

    def _set_up(self) -> None:
        rendered = self.stage.rendered
        journal = rendered.environment["SCC_RESPONDER_STORE"]
        self.stage.firestore.forget(journal)
        turn(journal, emulator=self.stage.firestore.host)
        self.stage.pubsub.set_up([rendered.topic(name) for name in TOPICS], self.subscriptions)

    def _take_down(self) -> None:
        self.stage.pubsub.take_down([self.stage.rendered.topic(name) for name in TOPICS], self.subscriptions)

    def __enter__(self) -> Self:
        with self._stack as parts:
            parts.enter_context(self.relay)
            self._set_up()
            parts.callback(self._take_down)
            parts.enter_context(self.function)
            self._stack = parts.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()


class Response:
    """What came of one finding: the case, the log, the deliveries, and what the API server was asked."""

    def __init__(self, served: Served, document: Mapping[str, Any]) -> None:
        self._served, self._stage = served, served.stage
        self._skipped = len(served.relay.deliveries)
        self._logged = served.function.log.stat().st_size
        finding = parse_notification(document)
        self.key, self._pods = finding.key, finding.pods
        self.published = datetime.now(UTC)

    @property
    def pod(self) -> PodRef:
        """The pod that it names."""
        return self._pods[0]

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """The pushes since it was published."""
        return self._served.relay.deliveries[self._skipped :]

    @property
    def record(self) -> CaseRecord | None:
        """The case as it stands in the journal."""
        store = self._stage.store()
        try:
            return Journal(store, utc_now).read(self.key)
        finally:
            store.close()

    @property
    def case(self) -> CaseRecord:
        """The case, which must be there."""
        record = self.record
        assert record is not None, self.log
        return record

    @property
    def steps(self) -> Sequence[str]:
        """The case's steps as `action: reason`."""
        return [f"{step.action}: {step.reason}" for step in self.case.steps]

    @property
    def log(self) -> Sequence[dict[str, Any]]:
        """The lines for Cloud Logging since it was published."""
        written = self._served.function.log.read_bytes()[self._logged :].decode()
        return [json.loads(line) for line in written.splitlines() if line.startswith("{")]

    @property
    def audit(self) -> Sequence[AuditEvent]:
        """What the function asked of the API server since, in the server's own words."""
        return self._stage.plane.audit(user=self._stage.user, since=self.published)

    @property
    def writes(self) -> Sequence[AuditEvent]:
        """The accepted ones of those that change something."""
        return [event for event in self.audit if event.verb not in {"get", "list"} and event.code < 300]
