"""The deployment's settings, read once from the environment and checked before anything is served.

SCC_RESPONDER_POLICIES        folder of policies (default: `policies` beside main.py)
SCC_RESPONDER_CLUSTERS        clusters to act in, comma-separated: projects/P/locations/L/clusters/C, `*` for a segment
                              (but for the number of a project that a finding names without its id)
SCC_RESPONDER_SERVICES        services and jobs of Cloud Run that may be changed, comma-separated:
                              projects/P/locations/L/services/N or projects/P/locations/L/jobs/N, `*` for a segment.
                              Without it evidence is taken of them, and people are told, and no more.
SCC_RESPONDER_OWN_SERVICE     projects/P/locations/L/services/N of this deployment, which is never changed
SCC_RESPONDER_RUN_WRITER      e-mail of the service account that changes Cloud Run, impersonated for that alone. Without
                              it nothing is changed there.
SCC_RESPONDER_SOURCES         numeric ids of the SCC sources to believe, comma-separated
SCC_RESPONDER_STORE           firestore://PROJECT/DATABASE[/COLLECTION] (collection: scc-responder); `serve` takes sqlite:///PATH
SCC_RESPONDER_EVIDENCE        gs://BUCKET/PREFIX or file:///FOLDER
SCC_RESPONDER_COLLECTOR       the collector, REGISTRY/IMAGE@sha256:DIGEST. Without it nothing is put in a pod.
SCC_RESPONDER_SIGNING_KEY     gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N: the key
                              version in Cloud KMS that signs evidence (EC P-256, SHA-256). Without it, a SQLite store
                              has a key beside it on this machine, and elsewhere evidence is stored without a signature.
SCC_RESPONDER_CLOUD_LOGGING   true where it has the permissions of Cloud Logging; else no `capture_cloud_logs`.
SCC_RESPONDER_CLOUD_MONITORING  true where this deployment has the permission of Cloud Monitoring; how many instances
                              and requests a service of Cloud Run has is not known otherwise.
SCC_RESPONDER_ESSENTIAL_CONTACTS  true where it may read Essential Contacts: routes with `to_contacts` tell those of the
                              finding's project, too.
SCC_RESPONDER_IMAGE_REPOSITORIES  projects/P/locations/L/repositories/R of Artifact Registry, comma-separated.
                              A look into a container also reads the configuration of an image that is in one of them.
SCC_RESPONDER_OUTCOME_TOPIC   projects/P/topics/T
SCC_RESPONDER_NOTIFIERS       who tells people, comma-separated: of `adapters/notifiers` (default: outcome_topic).
                              Each is told; where the first one fails, the message comes again.
SCC_RESPONDER_OUTCOME_FORMAT  what it has: v1, the facts as JSON (default), or cloudevents with OCSF events
SCC_RESPONDER_CONSOLE_URL     https:// URL of the console, to which notices link; without it they show a command
SCC_RESPONDER_NAME_*          settings of the notifier NAME alone, such as SCC_RESPONDER_CHAT_URL of a notifier `chat`
SCC_RESPONDER_NOTICE_SECRETS  folder of the secrets that routes.yaml names: FOLDER/SECRET/address
SCC_RESPONDER_APPROVAL_AUDIENCE  whom approvers' Google ID tokens must be made for: this function's https:// URL; away
                              from Cloud Run also a client id of your own. Without it nobody can approve, but on this
                              machine with a SQLite store.
SCC_RESPONDER_CONSOLE         e-mail address of the console's service account, which hands on the answers of persons
                              whom IAP lets in. Without it no answer is handed on.
SCC_RESPONDER_IAP_AUDIENCE    whom IAP's assertions are made for: /projects/NUMBER/locations/REGION/services/CONSOLE
SCC_RESPONDER_CONNECT_GATEWAY  true where this deployment has the permissions of Connect Gateway: clusters of a fleet
                              whose DNS endpoint is closed are then reached by it.
SCC_RESPONDER_VPC_EGRESS      true where this deployment's network reaches the private addresses of control planes:
                              clusters that have no other endpoint are then reached by it, else not at all.
SCC_RESPONDER_SWEEPER         e-mail address of the identity that may post to /sweep and /look (Cloud Scheduler's)
SCC_RESPONDER_LOOKS           how long after a pod or node was contained it is looked at: up to 12 durations,
                              comma-separated (default: 1m,5m,1h,24h), or never
SCC_RESPONDER_CLUSTERS_FILE   clusters.yaml for local use, in place of the GKE API
SCC_RESPONDER_FINDINGS        folder of findings for local use, in place of the Security Command Center API
SCC_RESPONDER_SCC_LOCATION    where findings are kept: global (default); eu, us or sa with data residency
SCC_RESPONDER_NOTIFICATION_CONFIG  what sends findings here, as it was made: JSON of its full name, pubsub_topic and
                              filter. A sweep compares it once a day with what Security Command Center has.
SCC_RESPONDER_SCC_ENDPOINT    host:port of another Security Command Center server
SCC_RESPONDER_GKE_ENDPOINT    host:port of another GKE API server
SCC_RESPONDER_LOGGING_ENDPOINT  host:port of another Cloud Logging server
SCC_RESPONDER_MONITORING_ENDPOINT  host:port of another Cloud Monitoring server
SCC_RESPONDER_RUN_ENDPOINT      host:port of another server of Cloud Run's Admin API
SCC_RESPONDER_RUN_V1_ENDPOINT   host:port of another server of its first version, which knows the digests of tags
SCC_RESPONDER_IAM_CREDENTIALS_ENDPOINT  host:port of another IAM Credentials server
SCC_RESPONDER_KMS_ENDPOINT    host:port of another Cloud KMS server
SCC_RESPONDER_REGISTRY_ENDPOINT  host:port of another registry of images
SCC_RESPONDER_KUBERNETES_TOKEN_FILE  bearer token for clusters of another GKE API server
SCC_RESPONDER_APPROVAL_CERTS  http:// address on this machine of another issuer's certificates
SCC_RESPONDER_IAP_KEYS        the same of the public keys of another IAP
SCC_RESPONDER_TIMEOUT_SECONDS  the function's timeout (default: 60, as Google's): nothing is begun that it would cut off
SCC_RESPONDER_TRACE_PROJECT   project whose traces the log lines point to
THREADS                       requests that functions-framework works on at a time (default: 4): a cluster gets half
FIRESTORE_EMULATOR_HOST       host:port of Google's Firestore emulator on this machine, as for Google's own tools
PUBSUB_EMULATOR_HOST          host:port of Google's Pub/Sub emulator, in the same way
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from scc_responder.domain.duration import parse_duration
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.notices.notice import OutcomeFormat
from scc_responder.domain.resource_names import FIRESTORE_ADDRESS, SIGNING_KEY, ConsoleTrust, NotificationConfig
from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import Value
from scc_responder.settings.given_settings import (
    VARIABLE_PREFIX as VARIABLE_PREFIX,
)
from scc_responder.settings.given_settings import (
    listed_setting,
    needed_setting,
    optional_setting,
)

DEFAULT_NOTIFIERS = ("outcome_topic",)
TIMEOUT_SECONDS = 60
"""Default timeout of a Cloud Function, in seconds."""
THREADS = 4  # as the Terraform module has it by default
_SEGMENT = r"(?:\*|[a-z0-9][a-z0-9.:-]*)"
_CLUSTER = LatePattern(rf"projects/{_SEGMENT}/locations/{_SEGMENT}/clusters/{_SEGMENT}")
_SERVICE = LatePattern(
    r"projects/(?:\*|[a-z][a-z0-9.:-]*)/locations/(?:\*|[a-z0-9-]+)/(?:services|jobs)/(?:\*|[a-z0-9-]+)"
)
_OWN_SERVICE = LatePattern(r"projects/[a-z0-9][a-z0-9.:-]*/locations/[a-z0-9-]+/services/[a-z0-9-]+")
_SERVICE_FORM = (
    "projects/P/locations/L/services/N or .../jobs/N, with * for a whole segment and the project's id, as findings"
    " name it"
)
_NOTIFIER = LatePattern(r"[a-z][a-z0-9_]{0,62}")
_TOPIC = LatePattern(r"projects/[^/]+/topics/[^/]+")
_FORMATS = LatePattern("|".join(OutcomeFormat))
_LOCATION = LatePattern(r"[a-z][a-z0-9-]{0,62}")
_CONSOLE = LatePattern(r"https://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]{1,99}){0,4}")
SOURCE_ID = LatePattern(r"[0-9]{1,32}")
_AUDIENCE = LatePattern(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,299}")
_SHARED_CLIENTS = {
    "32555940559.apps.googleusercontent.com": "gcloud's own client id",
    "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com": "the client id of gcloud's ADC login",
}
_STORE = LatePattern(rf"sqlite:///.+|{FIRESTORE_ADDRESS.pattern}")
_SWITCHES = ("cloud_logging", "cloud_monitoring", "connect_gateway", "essential_contacts", "vpc_egress")
_LOOKS = LatePattern(r"never|[1-9][0-9]{0,3}[smhd](?:, ?[1-9][0-9]{0,3}[smhd]){0,11}")
_SHIPPED_LOOKS = "1m,5m,1h,24h"
_REPOSITORY_FORM = "projects/P/locations/L/repositories/R"
_YES_OR_NO = LatePattern(r"true|false")
_TIMEOUT = LatePattern(r"[1-9][0-9]|[1-9][0-9]{2}|[12][0-9]{3}|3[0-5][0-9]{2}|3600")
_EMAIL = LatePattern(r"[^@\s]{1,100}@[^@\s]{1,200}", re.NOFLAG)
_IMAGE = LatePattern(r"[a-z0-9][a-z0-9._:/-]{0,299}@sha256:[0-9a-f]{64}")
_REPOSITORY = LatePattern(
    r"projects/[a-z0-9][a-z0-9.:-]{0,99}/locations/[a-z0-9-]{1,63}/repositories/[a-z][a-z0-9.-]{0,62}"
)
_EVIDENCE = LatePattern(r"gs://[a-z0-9].*|file:///.*")
_KEY_FORM = "gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N"
_ENDPOINTS = ("scc", "gke", "logging", "monitoring", "run", "run_v1", "iam_credentials", "kms", "registry", "contacts")
_STAND_INS = tuple(f"{name}_endpoint" for name in _ENDPOINTS)
_LOCAL_ONLY = ("clusters_file", "findings", *_STAND_INS, "kubernetes_token_file", "approval_certs", "iap_keys")
_UNCHECKED = (*_LOCAL_ONLY, "trace_project", "notice_secrets")
FIRESTORE_EMULATOR = "FIRESTORE_EMULATOR_HOST"
PUBSUB_EMULATOR = "PUBSUB_EMULATOR_HOST"


class Settings(Value, frozen=True, kw_only=True):
    """Where things are and what may be acted on. Empty strings mean "not given".

    `notifier_options`: by notifier, its own settings by the rest of the variable's name in lower case (`url`).
    `service_name` and `revision_name` are our own, as Cloud Run tells them (`K_SERVICE`, `K_REVISION`).
    """

    policies: Path
    clusters: tuple[str, ...]
    sources: tuple[str, ...]
    store: str
    services: tuple[str, ...] = ()
    own_service: str = ""
    run_writer: str = ""
    service_name: str = ""
    revision_name: str = ""
    evidence: str = ""
    collector: str = ""
    signing_key: str = ""
    cloud_logging: bool = False
    cloud_monitoring: bool = False
    essential_contacts: bool = False
    image_repositories: tuple[str, ...] = ()
    outcome_topic: str = ""
    outcome_format: OutcomeFormat = OutcomeFormat.V1
    console_url: str = ""
    notifiers: tuple[str, ...] = DEFAULT_NOTIFIERS
    notifier_options: dict[str, dict[str, str]] = {}
    notice_secrets: str = ""
    clusters_file: str = ""
    findings: str = ""
    scc_location: str = ""
    notification_config: NotificationConfig | None = None
    scc_endpoint: str = ""
    gke_endpoint: str = ""
    logging_endpoint: str = ""
    monitoring_endpoint: str = ""
    run_endpoint: str = ""
    run_v1_endpoint: str = ""
    iam_credentials_endpoint: str = ""
    kms_endpoint: str = ""
    registry_endpoint: str = ""
    contacts_endpoint: str = ""
    kubernetes_token_file: str = ""
    trace_project: str = ""
    approval_audience: str = ""
    approval_certs: str = ""
    console: ConsoleTrust | None = None
    iap_keys: str = ""
    sweeper: str = ""
    looks: tuple[timedelta, ...] = ()
    on_cloud_run: bool = False
    firestore_emulator: str = ""
    connect_gateway: bool = False
    vpc_egress: bool = False
    timeout_seconds: int = TIMEOUT_SECONDS
    threads: int = THREADS

    @property
    def function_url(self) -> str:
        """The function's https:// URL, which is its approval audience; else empty."""
        return self.approval_audience if self.approval_audience.startswith("https://") else ""

    @property
    def trusts_this_machine(self) -> bool:
        """Whether any process on this machine may approve: SQLite (never on Cloud Run), and no audience."""
        return self.store.startswith("sqlite:") and not self.approval_audience


