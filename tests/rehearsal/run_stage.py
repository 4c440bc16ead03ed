"""The parts that a rehearsal of Cloud Run stands on: two identities, each with what Terraform rendered for it.

The services and jobs are in a project that Terraform let the function read and its second identity change.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, NamedTuple

from scc_responder.domain.clock import utc_now
from tests.cli.commands import called
from tests.findings import notification
from tests.kits.checkout_deployment import age
from tests.kits.google.cloud_run.digests import DigestsServer
from tests.kits.google.cloud_run.samples import (
    CHECKOUT,
    NIGHTLY,
    add_job,
    deploy,
    image,
    let_anyone_invoke,
    start_execution,
)
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.emulator import Emulator
from tests.kits.google.firestore import FirestoreEmulator
from tests.kits.google.fronts import IamCredentials
from tests.kits.google.grpc_servers import item
from tests.kits.google.iap import LocalIap
from tests.kits.google.issuer import Issuer
from tests.kits.google.monitoring_server import MonitoringServer
from tests.rehearsal.google_side import GoogleSide, Response, ServedBy
from tests.rehearsal.rendered import RUN_WRITER, UNDO, Rendered

APPROVER = "ann@example.com"
PROJECT = "shop-prod"
FUNCTION = "function"
"""The token of the function's identity."""
ESCAPE = "cloud_run_container_escape"
MALWARE = "catalogue/cloud_run_threat_detection/cloud_run_added_malicious_binary_executed"
MOST_TOKENS = 20


class Victim(NamedTuple):
    """A service, or a job, whose newest revision is compromised, and a finding about it."""

    name: str
    document: dict[str, Any]

    def revision(self, number: int) -> str:
        """The name of the first revision, the second, and so on."""
        return f"{self.name.rpartition('/')[2]}-{number:05d}-abc"


