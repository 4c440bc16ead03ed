"""Makes the adapters from the settings, each when a finding first needs it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from scc_responder.adapters.acting_case import CasePool
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ResponderError, SettingsError, StoreError
from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.ports import (
    Approvers,
    CloudLogs,
    CloudMetrics,
    CloudRunApi,
    Clusters,
    Evidence,
    Findings,
    ImageRegistry,
    Notifier,
    ProjectContacts,
    Signer,
)
from scc_responder.domain.store import CasStore
from scc_responder.guard.kill_switch import KillSwitch
from scc_responder.guard.limiter import Limiter
from scc_responder.guard.trust.warm_up import WarmUp
from scc_responder.journal.journal import Journal
from scc_responder.pipeline.bulkheads import Bulkheads
from scc_responder.pipeline.notices.urgent_notices import log_untold, page_breaker, page_first_shot
from scc_responder.policy.compiled import load_deployed
from scc_responder.policy.policy_set import PolicySet
from scc_responder.settings import DEFAULT_NOTIFIERS, VARIABLE_PREFIX, Settings

if TYPE_CHECKING:
    from scc_responder.adapters.google.security_center import SecurityCenter
    from scc_responder.pipeline.notices.route_lanes import RouteLanes

READ_WORKERS = 32
"""Reads side by side, over all findings that one instance is working on. One cluster has half of them at most."""
STORE_WORKERS = 16
"""Objects of evidence that are stored side by side, likewise."""


class Services:
    """The adapters that `respond` uses. Each is opened when first used: workers are forked after this is made."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = utc_now
        self.wait: Callable[[float], None] = time.sleep
        self.tell: Callable[[str], None] = _print
        self.bulkheads = Bulkheads(settings.threads, lambda: self.pool, READ_WORKERS)
        self.answering: set[str] = set()
        """The paths of clusters in which this process has read anything."""
        self.passed: set[str] = set()
        """The first shots of which this process knows that they have passed."""

    def refuse_local(self) -> None:
        """Raises SettingsError `local_only_setting` for what only a function on a person's machine has."""
        given = {"STORE": self.settings.store.startswith("sqlite:")}
        given |= {name: bool(getattr(self.settings, name.lower())) for name in ("CLUSTERS_FILE", "FINDINGS")}
        for name in (name for name, is_local in given.items() if is_local):
            told = f"{VARIABLE_PREFIX}{name} is for local use; start the function with `scc-responder serve`"
            raise SettingsError("local_only_setting", told)

    @cached_property
    def policies(self) -> PolicySet:
        """All policies and guardrails. Raises PolicyError."""
        return load_deployed(self.settings.policies)

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """The threads that reads run on."""
        return CasePool(READ_WORKERS, thread_name_prefix="read")

    @cached_property
    def evidence_pool(self) -> ThreadPoolExecutor:
        """The threads that evidence is stored on: a bucket that stalls takes no thread from the reads."""
        return ThreadPoolExecutor(STORE_WORKERS, thread_name_prefix="evidence")

    @cached_property
    def journal(self) -> Journal:
        """The journal, in the store."""
        return Journal(self.store, self.clock, looks=self.settings.looks)

    @property
    def kill_switch(self) -> KillSwitch:
        """The kill switch, in the store."""
        return KillSwitch(self.store)

    @cached_property
    def store(self) -> CasStore:
        """The compare-and-set store that settings name: a collection in Firestore."""
        from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore  # noqa: PLC0415

        return FirestoreStore(self.settings.store, emulator=self.settings.firestore_emulator)

    def limiter(self, cluster: str) -> Limiter:
        """The limits on one cluster, given by its path."""
        return Limiter(self.store, cluster, self.policies.guardrails, self.wait, partial(page_breaker, self))

    def warm_up(self, place: str) -> WarmUp:
        """The first shots in one place."""
        return WarmUp(
            self.store, place, self.policies, partial(page_first_shot, self), wait=self.wait, passed=self.passed
        )

    @cached_property
    def clusters(self) -> Clusters:
        """The GKE API."""
        from scc_responder.adapters.google.gke.gke_clusters import GkeClusters  # noqa: PLC0415

        settings = self.settings
        return GkeClusters(
            endpoint=settings.gke_endpoint,
            token=self._token,
            connect_gateway=settings.connect_gateway,
            vpc_egress=settings.vpc_egress,
        )

    @cached_property
    def findings(self) -> Findings:
        """Where findings are read again."""
        return self.security_center

    @cached_property
    def security_center(self) -> SecurityCenter:
        """The Security Command Center API."""
        from scc_responder.adapters.google.security_center import SecurityCenter  # noqa: PLC0415

        settings = self.settings
        return SecurityCenter(sources=settings.sources, endpoint=settings.scc_endpoint, location=settings.scc_location)

    @cached_property
    def logs(self) -> CloudLogs | None:
        """The Cloud Logging API; None where settings neither say that it may be read nor name a stand-in."""
        if not (self.settings.cloud_logging or self.settings.logging_endpoint):
            return None
        from scc_responder.adapters.google.cloud_logging import CloudLogging  # noqa: PLC0415

        return CloudLogging(endpoint=self.settings.logging_endpoint)

    @cached_property
    def metrics(self) -> CloudMetrics | None:
        """The Cloud Monitoring API; None where settings neither say that it may be read nor name a stand-in."""
        if not (self.settings.cloud_monitoring or self.settings.monitoring_endpoint):
            return None
        from scc_responder.adapters.google.cloud_monitoring import CloudMonitoring  # noqa: PLC0415

        return CloudMonitoring(endpoint=self.settings.monitoring_endpoint)

    @cached_property
    def run(self) -> CloudRunApi | None:
        """Cloud Run's API; None where others of Google's are files or stand-ins, and it has no stand-in of its own."""
        settings = self.settings
        if (settings.clusters_file or settings.findings or settings.scc_endpoint) and not settings.run_endpoint:
            return None
        from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin  # noqa: PLC0415

        digests = None
        if settings.run_v1_endpoint or not settings.run_endpoint:
            from scc_responder.adapters.google.cloud_run.image_digests import ImageDigests  # noqa: PLC0415

            digests = ImageDigests(endpoint=settings.run_v1_endpoint, token=self._token)
        return CloudRunAdmin(endpoint=settings.run_endpoint, token=self._token, writer=self.run_writer, digests=digests)

    @cached_property
    def run_writer(self) -> Callable[[], str] | None:
        """Tokens of the identity that changes Cloud Run; a stand-in of it needs a stand-in that gives them."""
        settings = self.settings
        if not settings.run_writer or (settings.run_endpoint and not settings.iam_credentials_endpoint):
            return None
        from scc_responder.adapters.google.access.impersonation import ImpersonatedToken  # noqa: PLC0415

        endpoint = settings.iam_credentials_endpoint
        return ImpersonatedToken(settings.run_writer, endpoint=endpoint, token=self._token)

    @cached_property
    def contacts(self) -> ProjectContacts | None:
        """Essential Contacts; None where no route tells contacts, or settings do not say that they may be read."""
        routes, settings = self.policies.routes, self.settings
        may_read = settings.essential_contacts or settings.contacts_endpoint
        if not (may_read and routes and any(route.to_contacts for route in routes.routes.values())):
            return None
        from scc_responder.adapters.google.essential_contacts import EssentialContacts  # noqa: PLC0415

        return EssentialContacts(self.clock, endpoint=settings.contacts_endpoint, token=self._token)

    @cached_property
    def registry(self) -> ImageRegistry | None:
        """Artifact Registry; None where settings list no repository."""
        if not self.settings.image_repositories:
            return None
        from scc_responder.adapters.google.artifact_registry import ArtifactRegistry  # noqa: PLC0415

        return ArtifactRegistry(
            self.settings.image_repositories, endpoint=self.settings.registry_endpoint, token=self._token
        )

    @cached_property
    def approvers(self) -> Approvers:
        """Who a Google ID token says its bearer is."""
        from scc_responder.adapters.google.access.id_tokens import GoogleIdentity  # noqa: PLC0415

        return GoogleIdentity(self.settings.approval_audience, self.settings.approval_certs)

    @cached_property
    def visitors(self) -> Approvers:
        """Who IAP's assertion says it let into the console. Raises SettingsError where settings name no console."""
        from scc_responder.adapters.google.access.iap_assertions import IapIdentity  # noqa: PLC0415

        console = self.settings.console
        return IapIdentity(console.audience if console else "", self.settings.iap_keys)

    def checked_email(self, token: str) -> str:
        """The address in a token that Cloud Run has checked; empty where the token is still to be verified."""
        from scc_responder.adapters.google.access.id_tokens import email_of_checked  # noqa: PLC0415

        return email_of_checked(token, self.settings.function_url, self.clock().timestamp())

    @cached_property
    def evidence(self) -> Evidence | None:
        """Where evidence goes, if anywhere."""
        if not self.settings.evidence:
            return None
        from scc_responder.adapters.google.storage.evidence_store import EvidenceStore  # noqa: PLC0415

        return EvidenceStore(self.settings.evidence)

    @cached_property
    def signer(self) -> Signer | None:
        """What signs evidence: the key version in Cloud KMS that settings name, if any."""
        if not self.settings.signing_key:
            return None
        from scc_responder.adapters.google.kms_signer import KmsSigner  # noqa: PLC0415

        return KmsSigner(self.settings.signing_key, endpoint=self.settings.kms_endpoint)

    @cached_property
    def notifier(self) -> Notifier | None:
        """Who tells people, if anyone: routes, and the notifiers that settings name. Raises SettingsError."""
        from scc_responder.adapters.notifiers import open_notifiers  # noqa: PLC0415

        named = open_notifiers(self.settings, partial(log_untold, self))
        return self.lanes.before(named) if self.lanes else named

    @cached_property
    def lanes(self) -> RouteLanes | None:
        """What sends by routes; None where there are none."""
        if routes := self.policies.routes:
            from scc_responder.pipeline.notices.route_lanes import RouteLanes  # noqa: PLC0415

            return RouteLanes(self, routes)
        return None

    def check_notifiers(self) -> None:
        """Check that there are notifiers of the names in settings. Raises SettingsError."""
        if self.settings.notifiers != DEFAULT_NOTIFIERS:
            from scc_responder.adapters.notifiers import check_notifiers  # noqa: PLC0415

            check_notifiers(self.settings.notifiers)

    def notify(self, notice: Notice) -> bool:
        """Send a notice about what case and log say too: if that fails, a line says so, and nothing else fails.

        False where the store failed, and no route has it.
        """
        try:
            if self.notifier is not None:
                self.notifier.tell(notice)
        except ResponderError as error:
            is_stored = not isinstance(error, StoreError)
            log_untold(self, self.settings.notifiers[0] if is_stored else "routes", error)
            return is_stored
        return True

    @cached_property
    def _token(self) -> Callable[[], str] | None:
        path = self.settings.kubernetes_token_file
        return (lambda: read_token(path)) if path else None


def _print(line: str) -> None:
    os.write(1, line.encode() + b"\n")  # one write, so that lines of several threads are not mixed


def read_token(path: str) -> str:
    """The bearer token in a file. Raises SettingsError."""
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise SettingsError("token_unreadable", f"{path}: {error.strerror}") from error
