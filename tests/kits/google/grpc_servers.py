"""Security Command Center and GKE as local gRPC servers that speak Google's own protos.

Each is a context manager: `with SecurityCenterServer() as server: client(server.endpoint)`. They answer only what the
real services would: anything else is refused, and recorded.
"""

from __future__ import annotations

import operator
import re
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self

import grpc
from google.cloud.container_v1.types import Cluster, GetClusterRequest, ListClustersRequest, ListClustersResponse
from google.cloud.securitycenter_v2.types import (
    ExternalSystem,
    GetNotificationConfigRequest,
    ListFindingsRequest,
    ListFindingsResponse,
    NotificationConfig,
    UpdateExternalSystemRequest,
)
from google.protobuf import json_format

from scc_responder.domain.resource_names import FindingName

Item = ListFindingsResponse.ListFindingsResult

_ANCESTOR = r"(?:organizations|folders|projects)/[a-z0-9.:-]+"
_PARENT = re.compile(rf"({_ANCESTOR})/sources/([0-9]+|-)/locations/([a-z0-9-]+)", re.ASCII)
_FINDING = re.compile(rf"({_ANCESTOR})/sources/([0-9]+)/locations/([a-z0-9-]+)/findings/([A-Za-z0-9_-]+)", re.ASCII)
_CONFIG = re.compile(rf"{_ANCESTOR}/locations/[a-z0-9-]+/notificationConfigs/[A-Za-z0-9_-]+", re.ASCII)
_BY_NAME = re.compile(rf'name="({_FINDING.pattern})"', re.ASCII)
_RESTRICTION = re.compile(r'([a-z_.]+)(=|:|>=|<=|>|<)("[^"\\]*"|-?[0-9]+)', re.ASCII)
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ":": operator.contains,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FIELDS: Mapping[str, tuple[str, Callable[[Item], Any]]] = {
    "parent": ("= :", lambda one: one.finding.parent),
    "resource_name": ("= :", lambda one: one.finding.resource_name),
    "state": ("= :", lambda one: one.finding.state.name),
    "category": ("= :", lambda one: one.finding.category),
    "severity": ("= :", lambda one: one.finding.severity.name),
    "event_time": ("= > < >= <=", lambda one: _milliseconds(one)),  # noqa: PLW0108 - it stands below
}
"""The fields that a filter may name, their operators and values: of `ListFindingsRequest.filter` those used so far.

There is none for mute, class, pods and principals.
"""

_LOCATION = re.compile(r"(projects/[a-z0-9.:-]+)/locations/([a-z0-9-]+)", re.ASCII)
_CLUSTER = re.compile(r"projects/[a-z0-9.:-]+/locations/[a-z0-9-]+/clusters/[a-z0-9-]+", re.ASCII)


class Method(NamedTuple):
    """What a method needs, and the page of Google's that says so."""

    permission: str
    source: str


