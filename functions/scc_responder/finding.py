"""The finding as the rest of the product sees it, whatever shape it arrived in.

`wire.py` builds it; nothing else knows Security Command Center's JSON.
Source: google/cloud/securitycenter/v1 and v2 `Finding`, `NotificationMessage`.
"""

from __future__ import annotations

import re
from datetime import datetime

from scc_responder.value import Value

_CLUSTER_PATH = re.compile(r"projects/([^/]+)/(?:locations|zones|regions)/([^/]+)/clusters/([^/]+)", re.ASCII)


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


class Process(Value, frozen=True, kw_only=True):
    """A process of the finding. Every string here was chosen by whoever ran it."""

    binary: str = ""
    args: tuple[str, ...] = ()
    sha256: str = ""
    pid: int | None = None
    script: str = ""
    libraries: tuple[str, ...] = ()


class CloudRunTarget(Value, frozen=True, kw_only=True):
    """The Cloud Run service or job of a finding. `kind` is `service`, `job` or `revision`."""

    kind: str
    project: str
    location: str
    name: str


class Finding(Value, frozen=True, kw_only=True):
    """One threat finding, normalised.

    `key` is the same for every spelling of one finding (v1, v2, canonical). Empty strings and tuples mean "not set".
    `contradictions` names what typed fields and `sourceProperties` disagree on.
    """

    key: str
    name: str
    canonical_name: str
    source_id: str
    finding_id: str
    category: str
    detector: str = ""
    finding_class: str = ""
    state: str = ""
    mute: str = ""
    severity: str = ""
    description: str = ""
    external_uri: str = ""
    event_time: datetime
    create_time: datetime | None = None
    resource_name: str = ""
    resource_type: str = ""
    project_display_name: str = ""
    cluster: ClusterRef | None = None
    cloud_run: CloudRunTarget | None = None
    pods: tuple[PodRef, ...] = ()
    containers: tuple[FindingContainer, ...] = ()
    node: str = ""
    processes: tuple[Process, ...] = ()
    principal: str = ""
    caller_ip: str = ""
    indicators: tuple[str, ...] = ()
    mitre_tactic: str = ""
    mitre_techniques: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()

    @property
    def pod(self) -> PodRef | None:
        """The one pod it is about; None when it names none, or several."""
        return self.pods[0] if len(self.pods) == 1 else None


class Threat(Value, frozen=True, kw_only=True):
    """What a finding means: exactly one per finding. `unknown` may never be enforced upon.

    `surface`: pod, node, cluster, rbac, cloud_run. `kind`: ioc or behavioral.
    `confidence`: confirmed, likely, possible.
    """

    name: str
    surface: str
    kind: str
    confidence: str
    runbook: str = ""
