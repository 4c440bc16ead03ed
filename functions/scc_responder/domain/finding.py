"""The finding as the rest of the product sees it, whatever shape it arrived in.

`intake/notification.py` builds it; nothing else knows Security Command Center's JSON.
Source: google/cloud/securitycenter/v1 and v2 `Finding`, `NotificationMessage`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import Value

_CLUSTER_PATH = LatePattern(
    r"projects/([a-z0-9][a-z0-9.:-]{0,99})/(?:locations|zones|regions)/([a-z0-9-]{1,63})/clusters/([a-z0-9][a-z0-9-]{0,62})",
)


class ClusterRef(Value, frozen=True, kw_only=True):
    """A GKE cluster, however its name was spelt (`zones/`, `regions/` and `locations/` are one)."""

    project: str
    location: str
    name: str

    @property
    def path(self) -> str:
        """The name the GKE API takes: `projects/P/locations/L/clusters/C`."""
        return f"projects/{self.project}/locations/{self.location}/clusters/{self.name}"

    @classmethod
    def parse(cls, name: str) -> ClusterRef | None:
        """The cluster that a resource name (with or without `//container.googleapis.com/`) names, or None.

        >>> ClusterRef.parse("//container.googleapis.com/projects/p/zones/europe-west1-b/clusters/c").path
        'projects/p/locations/europe-west1-b/clusters/c'
        """
        match = _CLUSTER_PATH.fullmatch(name.removeprefix("//container.googleapis.com/"))
        return cls(project=match[1], location=match[2], name=match[3]) if match else None


class PodRef(Value, frozen=True, kw_only=True):
    """The pod a finding names. Findings carry no UID: see `identity.py`."""

    namespace: str
    name: str


class FindingContainer(Value, frozen=True, kw_only=True):
    """A container as the finding describes it. `image_id` is the digest, `image` may be a mutable tag."""

    name: str
    image: str = ""
    image_id: str = ""
    create_time: datetime | None = None

    @property
    def digest(self) -> str:
        """`sha256:...` of its image; empty where the finding does not say it."""
        named = next((text for text in (self.image_id, self.image) if "sha256:" in text), "")
        return "".join(named.rpartition("sha256:")[1:])


class FindingFile(Value, frozen=True, kw_only=True):
    """A file of the finding. `whole_file`: the hash is of all of it, not of a prefix, so that it identifies the file.

    `hashed_size`: how many bytes from its beginning the hash is of. `contents` is a prefix that the
    detector kept. `operations` are OPEN, READ, RENAME, WRITE or EXECUTE.
    """

    path: str = ""
    sha256: str = ""
    whole_file: bool = False
    size: int | None = None
    hashed_size: int | None = None
    contents: str = ""
    operations: tuple[str, ...] = ()


class Process(Value, frozen=True, kw_only=True):
    """A process of the finding. Every string here may be the attacker's.

    `binary`, `script` and `libraries` are paths; the `_file` fields say more of the same files.
    """

    binary: str = ""
    args: tuple[str, ...] = ()
    sha256: str = ""
    pid: int | None = None
    script: str = ""
    libraries: tuple[str, ...] = ()
    name: str = ""
    parent_pid: int | None = None
    user_id: int | None = None
    args_truncated: bool = False
    binary_file: FindingFile | None = None
    script_file: FindingFile | None = None
    library_files: tuple[FindingFile, ...] = ()


class Connection(Value, frozen=True, kw_only=True):
    """A network connection of the finding. Ports are 0 where not set."""

    destination_ip: str = ""
    destination_port: int = 0
    source_ip: str = ""
    source_port: int = 0
    protocol: str = ""


class KubernetesObject(Value, frozen=True, kw_only=True):
    """A Kubernetes object that the finding names, other than the pods and nodes it is about.

    `role` and `subjects` (`ServiceAccount shop/builder`) are those of a binding.
    """

    kind: str
    name: str
    namespace: str = ""
    group: str = ""
    role: str = ""
    subjects: tuple[str, ...] = ()


class CloudRunTarget(Value, frozen=True, kw_only=True):
    """The Cloud Run resource of a finding. `kind` is `service`, `job`, `revision` or `worker_pool`, `name` its name.

    `service` names the service of a revision, where the finding says it. `revision` (of a service) and `execution` (of
    a job) are short names, from whichever part of the finding says them.
    """

    kind: str
    project: str
    location: str
    name: str
    service: str = ""
    revision: str = ""
    execution: str = ""


class AgentTarget(Value, frozen=True, kw_only=True):
    """The AI agent of a finding, a reasoning engine. `score` is how sure the `detectors` are that flagged its doing."""

    project: str
    location: str
    name: str
    display_name: str = ""
    sessions: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    score: float | None = None


class Finding(Value, frozen=True, kw_only=True):
    """One threat finding, normalised.

    `key` is the same for every spelling of one finding (v1, v2, canonical). Empty strings and tuples mean "not set".
    `detector` is the source's name in snake case. `contradictions` names what the finding's own parts disagree on
    (`pod`, `several_pods`, ...), `truncated` the lists that were cut. `shape` is the wire shape (`v1`, `v2_bare`, ...).
    """

    key: str
    name: str
    canonical_name: str
    source_id: str
    finding_id: str
    category: str
    detector: str = ""
    rule: str = ""
    finding_class: str = ""
    state: str = ""
    mute: str = ""
    mute_initiator: str = ""
    marks: dict[str, str] = {}
    severity: str = ""
    description: str = ""
    external_uri: str = ""
    links: tuple[str, ...] = ()
    event_time: datetime
    create_time: datetime | None = None
    resource_name: str = ""
    resource_type: str = ""
    project_display_name: str = ""
    cluster: ClusterRef | None = None
    cloud_run: CloudRunTarget | None = None
    agent: AgentTarget | None = None
    pods: tuple[PodRef, ...] = ()
    containers: tuple[FindingContainer, ...] = ()
    node: str = ""
    instance: str = ""
    objects: tuple[KubernetesObject, ...] = ()
    access_reviews: tuple[str, ...] = ()
    processes: tuple[Process, ...] = ()
    files: tuple[FindingFile, ...] = ()
    connections: tuple[Connection, ...] = ()
    principal: str = ""
    principal_subject: str = ""
    caller_ip: str = ""
    user_agent: str = ""
    service_name: str = ""
    method_name: str = ""
    indicators: tuple[str, ...] = ()
    mitre_tactic: str = ""
    mitre_techniques: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    truncated: tuple[str, ...] = ()
    shape: str = ""

    @property
    def image_digests(self) -> frozenset[str]:
        """The digests of its containers, `sha256:...`, as far as it says them."""
        return frozenset(item.digest for item in self.containers if item.digest)

    @property
    def cluster_path(self) -> str:
        """The cluster's path; empty if it is in no cluster."""
        return self.cluster.path if self.cluster else ""

    @property
    def place(self) -> str:
        """Where limits and the kill switch count it: its cluster's path, of Cloud Run `projects/P`; else empty."""
        return self.cluster_path or (f"projects/{self.cloud_run.project}" if self.cloud_run else "")

    @property
    def pod(self) -> PodRef | None:
        """The one pod it is about; None when it names none, or several."""
        return self.pods[0] if len(self.pods) == 1 else None

    @property
    def names_files(self) -> bool:
        """Whether it names a file that may be in the container."""
        named = (item.binary or item.script or item.libraries or item.library_files for item in self.processes)
        return any(named) or any(file.path for file in self.files)