def read_settings(environment: Mapping[str, str], default_policies: Path) -> Settings:
    """The settings of an environment. Raises SettingsError that names the variable and the remedy."""
    prefix = VARIABLE_PREFIX
    given = {name[len(prefix) :].lower(): value for name, value in environment.items() if name.startswith(prefix)}
    if environment.get("K_SERVICE"):
        _refuse_local(given, environment)
    others: dict[str, Any] = {name: given.get(name, "") for name in _UNCHECKED}
    others |= {name: optional_setting(given, name, _YES_OR_NO, "true or false") == "true" for name in _SWITCHES}
    return Settings(
        policies=Path(given.get("policies") or default_policies),
        clusters=listed_setting(
            given, "clusters", _CLUSTER, "projects/P/locations/L/clusters/C, with * for a whole segment"
        ),
        services=listed_setting(given, "services", _SERVICE, _SERVICE_FORM, default=()),
        own_service=optional_setting(given, "own_service", _OWN_SERVICE, "projects/P/locations/L/services/N"),
        run_writer=optional_setting(given, "run_writer", _EMAIL, "an e-mail address"),
        service_name=environment.get("K_SERVICE", ""),
        revision_name=environment.get("K_REVISION", ""),
        sources=listed_setting(given, "sources", SOURCE_ID, "the numeric ids of Security Command Center sources"),
        store=needed_setting(given, "store", _STORE, "firestore://PROJECT/DATABASE[/COLLECTION] or sqlite:///PATH"),
        evidence=optional_setting(given, "evidence", _EVIDENCE, "gs://BUCKET/PREFIX or file:///FOLDER"),
        collector=optional_setting(given, "collector", _IMAGE, "an image by digest, REGISTRY/IMAGE@sha256:DIGEST"),
        signing_key=optional_setting(given, "signing_key", SIGNING_KEY, _KEY_FORM),
        image_repositories=listed_setting(given, "image_repositories", _REPOSITORY, _REPOSITORY_FORM, default=()),
        scc_location=optional_setting(given, "scc_location", _LOCATION, "global, or eu, us or sa with data residency"),
        notification_config=NotificationConfig.read(given.get("notification_config", "")),
        outcome_topic=optional_setting(given, "outcome_topic", _TOPIC, "projects/P/topics/T"),
        outcome_format=OutcomeFormat(optional_setting(given, "outcome_format", _FORMATS, "v1 or cloudevents") or "v1"),
        console_url=optional_setting(
            given, "console_url", _CONSOLE, "the console's https:// URL, without a slash at its end"
        ),
        notifiers=_notifiers(given),
        notifier_options={name: _options(given, name) for name in _notifiers(given)},
        console=ConsoleTrust.read(given.get("console", ""), given.get("iap_audience", "")),
        approval_audience=_audience(given, on_cloud_run=bool(environment.get("K_SERVICE"))),
        firestore_emulator=environment.get(FIRESTORE_EMULATOR, ""),
        timeout_seconds=int(optional_setting(given, "timeout_seconds", _TIMEOUT, "10 to 3600") or TIMEOUT_SECONDS),
        threads=int(threads) or THREADS if (threads := environment.get("THREADS", "")).isdecimal() else THREADS,
        sweeper=optional_setting(given, "sweeper", _EMAIL, "an e-mail address"),
        on_cloud_run=bool(environment.get("K_SERVICE")),
        looks=_looks(optional_setting(given, "looks", _LOOKS, "never, or up to 12 durations such as 1m,5m,1h,24h")),
        **others,
    )


