"""Names that Google's APIs and Kubernetes give to things, read strictly: what does not match is no name.

Source: AIP-122 full resource names; Kubernetes "Object Names and IDs".
"""

from __future__ import annotations

from hashlib import sha256
from ipaddress import ip_address

import msgspec

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import CloudRunTarget
from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import Value, read_json

FINDING_PATTERN = (
    r"(?:(?:organizations|folders)/[0-9]{1,20}|projects/[a-z0-9][a-z0-9.:-]{0,99})"
    r"/sources/([0-9]{1,20})(?:/locations/([a-z0-9-]{1,63}))?/findings/([A-Za-z0-9_-]{1,128})"
)
"""A finding's name in v1 and v2: source, location and id are its groups."""

FIRESTORE_ADDRESS = LatePattern(
    r"firestore://(?P<project>[a-z0-9][a-z0-9.:-]{0,99})/(?P<database>\(default\)|[a-z][a-z0-9-]{2,62})"
    r"(?:/(?P<collection>[A-Za-z][A-Za-z0-9_-]{0,99}))?",
)
"""The journal's address, as settings and the command line say it."""

SIGNING_KEY = LatePattern(
    r"gcpkms://(?P<version>(?P<key>projects/[a-z0-9][a-z0-9.:-]{0,99}/locations/[a-z0-9-]{1,63}"
    r"/keyRings/[A-Za-z0-9_-]{1,63}/cryptoKeys/[A-Za-z0-9_-]{1,63})/cryptoKeyVersions/[1-9][0-9]{0,9})",
)
"""A key version of Cloud KMS, as settings say it."""

_FINDING = LatePattern(FINDING_PATTERN)
_SOURCE = LatePattern(r"/sources/([0-9]{1,20})(?:/|\Z)")
_INSTANCE = LatePattern(
    r"//compute\.googleapis\.com/(projects/([a-z0-9][a-z0-9.:-]{0,99})/zones/([a-z0-9-]{1,63})/instances/([a-z0-9-]{1,63}))",
)
_CLOUD_RUN = LatePattern(
    r"//run\.googleapis\.com/projects/([a-z0-9][a-z0-9.:-]{0,99})/locations/([a-z0-9-]{1,63})"
    r"/(services|jobs|revisions|workerPools)/([a-z0-9-]{1,63})(?:/(?:revisions|executions)/([a-z0-9-]{1,63}))?(?:/.{0,200})?",
)
_CLOUD_RUN_KINDS = {"services": "service", "jobs": "job", "revisions": "revision", "workerPools": "worker_pool"}
ASSERTION_HEADER = "x-scc-responder-assertion"
"""In which the console hands a person's assertion on: Google takes `x-goog-*` out of a request."""