class Surface(StrEnum):
    """What a threat is about."""

    POD = "pod"
    NODE = "node"
    CLUSTER = "cluster"
    RBAC = "rbac"
    CLOUD_RUN = "cloud_run"
    AGENT = "agent"
    UNKNOWN = "unknown"


class ThreatKind(StrEnum):
    """How a threat is known."""

    IOC = "ioc"
    """By an indicator of compromise: threat intelligence knows it."""
    BEHAVIORAL = "behavioral"
    """By what it does."""


class Confidence(StrEnum):
    """How sure it is that a threat is an attack, in rising order."""

    POSSIBLE = "possible"
    LIKELY = "likely"
    CONFIRMED = "confirmed"


class Threat(Value, frozen=True, kw_only=True):
    """What a finding means: exactly one per finding. `unknown` may never be enforced upon.

    `raised_by` names the related findings that raised `confidence`.
    `techniques` are MITRE ids that Google states, `techniques_inferred` those that the catalogue adds.
    `severity` is the finding's own, else the catalogue's.
    """

    name: str
    surface: Surface
    kind: ThreatKind
    confidence: Confidence
    runbook: str = ""
    detector: str = ""
    severity: str = ""
    rule_id: str = ""
    tactic: str = ""
    techniques: tuple[str, ...] = ()
    techniques_inferred: tuple[str, ...] = ()
    raised_by: tuple[str, ...] = ()

    @property
    def is_severe(self) -> bool:
        """Whether its severity is HIGH or above: then a person is told also where nothing was done."""
        return self.severity in {"HIGH", "CRITICAL"}


CASE_ID_DIGITS = 12


def case_id(finding_key: str) -> str:
    """The short name of a case, for names and labels: the first 12 digits of the finding's key."""
    return finding_key[:CASE_ID_DIGITS]
