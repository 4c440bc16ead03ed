"""A deployment to examine: every part of it as it should be, and each within a test's reach to break."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import msgspec
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import DeadLetterPolicy, ExpirationPolicy, PushConfig, RetryPolicy, Subscription

from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.cli.doctor.doctor_clusters import Wanted
from scc_responder.cli.doctor.doctor_probes import GROUPS, Doctor
from scc_responder.domain.clock import utc_now
from scc_responder.domain.ports import Clock
from scc_responder.domain.status import CaseState
from scc_responder.guard.kill_switch import GLOBAL
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.settings import read_settings
from scc_responder.workbench.doctor.check import Check, CheckResult
from scc_responder.workbench.doctor.store_checks import heartbeat_key
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.cli.doctor.member import Member
from tests.docs.command_lines import fix_mistakes
from tests.kits.google.emulator import PROJECT, Emulator
from tests.kits.google.firestore import FirestoreEmulator
from tests.kits.google.fronts import PubSubWithIam, Storage, TokenInfo
from tests.kits.google.grpc_servers import ClusterManagerServer, SecurityCenterServer, cluster
from tests.kits.responder import ALL, policy, write_policies

CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
SOURCE = "1111111111111111111"
SCOPE = "organizations/123456789012"
URL = "https://scc-responder-1.europe-west1.run.app"
IDENTITY = "run@example-project.iam.gserviceaccount.com"
PUSHER = "push@example-project.iam.gserviceaccount.com"
BUCKET = "example-evidence"


class Patient:
    """The deployment. `environment` are its settings."""

    def __init__(
        self,
        folder: Path,
        emulator: Emulator,
        firestore: FirestoreEmulator,
        security_center: SecurityCenterServer,
        cluster_manager: ClusterManagerServer,
    ) -> None:
        self.folder = folder
        self.security_center, self.cluster_manager = security_center, cluster_manager
        self.pubsub, self.storage = PubSubWithIam(emulator.host), Storage(BUCKET)
        self.tokeninfo = TokenInfo()
        self.emulator = emulator
        self.namespace = "default"
        self.username = ""
        self.policies = write_policies(folder / "policies", policy(*ALL))
        self._stack = ExitStack()
        self.suffix = uuid.uuid4().hex[:8]
        self.environment = {
            "SCC_RESPONDER_CLUSTERS": "projects/example-project/locations/*/clusters/*",
            "SCC_RESPONDER_SOURCES": SOURCE,
            "SCC_RESPONDER_STORE": firestore.address(),
            "SCC_RESPONDER_EVIDENCE": f"gs://{BUCKET}/cases",
            "SCC_RESPONDER_OUTCOME_TOPIC": self.topic("outcomes"),
            "SCC_RESPONDER_POLICIES": str(self.policies),
            "SCC_RESPONDER_SCC_ENDPOINT": security_center.endpoint,
            "SCC_RESPONDER_GKE_ENDPOINT": cluster_manager.endpoint,
            "SCC_RESPONDER_KUBERNETES_TOKEN_FILE": str(folder / "token"),
            "SCC_RESPONDER_SUBSCRIPTION": f"projects/{PROJECT}/subscriptions/push-{self.suffix}",
            "SCC_RESPONDER_TOPIC": self.topic("findings"),
            "SCC_RESPONDER_PUSH_ENDPOINT": URL,
            "SCC_RESPONDER_PUSH_IDENTITY": PUSHER,
            "SCC_RESPONDER_TIMEOUT_SECONDS": "110",
            "SCC_RESPONDER_SCOPE": SCOPE,
            "SCC_RESPONDER_IDENTITY": IDENTITY,
            "SCC_RESPONDER_TOKENINFO": self.tokeninfo.address,
            "SCC_RESPONDER_HEARTBEAT_MINUTES": "10",
            "FIRESTORE_EMULATOR_HOST": firestore.host,
            "PUBSUB_EMULATOR_HOST": self.pubsub.host,
            "STORAGE_EMULATOR_HOST": self.storage.host,
        }

    def topic(self, name: str) -> str:
        """The full name of one of its topics."""
        return f"projects/{PROJECT}/topics/{name}-{self.suffix}"

    def joined(self, member: Member) -> None:
        """Let the cluster be the one where this member acts."""
        (self.folder / "token").write_text(member.token(""))
        self.tokeninfo.holders = {member.token(""): IDENTITY}
        self.username = member.names["email"]
        self.ca_pem = member.plane.ca_pem
        self.namespace = member.namespace
        self.describe(member.plane.url.removeprefix("https://"), member.plane.ca_pem)

    def describe(self, address: str, ca_pem: str) -> None:
        """Let GKE describe the cluster so."""
        addresses = {"enabled": True, "enablePublicEndpoint": True, "publicEndpoint": address}
        document: dict[str, Any] = {
            "name": "prod-1",
            "location": "europe-west1",
            "networkConfig": {"datapathProvider": "ADVANCED_DATAPATH"},
            "controlPlaneEndpointsConfig": {"ipEndpointsConfig": addresses},
            "masterAuth": {"clusterCaCertificate": base64.b64encode(ca_pem.encode()).decode()},
        }
        self.cluster_manager.clusters = {CLUSTER: cluster(document)}

    def subscription(self, **other: Any) -> None:
        """Make the push subscription anew, with other fields than it should have."""
        name = self.environment["SCC_RESPONDER_SUBSCRIPTION"]
        fields: dict[str, Any] = {
            "push_config": PushConfig(
                push_endpoint=URL, oidc_token=PushConfig.OidcToken(service_account_email=PUSHER, audience=URL)
            ),
            "ack_deadline_seconds": 140,
            "retry_policy": RetryPolicy(minimum_backoff=Duration(seconds=10), maximum_backoff=Duration(seconds=600)),
            "expiration_policy": ExpirationPolicy(),
            "dead_letter_policy": DeadLetterPolicy(dead_letter_topic=self.topic("dead"), max_delivery_attempts=20),
        }
        if self.subscriber.list_subscriptions(project=f"projects/{PROJECT}"):
            self.forget(name)
        self.subscriber.create_subscription(
            request=Subscription(name=name, topic=self.topic("findings"), **{**fields, **other})
        )

    def forget(self, name: str) -> None:
        """Delete a subscription, if there is one."""
        listed = self.subscriber.list_subscriptions(project=f"projects/{PROJECT}")
        if name in {found.name for found in listed}:
            self.subscriber.delete_subscription(subscription=name)

    @property
    def dead_letters(self) -> str:
        """The subscription that keeps them."""
        return f"projects/{PROJECT}/subscriptions/dead-{self.suffix}"

    def record(self, key: str, **fields: Any) -> None:
        """Keep a case."""
        now = utc_now()
        known = {"finding_name": f"{SCOPE}/sources/{SOURCE}/locations/global/findings/f", "digest": "d"}
        made = {**known, "event_time": now, "state": CaseState.DONE, "updated_at": now, **fields}
        self.store.create(f"case/{key}", encode(CaseRecord(finding_key=key, **made)))

    def decided(self, digest: str) -> None:
        """Keep a case that a policy set of this digest decided."""
        self.record(f"{digest[:8]:f<64}", decision={"policy_digest": digest}, reason="done")

    def beat(self, ago: timedelta) -> None:
        """Keep the heartbeat's case."""
        settings = read_settings(self.environment, self.policies)
        self.record(
            heartbeat_key(settings), reason="heartbeat", updated_at=utc_now() - ago, decision={"control": "enforce"}
        )

    def control(self, mode: str, key: str = GLOBAL, cluster: str = "") -> None:
        """Turn the kill switch."""
        document = {"mode": mode, "reason": "INC-1", "by": "ada", "at": utc_now(), "schema": 1, "cluster": cluster}
        entry, value = self.store.get(key), msgspec.json.encode(document)
        if entry is None:
            self.store.create(key, value)
        else:
            self.store.replace(key, value, entry.version)

    def examined(
        self,
        clock: Clock = utc_now,
        clusters: Wanted | None = None,
        only: Sequence[str] = GROUPS,
        seconds: float = 60.0,
    ) -> list[Check]:
        """What doctor finds."""
        with Doctor(self.environment, clock=clock, clusters=clusters, only=only) as doctor:
            doctor.namespace, doctor.username = self.namespace, self.username
            checks = doctor.examined(seconds, lambda answers, _total: answers)
        assert [(one.reason, told) for one in checks for told in fix_mistakes(one.fix)] == []
        return checks

    def __enter__(self) -> Self:
        enter, callback = self._stack.enter_context, self._stack.callback
        enter(self.pubsub)
        enter(self.storage)
        enter(self.tokeninfo)
        channel = grpc.insecure_channel(self.emulator.host)
        callback(channel.close)
        self.publisher = PublisherClient(transport=PublisherClient.get_transport_class("grpc")(channel=channel))
        callback(self.publisher.stop)
        self.subscriber = SubscriberClient(transport=SubscriberClient.get_transport_class("grpc")(channel=channel))
        self.store = FirestoreStore(
            self.environment["SCC_RESPONDER_STORE"], emulator=self.environment["FIRESTORE_EMULATOR_HOST"]
        )
        callback(self.store.close)
        for name in ("findings", "outcomes", "dead"):
            self.publisher.create_topic(name=self.topic(name))
        self.subscriber.create_subscription(name=self.dead_letters, topic=self.topic("dead"))
        self.subscription()
        self.decided(load_policies(self.policies).digest)
        self.beat(timedelta(minutes=5))
        self.control("enforce")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def found(checks: Sequence[Check], *results: CheckResult) -> dict[tuple[str, str], Check]:
    """The checks of these results, by name and reason."""
    return {(one.name, one.reason): one for one in checks if one.result in results}


def skewed(by: timedelta) -> Clock:
    """A clock that is wrong by so much."""

    def now() -> datetime:
        return utc_now() + by

    return now
