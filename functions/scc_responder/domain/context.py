"""What was read to decide: facts about the target at one moment, and what could not be read.

A fact that is missing is None and stands in `Context.missing` with its reason; it never satisfies a condition.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from scc_responder.domain.asked_facts import WorkloadObject
from scc_responder.domain.cloud_run.run_objects import RunExecution, RunIamPolicy, RunJob, RunRevision, RunService
from scc_responder.domain.finding import ClusterRef, Finding, Threat
from scc_responder.domain.kubernetes.container_facts import Artefact, Compiler
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value


class Owner(Value, frozen=True, kw_only=True):
    """One link of a pod's owner chain, nearest first (ReplicaSet, then Deployment).

    `selected_by` are the keys of the labels that it selects its pods by, where it was read.
    """

    kind: str
    name: str
    uid: str
    api_version: str = ""
    selected_by: tuple[str, ...] = ()


class ContainerStatus(Value, frozen=True, kw_only=True):
    """A container of the pod as its kubelet reports it. `image_id` ends with the digest.

    One that no kubelet reports (the pod waits for a node, or was evicted) has name and image alone, from the spec.
    """

    name: str
    image: str = ""
    image_id: str = ""
    started_at: datetime | None = None
    restart_count: int = 0


class Pod(Value, frozen=True, kw_only=True):
    """core/v1 Pod, reduced to what decisions need.

    `mirror`: a static pod's mirror, run by the kubelet alone. `ready` is None where nothing says so: then it counts.
    `operating_system` is what the pod asks for, such as `windows`; empty where it asks for none. `further_interfaces`:
    it has network interfaces besides the cluster's own, or may have.
    """

    namespace: str
    name: str
    uid: str
    resource_version: str
    creation_time: datetime
    node_name: str = ""
    phase: str = ""
    ready: bool | None = None
    host_network: bool = False
    operating_system: str = ""
    further_interfaces: bool = False
    mirror: bool = False
    deletion_time: datetime | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owners: tuple[Owner, ...] = ()
    containers: tuple[ContainerStatus, ...] = ()
    service_account: str = ""

    @property
    def workload(self) -> Owner | None:
        """The topmost owner: what a person would call the workload. None for a standalone pod."""
        return self.owners[-1] if self.owners else None


class Node(Value, frozen=True, kw_only=True):
    """core/v1 Node. `instance_id` is the annotation `container.googleapis.com/instance_id`.

    `ready` is None where nothing says so: then it counts. `zone` is the label `topology.kubernetes.io/zone`.
    `operating_system` is what the kubelet reports, or the label `kubernetes.io/os`.
    """

    name: str
    uid: str
    resource_version: str
    creation_time: datetime | None = None
    unschedulable: bool = False
    ready: bool | None = None
    instance_id: str = ""
    node_pool: str = ""
    zone: str = ""
    operating_system: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Namespace(Value, frozen=True, kw_only=True):
    """core/v1 Namespace."""

    name: str
    uid: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Cluster(Value, frozen=True, kw_only=True):
    """A cluster as the GKE API describes it. What is None, nothing says.

    `workload_pool` has the identities of its service accounts, `PROJECT.svc.id.goog`; empty where they have none.
    """

    ref: ClusterRef
    autopilot: bool | None = None
    enforces_network_policy: bool | None = None
    workload_pool: str | None = None
    labels: dict[str, str] = {}


class Workload(Value, frozen=True, kw_only=True):
    """How many pods a workload wants, and has that are ready. None for kinds that count none (Job, DaemonSet).

    `has_no_retry`: a Job that fails once one more of its pods does. To delete one counts as that.
    """

    kind: str
    name: str
    replicas: int | None = None
    ready: int | None = None
    has_no_retry: bool = False


class DisruptionBudget(Value, frozen=True, kw_only=True):
    """A policy/v1 PodDisruptionBudget that selects the pod. Nothing is allowed while its status is out of date."""

    name: str
    disruptions_allowed: int


class Zone(Value, frozen=True, kw_only=True):
    """The nodes of a pool in one zone. `schedulable` are ready, take new pods, and have no taint against this pod."""

    nodes: int
    schedulable: int


class NodePool(Value, frozen=True, kw_only=True):
    """The nodes of a pool now, by zone. Nodes without a pool's label are a pool without a name.

    `target_takes_pods`: whether the node itself has no taint against the pod.
    """

    name: str
    zones: dict[str, Zone]
    target_takes_pods: bool = True

    @property
    def nodes(self) -> int:
        """How many nodes it has."""
        return sum(zone.nodes for zone in self.zones.values())

    @property
    def schedulable(self) -> int:
        """How many of them are ready and take new pods."""
        return sum(zone.schedulable for zone in self.zones.values())


class LiveLook(Value, frozen=True, kw_only=True):
    """The state that a disruption depends on, read right before it: others may change the same pods and nodes.

    A fact that was not needed, or could not be read, is None; then `Context.missing` says why. `unshared`: what no
    second pod can have beside the pod, `host_ports` or `volume_in_use`.
    """

    workload: Workload | None = None
    unshared: tuple[str, ...] | None = None
    budgets: tuple[DisruptionBudget, ...] | None = None
    node_pool: NodePool | None = None


class RelatedFinding(Value, frozen=True, kw_only=True):
    """A related finding: another threat about the same target within the hour (see `related_findings`)."""

    name: str
    category: str
    event_time: datetime
    severity: str = ""


class IdentityLevel(StrEnum):
    """How sure it is that the pod that was read is the finding's."""

    PROVED = "proved"
    """Every check held."""
    LIKELY = "likely"
    """Nothing contradicts, and some fields are absent."""
    REFUTED = "refuted"
    """A check contradicts."""
    UNKNOWN = "unknown"
    """None was read."""