def _refuse_local(given: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """What would lose cases or believe local files has no place on Cloud Run."""
    emulators = [name for name in (FIRESTORE_EMULATOR, PUBSUB_EMULATOR) if environment.get(name)]
    for name in (*emulators, *(f"{VARIABLE_PREFIX}{name.upper()}" for name in _LOCAL_ONLY if given.get(name))):
        raise SettingsError("local_only_setting", f"{name} is for local use; remove it on Cloud Run")
    if (given.get("store") or "sqlite:").startswith("sqlite:"):
        raise SettingsError(
            "store_not_durable",
            f"{VARIABLE_PREFIX}STORE: SQLite on Cloud Run is lost with its instance; give firestore://PROJECT/DATABASE",
        )
    if given.get("evidence", "").startswith("file:"):
        raise SettingsError(
            "evidence_not_durable", f"{VARIABLE_PREFIX}EVIDENCE: a folder on Cloud Run is lost; give gs://BUCKET/PREFIX"
        )


def _audience(given: Mapping[str, str], *, on_cloud_run: bool) -> str:
    """Whom approvers' tokens are made for: something that nobody else's tokens are made for."""
    found = optional_setting(given, "approval_audience", _AUDIENCE, "an https:// URL or a client id")
    if whose := _SHARED_CLIENTS.get(found.lower()):
        why = "whatever service an approver sends a gcloud token to could approve with it"
        raise SettingsError(
            "audience_shared",
            f"{VARIABLE_PREFIX}APPROVAL_AUDIENCE: {found} is {whose}: {why}; give the function's https:// URL",
        )
    if on_cloud_run and found and not found.startswith("https://"):
        raise SettingsError(
            "invalid_setting", f"{VARIABLE_PREFIX}APPROVAL_AUDIENCE: {found!a} is not the function's https:// URL"
        )
    return found


def _notifiers(given: Mapping[str, str]) -> tuple[str, ...]:
    return listed_setting(given, "notifiers", _NOTIFIER, "names of notifiers", default=DEFAULT_NOTIFIERS)


def _looks(text: str) -> tuple[timedelta, ...]:
    moments = [] if text == "never" else (text or _SHIPPED_LOOKS).split(",")
    return tuple(parse_duration(moment.strip()) for moment in moments)


def _options(given: Mapping[str, str], name: str) -> dict[str, str]:
    return {key.removeprefix(f"{name}_"): value for key, value in given.items() if key.startswith(f"{name}_")}
