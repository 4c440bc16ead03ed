"""Google's side of a rehearsal, the function that is served before it, and what came of one finding."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.domain.clock import utc_now
from scc_responder.domain.finding import PodRef
from scc_responder.domain.status import CaseState
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from tests.cluster.audit import AuditEvent
from tests.cluster.polling import wait_until
from tests.e2e.served import ServedFunction, free_port
from tests.findings import data
from tests.kits.google.emulator import Emulator
from tests.kits.google.firestore import FirestoreEmulator
from tests.kits.google.grpc_servers import ClusterManagerServer, SecurityCenterServer
from tests.kits.google.logging_server import LoggingServer
from tests.kits.responder import turn
from tests.rehearsal.local import localized
from tests.rehearsal.relay import Delivery, Relay
from tests.rehearsal.rendered import Rendered
from tests.terraform.promises import function

TOPICS = ("findings", "dead-letters", "outcomes")
SECONDS = 90.0
"""How long a delivery may take on a busy machine."""


class GoogleSide:
    """The emulators and local servers, from `with` until its end, with what Terraform rendered."""

    def __init__(self, rendered: Rendered, pubsub: Emulator, firestore: FirestoreEmulator, folder: Path) -> None:
        self.rendered, self.pubsub, self.firestore, self.folder = rendered, pubsub, firestore, folder
        self.security_center, self.gke, self.logging = SecurityCenterServer(), ClusterManagerServer(), LoggingServer()
        self._stack = ExitStack()

    @property
    def addresses(self) -> dict[str, str]:
        """Where what a deployment does not have is here."""
        return {
            "SCC_RESPONDER_EVIDENCE": f"file://{self.folder / 'evidence'}",
            "FIRESTORE_EMULATOR_HOST": self.firestore.host,
            "PUBSUB_EMULATOR_HOST": self.pubsub.host,
            "SCC_RESPONDER_SCC_ENDPOINT": self.security_center.endpoint,
            "SCC_RESPONDER_GKE_ENDPOINT": self.gke.endpoint,
            "SCC_RESPONDER_LOGGING_ENDPOINT": self.logging.endpoint,
            "SCC_RESPONDER_KUBERNETES_TOKEN_FILE": str(self.folder / "token"),
        }

    @property
    def environment(self) -> dict[str, str]:
        """The function's, as rendered, with the addresses of what is here."""
        service, _ = function(self.rendered.state)
        return localized(self.rendered.environment, self.addresses, service["timeout_seconds"])

    def audit(self, since: datetime) -> Sequence[AuditEvent]:
        """What the function asked of the API server since; there may be none."""
        return ()

    def store(self) -> FirestoreStore:
        """The journal's database, past whatever the function reaches it by."""
        address = self.rendered.environment["SCC_RESPONDER_STORE"]
        return FirestoreStore(address, emulator=self.firestore.host, deadline_seconds=60, try_seconds=30)

    def enter(self, parts: ExitStack) -> None:
        """Begin to serve."""
        for server in (self.security_center, self.gke, self.logging):
            parts.enter_context(server)

    def __enter__(self) -> Self:
        with self._stack as parts:
            self.enter(parts)
            self._stack = parts.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()


Side = TypeVar("Side", bound=GoogleSide)


class ServedBy(Generic[Side]):
    """The function behind the rendered subscription, from `with` until its end, with an empty journal."""

    def __init__(self, stage: Side, source: Path, environment: Mapping[str, str]) -> None:
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

    def __init__(self, served: ServedBy[Any], document: Mapping[str, Any]) -> None:
        self._served: ServedBy[Any] = served
        self._stage: GoogleSide = served.stage
        self._skipped = len(served.relay.deliveries)
        self._logged = served.function.log.stat().st_size
        self._finding = parse_notification(document)
        self.key = self._finding.key
        self.published = datetime.now(UTC)

    @property
    def pod(self) -> PodRef:
        """The pod that the finding is about."""
        return self._finding.pods[0]

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
        return self._stage.audit(self.published)

    @property
    def writes(self) -> Sequence[AuditEvent]:
        """The accepted ones of those that change something."""
        return [event for event in self.audit if event.verb not in {"get", "list"} and event.code < 300]