class Identity(Value, frozen=True, kw_only=True):
    """Whether the pod, or the node, that was read is the one the finding means.

    `checks` maps each check to one of these, or to what contradicts it: `held`, `restarted` (held, but
    the finding's container ended since), `absent`, `unreported` (no kubelet reports the container: its spec is looked
    at), `too_close` (in time, to tell one pod from another). On Cloud Run `one_revision_of` names those that may be
    meant, where a person has to choose; of executions `one_execution_of`.
    """

    level: IdentityLevel = IdentityLevel.UNKNOWN
    reason: Reason = Reason.NO_POD
    checks: dict[str, str] = {}


_RUN_READS = ("service", "revisions", "job", "executions", "execution")
NO_SUCH_OWNER = frozenset({Reason.NOT_FOUND, Reason.OWNER_REPLACED})
"""Reasons for a missing owner that prove it does not own the pod: no workload loses a replica."""


class Context(Value, frozen=True, kw_only=True):
    """Everything a decision may look at. `missing` maps a fact (`node`, `namespace`, ...) to why it is not here.

    `refused` are those of them that we lack the permission to read.
    `artefact` and `compiler` are known once a look into the container has read them (`inspect_container`).
    `live` is read once a disruption is planned; its workload and budgets, `workload_object` and `google_identity` (that
    of the pod's service account) also before the decision, where a policy asks for them.
    `now` is when it is decided: the record keeps it, so that the decision can be made again as it was.
    `service` with its `revision`, or `job` with its `execution`, is what a finding of Cloud Run is about. All
    `revisions` or `executions` come newest first; `iam_policy` is the service's or job's own.
    `objects` keeps the objects as read, by kind, and `texts` the finding's: `notified` the bytes of the
    message (none where a case goes on without one), `read` the JSON as read again. They are for evidence; decisions do
    not look at them, and no case keeps them.
    """

    finding: Finding
    threat: Threat
    now: datetime | None = None
    cluster: Cluster | None = None
    pod: Pod | None = None
    namespace: Namespace | None = None
    node: Node | None = None
    service: RunService | None = None
    revisions: tuple[RunRevision, ...] | None = None
    revision: RunRevision | None = None
    job: RunJob | None = None
    executions: tuple[RunExecution, ...] | None = None
    execution: RunExecution | None = None
    iam_policy: RunIamPolicy | None = None
    related: tuple[RelatedFinding, ...] | None = None
    live: LiveLook | None = None
    workload_object: WorkloadObject | None = None
    google_identity: str | None = None
    artefact: Artefact | None = None
    compiler: Compiler | None = None
    identity: Identity = Identity()
    node_identity: Identity = Identity(reason=Reason.NO_NODE)
    missing: dict[str, str] = {}
    refused: tuple[str, ...] = ()
    objects: dict[str, dict[str, Any]] = {}
    texts: dict[str, Any] = {}

    @property
    def run_owner(self) -> RunService | RunJob | None:
        """The service or the job of Cloud Run."""
        return self.service or self.job

    @property
    def run_uids(self) -> frozenset[str]:
        """The UIDs of the service or job, and of the revision or execution that is meant."""
        return frozenset(part.uid for part in (self.run_owner, self.revision, self.execution) if part)

    @property
    def run_unread(self) -> Reason | None:
        """Why a part of Cloud Run by which the target is known could not be read; None where a later look helps not."""
        told = (Reason.read(self.missing.get(fact, "")) for fact in _RUN_READS)
        return next((reason for reason in told if reason and reason.is_unread), None)

    @property
    def pod_missing(self) -> Reason:
        """Why there is no pod to act on: `target_absent`, `pod_not_named`, `pod_unreadable`."""
        return Reason.read(self.missing.get("pod", Reason.POD_NOT_NAMED)) or Reason.POD_UNREADABLE

    @property
    def owner_unreadable(self) -> bool:
        """Whether the pod's owner is one that no later delivery can read either: of an unknown kind, or refused."""
        return self.missing.get("owner") == Reason.UNKNOWN_KIND or "owner" in self.refused