_IAP_AUDIENCE = LatePattern(
    r"/projects/[0-9]{1,20}/(?:locations/[a-z0-9-]{1,63}/services/[a-z0-9-]{1,63}|global/backendServices/[0-9]{1,20})",
)
_SERVICE_ACCOUNT = LatePattern(r"[a-z0-9-]{1,63}@[a-z0-9.:-]{1,100}\.gserviceaccount\.com")
_DNS_LABEL = LatePattern(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN = LatePattern(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


class FindingName(Value, frozen=True, kw_only=True):
    """A finding's name, taken apart. `location` is `global` for v1 names, which carry none."""

    source_id: str
    location: str
    finding_id: str

    @property
    def key(self) -> str:
        """One key for all spellings. The ancestor is left out: it differs between them, and source ids are unique."""
        return sha256(f"{self.source_id}|{self.location}|{self.finding_id}".encode()).hexdigest()

    @classmethod
    def parse(cls, name: str) -> FindingName | None:
        """The parts of a v1, v2 or canonical name, or None.

        >>> FindingName.parse("organizations/1/sources/2/findings/f").location
        'global'
        """
        match = _FINDING.fullmatch(name)
        return cls(source_id=match[1], location=match[2] or "global", finding_id=match[3]) if match else None


class Instance(Value, frozen=True, kw_only=True):
    """A Compute Engine instance. `name` is its numeric id where the finding says no more."""

    path: str
    project: str
    zone: str
    name: str

    @classmethod
    def parse(cls, name: str) -> Instance | None:
        """The instance that a full resource name names, or None."""
        match = _INSTANCE.fullmatch(name)
        return cls(path=match[1], project=match[2], zone=match[3], name=match[4]) if match else None


def source_of(parent: str) -> str:
    """The source id in a finding's `parent`, or the empty string."""
    match = _SOURCE.compiled.search(parent)
    return match[1] if match else ""


def parse_cloud_run(name: str) -> CloudRunTarget | None:
    """The Cloud Run resource that a full resource name names, or None. An execution stands for its job."""
    match = _CLOUD_RUN.fullmatch(name)
    if not match:
        return None
    project, location, plural, resource, child = match.groups()
    place = {"project": project, "location": location}
    if plural == "services" and child:
        return CloudRunTarget(kind="revision", name=child, service=resource, revision=child, **place)
    children = {"revisions": {"revision": resource}, "jobs": {"execution": child or ""}}.get(plural, {})
    return CloudRunTarget(kind=_CLOUD_RUN_KINDS[plural], name=resource, **children, **place)


def is_namespace(name: str) -> bool:
    """Whether Kubernetes would accept it as a namespace's name."""
    return _DNS_LABEL.fullmatch(name) is not None


def is_object_name(name: str) -> bool:
    """Whether Kubernetes would accept it as a pod's or node's name."""
    return _DNS_SUBDOMAIN.fullmatch(name) is not None


def region_of(location: str) -> str:
    """The region of a zone or region.

    >>> region_of("europe-west1-b"), region_of("europe-west1")
    ('europe-west1', 'europe-west1')
    """
    return location[:-2] if location[-2:-1] == "-" else location


def same_project(one: str, other: str) -> bool:
    """Whether two project names may mean one project: a number says nothing against an id."""
    return one == other or one.isdigit() != other.isdigit()


class NotificationConfig(Value, frozen=True, kw_only=True):
    """What sends findings: `PARENT/locations/L/notificationConfigs/ID`, the topic that they go to, and which are sent.

    Source: google.cloud.securitycenter.v2.NotificationConfig.
    """

    name: str
    pubsub_topic: str
    filter: str

    @classmethod
    def read(cls, text: str) -> NotificationConfig | None:
        """The one that a setting says as JSON; None where it is left out. Raises SettingsError."""
        try:
            return read_json(text, cls) if text else None
        except msgspec.DecodeError as error:
            told = f"SCC_RESPONDER_NOTIFICATION_CONFIG: {error}; give JSON with name, pubsub_topic and filter"
            raise SettingsError("invalid_setting", told) from error

    def differs(self, found: NotificationConfig) -> dict[str, dict[str, str]]:
        """What is found otherwise than it was made: by field, `made` and `found`."""
        pairs = {"pubsub_topic": (self.pubsub_topic, found.pubsub_topic), "filter": (self.filter, found.filter)}
        return {name: {"made": was, "found": now} for name, (was, now) in pairs.items() if was != now}


class ConsoleTrust(Value, frozen=True, kw_only=True):
    """Who hands a person's answer on: the console's service account, and whom IAP's assertions are made for.

    Source: Identity-Aware Proxy, "Securing your app with signed headers", the claim `aud`.
    """

    identity: str
    audience: str

    @classmethod
    def read(cls, identity: str, audience: str) -> ConsoleTrust | None:
        """What two settings say; None where both are left out. Raises SettingsError, also for one without the other."""
        if not (identity or audience):
            return None
        if not _SERVICE_ACCOUNT.fullmatch(identity):
            told = f"SCC_RESPONDER_CONSOLE: {identity!a} is not the e-mail address of the console's service account"
            raise SettingsError("invalid_setting", told)
        if not _IAP_AUDIENCE.fullmatch(audience):
            form = "/projects/NUMBER/locations/REGION/services/NAME, or /projects/NUMBER/global/backendServices/ID"
            raise SettingsError("invalid_setting", f"SCC_RESPONDER_IAP_AUDIENCE: {audience!a} is not {form}")
        return cls(identity=identity, audience=audience)


def is_this_machine(host: str) -> bool:
    """Whether an address is one of this machine's own. A name never is, as it may lead anywhere.

    >>> is_this_machine("127.0.0.1"), is_this_machine("localhost")
    (True, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