_GKE_PERMISSIONS = "https://cloud.google.com/kubernetes-engine/docs/reference/api-permissions"
_RUN_PERMISSIONS = "https://cloud.google.com/run/docs/reference/iam/permissions"
_OF_CLOUD_RUN = {
    "Services/GetService": "run.services.get",
    "Services/UpdateService": "run.services.update",
    "Services/GetIamPolicy": "run.services.getIamPolicy",
    "Services/SetIamPolicy": "run.services.setIamPolicy",
    "Revisions/GetRevision": "run.revisions.get",
    "Revisions/ListRevisions": "run.revisions.list",
    "Revisions/DeleteRevision": "run.revisions.delete",
    "Jobs/GetJob": "run.jobs.get",
    "Jobs/GetIamPolicy": "run.jobs.getIamPolicy",
    "Jobs/SetIamPolicy": "run.jobs.setIamPolicy",
    "Executions/GetExecution": "run.executions.get",
    "Executions/ListExecutions": "run.executions.list",
    "Executions/CancelExecution": "run.executions.cancel",
}
METHODS = {
    **{f"google.cloud.run.v2.{name}": Method(needed, _RUN_PERMISSIONS) for name, needed in _OF_CLOUD_RUN.items()},
    "google.cloud.securitycenter.v2.SecurityCenter/ListFindings": Method(
        "securitycenter.findings.list",
        "https://cloud.google.com/security-command-center/docs/reference/rest/v2/organizations.sources.findings/list",
    ),
    "google.cloud.securitycenter.v2.SecurityCenter/GetNotificationConfig": Method(
        "securitycenter.notificationconfig.get",
        "https://cloud.google.com/security-command-center/docs/reference/rest/v2/organizations.locations.notificationConfigs/get",
    ),
    "google.cloud.securitycenter.v2.SecurityCenter/UpdateExternalSystem": Method(
        "securitycenter.findingexternalsystems.update",
        "https://cloud.google.com/security-command-center/docs/access-control-org",
    ),
    "google.container.v1.ClusterManager/GetCluster": Method("container.clusters.get", _GKE_PERMISSIONS),
    "google.container.v1.ClusterManager/ListClusters": Method("container.clusters.list", _GKE_PERMISSIONS),
    "google.logging.v2.LoggingServiceV2/ListLogEntries": Method(
        "logging.logEntries.list", "https://cloud.google.com/logging/docs/access-control"
    ),
    "google.monitoring.v3.MetricService/ListTimeSeries": Method(
        "monitoring.timeSeries.list", "https://cloud.google.com/monitoring/access-control"
    ),
    "google.logging.v2.ConfigServiceV2/GetSink": Method(
        "logging.sinks.get", "https://cloud.google.com/logging/docs/access-control"
    ),
    "google.cloud.kms.v1.KeyManagementService/AsymmetricSign": Method(
        "cloudkms.cryptoKeyVersions.useToSign", "https://cloud.google.com/kms/docs/reference/permissions-and-roles"
    ),
    "google.cloud.kms.v1.KeyManagementService/GetPublicKey": Method(
        "cloudkms.cryptoKeyVersions.viewPublicKey", "https://cloud.google.com/kms/docs/reference/permissions-and-roles"
    ),
    "google.pubsub.v1.Publisher/Publish": Method(
        "pubsub.topics.publish", "https://cloud.google.com/pubsub/docs/access-control"
    ),
    "google.pubsub.v1.Subscriber/Pull": Method(
        "pubsub.subscriptions.consume", "https://cloud.google.com/pubsub/docs/access-control"
    ),
    "google.pubsub.v1.Subscriber/Acknowledge": Method(
        "pubsub.subscriptions.consume", "https://cloud.google.com/pubsub/docs/access-control"
    ),
    "google.pubsub.v1.Subscriber/ModifyAckDeadline": Method(
        "pubsub.subscriptions.consume", "https://cloud.google.com/pubsub/docs/access-control"
    ),
}
"""Every method that is served here."""


@dataclass(frozen=True)
class Fault:
    """What happens to one call: it ends with `code`, or, without one, is held for `seconds` first."""

    code: grpc.StatusCode | None = None
    details: str = ""
    trailing: tuple[tuple[str, str | bytes], ...] = ()
    seconds: float = 0.0


class LocalServer:
    """One gRPC service on a free port of 127.0.0.1. `faults` befall the next calls, one each.

    `granted`, where set, are the permissions of whoever calls: a method that needs another is refused.
    """

    def __init__(self, service: str, methods: Mapping[str, grpc.RpcMethodHandler], port: int = 0) -> None:
        self.faults: deque[Fault] = deque()
        self.granted: Collection[str] | None = None
        self._needed = {name: METHODS[f"{service}/{name}"].permission for name in methods}
        self._stopping = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(8), options=(("grpc.so_reuseport", 0),))
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, dict(methods)),))
        self.endpoint = f"127.0.0.1:{self._server.add_insecure_port(f'127.0.0.1:{port}')}"

    def fail_next(self, code: grpc.StatusCode, details: str = "", *, count: int = 1, **more: Any) -> None:
        """Let the next `count` calls end with `code`."""
        self.faults.extend([Fault(code=code, details=details, **more)] * count)

    def stall_next(self, seconds: float, *, count: int = 1) -> None:
        """Hold the next `count` calls back for `seconds`."""
        self.faults.extend([Fault(seconds=seconds)] * count)

    def pass_next(self, *, count: int = 1) -> None:
        """Let the next `count` calls through, before the faults that are added after this."""
        self.faults.extend([Fault()] * count)

    def start(self) -> Self:
        """Serve."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop serving, and let go of the calls that are held."""
        self._stopping.set()
        self._server.stop(grace=0).wait(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def granted_to(self, _context: grpc.ServicerContext) -> Collection[str] | None:
        """The permissions of whoever calls; None: all."""
        return self.granted

    def befall(self, method: str, context: grpc.ServicerContext) -> None:
        """Refuse this call for want of a permission, or apply the next fault, if any, to it."""
        needed, granted = self._needed[method], self.granted_to(context)
        if needed and granted is not None and needed not in granted:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, f"Permission '{needed}' denied on resource.")
        fault = self.faults.popleft() if self.faults else None
        if fault is None:
            return
        context.set_trailing_metadata(fault.trailing)
        if fault.code is not None:
            context.abort(fault.code, fault.details)
        self._stopping.wait(fault.seconds)