class RunStage(GoogleSide):
    """Google's side with a Cloud Run, whose changes are reconciled after two seconds, as it ships."""

    def __init__(self, rendered: Rendered, pubsub: Emulator, firestore: FirestoreEmulator, folder: Path) -> None:
        super().__init__(rendered, pubsub, firestore, folder)
        self.writer = rendered.state[RUN_WRITER]["email"]
        self.run, self.digests = CloudRunServer(), DigestsServer(FUNCTION)
        self.monitoring = MonitoringServer()
        self.credentials, self.issuer = IamCredentials(self.writer), Issuer()
        self.iap = LocalIap(rendered.environment["SCC_RESPONDER_IAP_AUDIENCE"])
        self._numbers = itertools.count(1)
        (folder / "token").write_text(FUNCTION)
        self.grant()

    @property
    def addresses(self) -> dict[str, str]:
        """Where what a deployment does not have is here."""
        return {
            **super().addresses,
            "SCC_RESPONDER_RUN_ENDPOINT": self.run.endpoint,
            "SCC_RESPONDER_RUN_V1_ENDPOINT": self.digests.endpoint,
            "SCC_RESPONDER_IAM_CREDENTIALS_ENDPOINT": self.credentials.host,
            "SCC_RESPONDER_MONITORING_ENDPOINT": self.monitoring.endpoint,
            "SCC_RESPONDER_APPROVAL_CERTS": self.issuer.certs,
            "SCC_RESPONDER_IAP_KEYS": self.iap.address,
        }

    def grant(self, without: str = "") -> None:
        """Let all go by the rendered roles of both identities, or by all but one permission."""
        held, changes = self.rendered.held(without), self.rendered.held(without, RUN_WRITER)
        scope = next(target for target in held if target.startswith("organization/"))
        own = held[f"project/{PROJECT}"]
        self.security_center.granted = held[scope]
        self.logging.granted = self.monitoring.granted = own
        self.digests.closed = "run.revisions.get" not in own
        may_act = "iam.serviceAccounts.getAccessToken" in held[f"identity/{self.writer}"]
        self.credentials.creators = {FUNCTION} if may_act else set()
        tokens = [f"{self.writer.partition('@')[0]}-{number}" for number in range(1, MOST_TOKENS)]
        undo = self.rendered.held(without, UNDO)[f"project/{PROJECT}"]
        self.run.rights = {FUNCTION: own, UNDO: undo, **dict.fromkeys(tokens, changes[f"project/{PROJECT}"])}

    def undo_environment(self, rendered: Mapping[str, str]) -> dict[str, str]:
        """What the service of undo is told: as rendered, and where what a deployment does not have is here."""
        (self.folder / "undo-token").write_text(UNDO)
        asked = ("SCC_RESPONDER_RUN_ENDPOINT", "SCC_RESPONDER_APPROVAL_CERTS", "SCC_RESPONDER_IAP_KEYS")
        here = {name: self.addresses[name] for name in asked}
        here["SCC_RESPONDER_KUBERNETES_TOKEN_FILE"] = str(self.folder / "undo-token")
        return {**rendered, **here, "FIRESTORE_EMULATOR_HOST": self.firestore.host}

    def served(self, source: Path) -> ServedRun:
        """The function from this folder."""
        return ServedRun(self, source, self.environment)

    def service(self, golden: str = ESCAPE, later: str = "") -> Victim:
        """A service of its own, open to anyone, with two revisions and `later` ones, and a finding about the second."""
        name = f"{CHECKOUT.replace('example-project', PROJECT)}-{next(self._numbers)}"
        for letter in f"ab{later}":
            deploy(self.run.world, image(letter), name)
        let_anyone_invoke(self.run.world, name)
        age(self.run.world.services[name], *self._revisions(name))
        return self.found(name, golden, "b")

    def job(self, golden: str = ESCAPE) -> Victim:
        """A job of its own of which an execution runs, and a finding about it."""
        name = f"{NIGHTLY.replace('example-project', PROJECT)}-{next(self._numbers)}"
        made = add_job(self.run.world, name)
        age(made, start_execution(self.run.world, made, f"{name.rpartition('/')[2]}-x7k2p"))
        return self.found(name, golden, "d")

    def _revisions(self, name: str) -> list[Any]:
        return [each for path, each in self.run.world.revisions.items() if path.startswith(f"{name}/")]

    def found(self, name: str, golden: str, letter: str) -> Victim:
        """The finding, which Security Command Center has."""
        now = utc_now().isoformat().replace("+00:00", "Z")
        container = {"name": "app", "imageId": image(letter)}
        document = notification(
            golden,
            event_time=now,
            finding_id=f"{next(self._numbers):032x}",
            finding={"containers": [container]},
        )
        short, kind = name.rpartition("/")[2], "Job" if "/jobs/" in name else "Service"
        text = json.dumps(document)
        for old, new in (
            (CHECKOUT, name),
            ('"displayName": "checkout"', f'"displayName": "{short}"'),
            ('"projectDisplayName": "example-project"', f'"projectDisplayName": "{PROJECT}"'),
            ("google.run.Service", f"google.run.{kind}"),
        ):
            text = text.replace(old, new)
        document = json.loads(text)
        self.security_center.items.append(item(document))
        return Victim(name, document)

    def enter(self, parts: ExitStack) -> None:
        """Begin to serve."""
        super().enter(parts)
        for server in (self.run, self.digests, self.monitoring, self.credentials, self.issuer, self.iap):
            parts.enter_context(server)  # type: ignore[arg-type]


class ServedRun(ServedBy[RunStage]):
    """The function behind the rendered subscription of a stage that has a Cloud Run."""

    def approve(self, response: Response) -> CompletedProcess[str]:
        """Approve what waits, as a person does at the function's address."""
        plan = response.case.plan
        assert plan is not None, response.log
        token = self.stage.issuer.token(APPROVER, aud=self.environment["SCC_RESPONDER_APPROVAL_AUDIENCE"])
        asked = ("case", "approve", response.key[:12], "--plan", plan.digest[:8], "--url", self.function.url)
        return called(*asked, SCC_RESPONDER_ID_TOKEN=token)
