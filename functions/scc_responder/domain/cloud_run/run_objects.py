"""Services, revisions, jobs, executions and IAM policies of Cloud Run, reduced to what decisions need.

Absent text is empty, an absent time is None. Source: google/cloud/run/v2 and google/iam/v1 `Policy`.
"""

from __future__ import annotations

from datetime import datetime

from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.value import Value

CLOUD_FUNCTIONS = "cloudfunctions"
"""What manages a service that Cloud Functions deployed."""

_MANAGED_BY = "goog-managed-by"
_FUNCTION_LABEL = "goog-cloudfunctions-"
_FUNCTION_ANNOTATION = "cloudfunctions.googleapis.com/"


class RunCondition(Value, frozen=True, kw_only=True):
    """One condition. `state` is `CONDITION_SUCCEEDED`, `CONDITION_FAILED`, ...; `reason` is empty where all is well."""

    type: str
    state: str
    reason: str = ""
    message: str = ""
    time: datetime | None = None


class RunContainer(Value, frozen=True, kw_only=True):
    """A container. `digest` is `sha256:...`, empty where nothing says which image a tag stood for."""

    name: str = ""
    image: str = ""
    digest: str = ""


class RunTraffic(Value, frozen=True, kw_only=True):
    """A share of a service's requests, as wanted (`traffic`) or as served (`trafficStatuses`).

    `latest`: it goes to whatever revision is the latest ready one; then `revision` is empty where it is wanted.
    A target with a `tag` has an address of its own, `uri`, whatever its `percent` is.
    """

    latest: bool = False
    revision: str = ""
    percent: int = 0
    tag: str = ""
    uri: str = ""


class RunScaling(Value, frozen=True, kw_only=True):
    """How many instances a service has: `mode` is `AUTOMATIC` or `MANUAL`; numbers are None where not set."""

    mode: str = ""
    minimum: int | None = None
    maximum: int | None = None
    manual: int | None = None


class _RunObject(Value, frozen=True, kw_only=True):
    """What all have in common. `creator` is an e-mail address."""

    uid: str
    create_time: datetime | None = None
    delete_time: datetime | None = None
    creator: str = ""
    containers: tuple[RunContainer, ...] = ()
    service_account: str = ""
    reconciling: bool = False
    conditions: tuple[RunCondition, ...] = ()


class _RunOwner(_RunObject, frozen=True, kw_only=True):
    """A service or a job. `observed` is the generation that was reconciled last, `last_modifier` an e-mail address."""

    name: RunName
    generation: int
    etag: str
    observed: int = 0
    update_time: datetime | None = None
    last_modifier: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    ready: RunCondition | None = None


class _RunChild(_RunObject, frozen=True, kw_only=True):
    """A revision or an execution, by its short name."""

    name: str
    generation: int = 0
    etag: str = ""


class RunService(_RunOwner, frozen=True, kw_only=True):
    """A service. `revision`, `latest_ready` and `latest_created` are short names of revisions.

    `revision` is the name that the template asks for, empty where Cloud Run chooses.
    """

    client: str = ""
    traffic: tuple[RunTraffic, ...] = ()
    traffic_statuses: tuple[RunTraffic, ...] = ()
    ingress: str = ""
    default_uri_disabled: bool = False
    invoker_iam_disabled: bool = False
    uris: tuple[str, ...] = ()
    scaling: RunScaling = RunScaling()
    revision: str = ""
    latest_ready: str = ""
    latest_created: str = ""

    @property
    def has_routes(self) -> bool:
        """Whether its traffic and access are as wanted, also where its newest revision is broken."""
        return any((item.type, item.state) == ("RoutesReady", "CONDITION_SUCCEEDED") for item in self.conditions)

    @property
    def managed_by(self) -> str:
        """What deploys the service in people's place, such as `cloudfunctions`; empty where nothing says so."""
        is_function = any(key.startswith(_FUNCTION_LABEL) for key in self.labels)
        is_function |= any(key.startswith(_FUNCTION_ANNOTATION) for key in self.annotations)
        return CLOUD_FUNCTIONS if is_function else self.labels.get(_MANAGED_BY, "")


class RunRevision(_RunChild, frozen=True, kw_only=True):
    """A revision of a service, by its short name. `ready`: its condition `Ready` holds; None where nothing says so."""

    service: str
    labels: dict[str, str] = {}
    scaling: RunScaling = RunScaling()
    ready: bool | None = None

    @property
    def digests(self) -> frozenset[str]:
        """The digests of all its containers; empty where that of any of them is not known."""
        known = [container.digest for container in self.containers]
        return frozenset(known) if all(known) else frozenset()


class RunJob(_RunOwner, frozen=True, kw_only=True):
    """A job. `latest_execution` is a short name."""

    latest_execution: str = ""


class RunExecution(_RunChild, frozen=True, kw_only=True):
    """An execution of a job, by its short name. It runs while it has no `completion_time`."""

    job: str
    start_time: datetime | None = None
    completion_time: datetime | None = None
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0


class RunIamBinding(Value, frozen=True, kw_only=True):
    """A role and who has it. `condition` is the CEL expression that limits it."""

    role: str
    members: tuple[str, ...] = ()
    condition: str = ""


class RunIamPolicy(Value, frozen=True, kw_only=True):
    """The IAM policy of a service or job itself: what it inherits from its project is not in it."""

    etag: str = ""
    version: int = 1
    bindings: tuple[RunIamBinding, ...] = ()