class SecurityCenterServer(LocalServer):
    """`google.cloud.securitycenter.v2.SecurityCenter`, of which three methods are served.

    `configs` are the notification configs that there are, by name.
    `items` are the findings it holds, `requests` what it was asked, `refused` the filters it could not read.
    `answers`, where set, are the items it gives whatever it is asked. `empty_pages` come before the first item.
    `granted_on`, where set, are the ancestors whose findings the caller may list: others are refused.
    """

    def __init__(self, notifications: Sequence[Mapping[str, Any]] = (), *, port: int = 0) -> None:
        self.items: list[Item] = [item(notification) for notification in notifications]
        self.requests: list[ListFindingsRequest] = []
        self.refused: list[str] = []
        self.answers: list[Item] | None = None
        self.page_limit = 1000
        self.empty_pages = 0
        self.granted_on: Collection[str] | None = None
        self.configs: dict[str, NotificationConfig] = {}
        self.updates: list[UpdateExternalSystemRequest] = []
        handlers = {
            "ListFindings": unary(self.list_findings, ListFindingsRequest, ListFindingsResponse),
            "GetNotificationConfig": unary(self.get_config, GetNotificationConfigRequest, NotificationConfig),
            "UpdateExternalSystem": unary(self.update_system, UpdateExternalSystemRequest, ExternalSystem),
        }
        super().__init__("google.cloud.securitycenter.v2.SecurityCenter", handlers, port)

    def get_config(self, request: GetNotificationConfigRequest, context: grpc.ServicerContext) -> NotificationConfig:
        """GetNotificationConfig by the full name alone."""
        self.befall("GetNotificationConfig", context)
        if not _CONFIG.fullmatch(request.name):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Invalid name {request.name!r}.")
        if request.name not in self.configs:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Requested entity was not found: {request.name}.")
        return self.configs[request.name]

    def update_system(self, request: UpdateExternalSystemRequest, context: grpc.ServicerContext) -> ExternalSystem:
        """UpdateExternalSystem: the fields of the mask on the finding's own map, which shows them from then on."""
        self.updates.append(request)
        self.befall("UpdateExternalSystem", context)
        name = request.external_system.name
        finding = name.partition("/externalSystems/")[0]
        meant = FindingName.parse(finding)
        found = next((one for one in self.items if FindingName.parse(one.finding.name) == meant), None)
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Requested entity was not found: {finding}.")
        systems = found.finding.external_systems
        known = ExternalSystem(systems[name]) if name in systems else ExternalSystem(name=name)
        for path in request.update_mask.paths:
            setattr(known, path, getattr(request.external_system, path))
        systems[name] = known
        return known

    def list_findings(self, request: ListFindingsRequest, context: grpc.ServicerContext) -> ListFindingsResponse:
        """ListFindings, with the filters that the responder may send and no others."""
        self.requests.append(request)
        self.befall("ListFindings", context)
        chosen = self.answers if self.answers is not None else self._chosen(request, context)
        number = int(request.page_token or 0)
        size = min(request.page_size or 10, self.page_limit)
        first = max(0, number - self.empty_pages) * size
        page = [] if number < self.empty_pages else chosen[first : first + size]
        more = number < self.empty_pages or first + size < len(chosen)
        return ListFindingsResponse(
            list_findings_results=page, next_page_token=str(number + 1) if more else "", total_size=len(chosen)
        )

    def _chosen(self, request: ListFindingsRequest, context: grpc.ServicerContext) -> list[Item]:
        parent = _PARENT.fullmatch(request.parent)
        wanted = _filter(request.filter)
        if parent is None or wanted is None:
            self.refused.append(f"{request.parent} {request.filter}")
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "invalid parent or filter")
        if self.granted_on is not None and parent[1] not in self.granted_on:
            needed = self._needed["ListFindings"]
            context.abort(grpc.StatusCode.PERMISSION_DENIED, f"Permission '{needed}' denied on resource '{parent[1]}'.")
        return [one for one in self.among(request.filter) if _is_under(one, parent) and wanted(one)]

    def among(self, _filter: str) -> Sequence[Item]:
        """The items that a filter may choose: whoever holds thousands need not look at each."""
        return self.items


