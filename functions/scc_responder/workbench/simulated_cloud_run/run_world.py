"""The services, jobs and operations of a Cloud Run, and how they change: generations, etags, reconciliation.

What it refuses it refuses with `Refused`. What is not in Google's documents is marked "not tried on a project".
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.run_v2.types import (
    Condition,
    Execution,
    Job,
    Revision,
    Service,
    TrafficTargetStatus,
    UpdateServiceRequest,
)
from google.cloud.run_v2.types import TrafficTargetAllocationType as Allocation
from google.iam.v1 import policy_pb2
from google.longrunning import operations_pb2
from google.rpc import status_pb2

from scc_responder.workbench.simulated_cloud_run.run_refusals import (
    Refused,
    check_etag,
    completed_as,
    condition,
    failed_precondition,
    found,
    invalid_argument,
    time_of_objects,
)

LATEST = Allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
UPDATABLE = frozenset(
    {"description", "labels", "annotations", "client", "client_version", "ingress", "launch_stage", "template"}
    | {"binary_authorization", "traffic", "scaling", "invoker_iam_disabled", "default_uri_disabled"}
    | {"custom_audiences", "iap_enabled"}
)
"""The fields of a service that are not output only. Source: google/cloud/run/v2/service.proto."""


@dataclass
class Pending:
    """A change that is not reconciled yet. `finish` makes it so, once the clock is past `due`."""

    operation: operations_pb2.Operation
    due: float
    finish: Callable[[], Any]
    failure: str = ""


@dataclass
class RunWorld:
    """What there is. `clock` is in seconds; a change is reconciled after `reconcile_seconds` of it.

    `next_failure`: the message with which the next reconciliation fails. `writes` are the changes that were accepted,
    by method and name. `caller` is who asks.
    """

    clock: Callable[[], float] = time.monotonic
    reconcile_seconds: float = 2.0
    caller: str = "scc-responder@example-project.iam.gserviceaccount.com"
    next_failure: str = ""
    services: dict[str, Service] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    policies: dict[str, policy_pb2.Policy] = field(default_factory=dict)
    operations: dict[str, operations_pb2.Operation] = field(default_factory=dict)
    pending: list[Pending] = field(default_factory=list)
    writes: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def settle(self) -> None:
        """Reconcile what is due."""
        for each in [each for each in self.pending if each.due <= self.clock()]:
            self.pending.remove(each)
            result = each.finish()
            each.operation.done = True
            if each.failure:
                each.operation.error.CopyFrom(status_pb2.Status(code=9, message=each.failure))
            else:
                each.operation.response.Pack(type(result).pb(result))

    def update_service(self, request: UpdateServiceRequest) -> operations_pb2.Operation:
        """UpdateService: what the mask names is replaced, or all of it without a mask."""
        held = found(self.services, request.service.name, "SERVICE")
        wanted = self._wanted(held, request)
        self._check_traffic(wanted)
        is_new_template = wanted.template != held.template
        revision = self._check_template(held, wanted) if is_new_template else ""
        if request.validate_only or all(getattr(wanted, name) == getattr(held, name) for name in UPDATABLE):
            return self._ended(wanted.name, wanted)
        failure, self.next_failure = self.next_failure, ""
        self._stamp(wanted)
        wanted.last_modifier = self.caller
        self.services[wanted.name] = wanted
        if is_new_template:
            self.add_revision(wanted, revision, is_ready=False)
        self.writes.append(("UpdateService", wanted.name))
        generation = wanted.generation
        return self._begin(wanted.name, wanted, lambda: self._reconcile(wanted.name, generation, failure), failure)

    def delete_revision(self, name: str, etag: str, validate_only: bool) -> operations_pb2.Operation:
        """DeleteRevision: of one that no traffic target names and that is not the latest."""
        held = found(self.revisions, name, "REVISION")
        check_etag(held, etag)
        short = name.rpartition("/")[2]
        service = self.services[name.partition("/revisions/")[0]]
        if name in {service.latest_created_revision, service.latest_ready_revision}:
            raise Refused(failed_precondition(), f"The latest ready revision '{short}' cannot be directly deleted.")
        if any(target.revision == short for target in [*service.traffic, *service.traffic_statuses]):
            raise Refused(
                failed_precondition(), f"Revision '{short}' is actively receiving traffic and cannot be deleted."
            )
        if validate_only:
            return self._ended(name, held)
        held.delete_time, held.reconciling, held.etag = time_of_objects(), True, self._etag()
        self.writes.append(("DeleteRevision", name))
        return self._begin(name, held, lambda: self.revisions.pop(name))

    def cancel_execution(self, name: str, etag: str, validate_only: bool) -> operations_pb2.Operation:
        """CancelExecution: of one that is not completed."""
        held = found(self.executions, name, "EXECUTION")
        check_etag(held, etag)
        if "completion_time" in held:
            raise Refused(failed_precondition(), f"Execution '{name.rpartition('/')[2]}' is already completed.")
        if validate_only:
            return self._ended(name, held)
        held.reconciling, held.etag = True, self._etag()
        held.conditions = [completed_as("CANCELLING", "CONDITION_RECONCILING")]
        self.writes.append(("CancelExecution", name))
        failure, self.next_failure = self.next_failure, ""
        return self._begin(name, held, lambda: held if failure else self.cancelled(held), failure)

    def set_policy(self, resource: str, wanted: policy_pb2.Policy) -> policy_pb2.Policy:
        """SetIamPolicy, under the etag of the policy that was read, where one is given."""
        held = self.policy(resource)
        if wanted.etag and wanted.etag != held.etag:
            raise Refused(
                grpc.StatusCode.ABORTED,
                "There were concurrent policy changes. Please retry the whole read-modify-write with exponential "
                f"backoff. The request's ETag '{wanted.etag!a}' did not match the current policy's ETag.",
            )
        kept = policy_pb2.Policy(version=wanted.version, bindings=wanted.bindings, etag=self._etag().encode())
        self.policies[resource] = kept
        self.writes.append(("SetIamPolicy", resource))
        return kept

    def policy(self, resource: str) -> policy_pb2.Policy:
        """GetIamPolicy: an empty one where none was set."""
        holders: dict[str, Any] = {**self.services, **self.jobs}
        found(holders, resource, "JOB" if "/jobs/" in resource else "SERVICE")
        return self.policies.setdefault(resource, policy_pb2.Policy(version=1, etag=b"ACAB"))

    def add_revision(self, service: Service, short: str = "", *, is_ready: bool = True) -> Revision:
        """A revision of the service's template; `short` is its name, a generated one where it is empty."""
        short = short or f"{service.name.rpartition('/')[2]}-{service.generation:05d}-abc"
        template = service.template
        made = Revision(
            name=f"{service.name}/revisions/{short}",
            uid=f"00000000-0000-4000-8000-{next(self.numbers):012d}",
            generation=1,
            service=service.name.rpartition("/")[2],
            create_time=time_of_objects(),
            creator=service.last_modifier,
            labels=dict(template.labels),
            containers=template.containers,
            service_account=template.service_account,
            scaling=template.scaling,
            vpc_access=template.vpc_access,
            etag=self._etag(),
            conditions=[condition("Ready", succeeded=is_ready)],
            reconciling=not is_ready,
        )
        self.revisions[made.name] = made
        service.latest_created_revision = made.name
        if is_ready:
            service.latest_ready_revision = made.name
        return made

    def serve(self, service: Service) -> None:
        """Let the service be as it is wanted: observed, ready, its traffic moved."""
        latest = service.latest_ready_revision.rpartition("/")[2]
        service.traffic_statuses = [
            TrafficTargetStatus(
                type_=target.type_,
                revision=target.revision or latest,
                percent=target.percent,
                tag=target.tag,
                uri=service.uri.replace("https://", f"https://{target.tag}---") if target.tag else "",
            )
            for target in service.traffic
        ]
        service.observed_generation, service.reconciling = service.generation, False
        service.terminal_condition = condition("Ready")
        service.conditions = [condition("RoutesReady"), condition("ConfigurationsReady")]

    def _wanted(self, held: Service, request: UpdateServiceRequest) -> Service:
        check_etag(held, request.service.etag)
        if "delete_time" in held:
            raise Refused(failed_precondition(), f"Service '{held.name.rpartition('/')[2]}' is being deleted.")
        paths = list(request.update_mask.paths) or sorted(UPDATABLE)
        if unknown := [path for path in paths if path.partition(".")[0] not in UPDATABLE]:
            raise Refused(invalid_argument(), f"Invalid update_mask: {', '.join(unknown)}")
        wanted = Service(held)
        mask = type(request).pb(request).update_mask.__class__(paths=paths)
        mask.MergeMessage(Service.pb(request.service), Service.pb(wanted), True, True)
        return wanted

    def _check_traffic(self, wanted: Service) -> None:
        """Source: Cloud Run, "Rollbacks, gradual rollouts, and traffic migration". Not tried on a project."""
        if wanted.traffic and sum(target.percent for target in wanted.traffic) != 100:
            raise Refused(
                invalid_argument(), "Violation in UpdateServiceRequest.service.traffic: percents must sum to 100."
            )
        tags = [target.tag for target in wanted.traffic if target.tag]
        if len(tags) != len(set(tags)):
            raise Refused(invalid_argument(), "Violation in UpdateServiceRequest.service.traffic: tags must be unique.")
        for target in wanted.traffic:
            name = f"{wanted.name}/revisions/{target.revision}"
            if target.type_ != LATEST and name not in self.revisions and target.revision != wanted.template.revision:
                raise Refused(failed_precondition(), f"Revision '{target.revision}' is not found.")

    def _check_template(self, held: Service, wanted: Service) -> str:
        """The name of the revision that the template asks for; empty for a generated one."""
        short = str(wanted.template.revision)
        if not short or short == held.template.revision:
            wanted.template.revision = ""
            return ""
        service = wanted.name.rpartition("/")[2]
        if not short.startswith(f"{service}-") or len(short) > 63:
            raise Refused(invalid_argument(), f"Revision name '{short}' must be prefixed with '{service}-'.")
        if f"{wanted.name}/revisions/{short}" in self.revisions:
            raise Refused(
                grpc.StatusCode.ALREADY_EXISTS, f"Revision named '{short}' with different configuration already exists."
            )
        return short

    def _stamp(self, service: Service) -> None:
        service.generation += 1
        service.etag, service.update_time, service.reconciling = self._etag(), time_of_objects(), True
        service.terminal_condition = Condition(type_="Ready", state=Condition.State.CONDITION_RECONCILING)

    def _reconcile(self, name: str, generation: int, failure: str) -> Service:
        service = self.services[name]
        if service.generation != generation:
            return service
        if failure:
            service.observed_generation, service.reconciling = service.generation, False
            service.terminal_condition = condition("Ready", succeeded=False, message=failure)
            return service
        created = self.revisions[service.latest_created_revision]
        created.conditions, created.reconciling = [condition("Ready")], False
        service.latest_ready_revision = created.name
        self.serve(service)
        return service

    def cancelled(self, execution: Execution) -> Execution:
        """The execution as it is once it was cancelled."""
        execution.cancelled_count, execution.running_count = execution.running_count, 0
        execution.completion_time, execution.reconciling = time_of_objects(), False
        execution.conditions = [completed_as("CANCELLED", "CONDITION_FAILED")]
        return execution

    def _begin(self, name: str, about: Any, finish: Callable[[], Any], failure: str = "") -> operations_pb2.Operation:
        operation = self._operation(name, about)
        due = self.clock() + self.reconcile_seconds
        self.pending.append(Pending(operation=operation, due=due, finish=finish, failure=failure))
        return operation

    def _ended(self, name: str, about: Any) -> operations_pb2.Operation:
        operation = self._operation(name, about)
        operation.done = True
        operation.response.Pack(type(about).pb(about))
        return operation

    def _operation(self, name: str, about: Any) -> operations_pb2.Operation:
        place = "/".join(name.split("/")[:4])
        made = operations_pb2.Operation(name=f"{place}/operations/{next(self.numbers):08d}")
        made.metadata.Pack(type(about).pb(about))
        self.operations[made.name] = made
        return made

    def _etag(self) -> str:
        return f'"etag-{next(self.numbers):06d}"'