class ClusterManagerServer(LocalServer):
    """`google.container.v1.ClusterManager`, of which Get- and ListClusters are served from `clusters`, by path."""

    def __init__(self, clusters: Mapping[str, Cluster] | None = None, *, port: int = 0) -> None:
        self.clusters: dict[str, Cluster] = dict(clusters or {})
        self.requests: list[str] = []
        handlers = {
            "GetCluster": unary(self.get_cluster, GetClusterRequest, Cluster),
            "ListClusters": unary(self.list_clusters, ListClustersRequest, ListClustersResponse),
        }
        super().__init__("google.container.v1.ClusterManager", handlers, port)

    def get_cluster(self, request: GetClusterRequest, context: grpc.ServicerContext) -> Cluster:
        """GetCluster by the full name alone."""
        self.requests.append(request.name)
        self.befall("GetCluster", context)
        if not _CLUSTER.fullmatch(request.name):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "invalid cluster name")
        if request.name not in self.clusters:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Not found: {request.name}.")
        return self.clusters[request.name]

    def list_clusters(self, request: ListClustersRequest, context: grpc.ServicerContext) -> ListClustersResponse:
        """ListClusters of a project in one location, or in all (`-`)."""
        self.requests.append(request.parent)
        self.befall("ListClusters", context)
        parent = _LOCATION.fullmatch(request.parent)
        if not parent:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "invalid parent")
        inside = re.compile(
            f"{re.escape(parent[1])}/locations/{'[^/]+' if parent[2] == '-' else parent[2]}/clusters/.+"
        )
        return ListClustersResponse(clusters=[one for path, one in self.clusters.items() if inside.fullmatch(path)])


def item(notification: Mapping[str, Any]) -> Item:
    """A notification's finding and resource as ListFindings holds them: v2 protos, times cut to milliseconds."""
    held = Item()
    known = {part: notification[part] for part in ("finding", "resource") if part in notification}
    json_format.ParseDict(known, Item.pb(held), ignore_unknown_fields=True)
    for time in (Item.pb(held).finding.event_time, Item.pb(held).finding.create_time):
        time.nanos -= time.nanos % 1_000_000
    return held


def cluster(document: Mapping[str, Any]) -> Cluster:
    """A cluster from the JSON of the GKE API."""
    held = Cluster()
    json_format.ParseDict(document, Cluster.pb(held))
    return held


def unary(serve: Callable[..., Any], request: Any, response: Any) -> grpc.RpcMethodHandler:
    """A method that takes and gives proto-plus messages."""
    return grpc.unary_unary_rpc_method_handler(
        serve, request_deserializer=request.deserialize, response_serializer=response.serialize
    )


def _filter(text: str) -> Callable[[Item], bool] | None:
    """The filter, or None where the API would refuse it. `OR` binds more closely than `AND`."""
    by_name = _BY_NAME.fullmatch(text)
    if by_name:
        return lambda one: by_name[1] in {one.finding.name, one.finding.canonical_name}
    try:
        wanted = [
            [_restriction(each) for each in re.sub(r"^\((.*)\)$", r"\1", clause).split(" OR ")]
            for clause in text.split(" AND ")
        ]
    except ValueError:
        return None
    return lambda one: all(any(holds(one) for holds in clause) for clause in wanted)


def _restriction(text: str) -> Callable[[Item], bool]:
    """One `field operator value`. Raises ValueError."""
    match = _RESTRICTION.fullmatch(text)
    if match is None or match[2] not in _FIELDS.get(match[1], ("", None))[0].split():
        raise ValueError(text)
    read, compare = _FIELDS[match[1]][1], _OPERATORS[match[2]]
    value = match[3].strip('"') if match[3].startswith('"') else int(match[3])
    return lambda one: compare(read(one), value)


def _milliseconds(one: Item) -> int:
    time = Item.pb(one).finding.event_time
    return int(time.ToMilliseconds())


def _is_under(one: Item, parent: re.Match[str]) -> bool:
    names = [_FINDING.fullmatch(name) for name in (one.finding.name, one.finding.canonical_name)]
    return any(name and name[1] == parent[1] and parent[2] in {name[2], "-"} and name[3] == parent[3] for name in names)
