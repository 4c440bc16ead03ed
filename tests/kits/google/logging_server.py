"""Cloud Logging as a local gRPC server that speaks Google's protos, and parses and applies the filters it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import google.cloud.audit.audit_log_pb2  # noqa: F401 - payloads of audit logs are read by it
import grpc
from google.cloud.logging_v2.types import (
    GetSinkRequest,
    ListLogEntriesRequest,
    ListLogEntriesResponse,
    LogEntry,
    LogSink,
)
from google.protobuf import json_format

from tests.kits.google.grpc_servers import LocalServer, unary
from tests.kits.google.logging_filter import FilterError, parse_filter

AUDIT_LOG = "type.googleapis.com/google.cloud.audit.AuditLog"
ACTIVITY = "projects/example-project/logs/cloudaudit.googleapis.com%2Factivity"
DATA_ACCESS = "projects/example-project/logs/cloudaudit.googleapis.com%2Fdata_access"
STDOUT = "projects/example-project/logs/stdout"
CLUSTER = {"project_id": "example-project", "location": "europe-west1", "cluster_name": "prod-1"}


class LoggingServer(LocalServer):
    """`google.logging.v2.LoggingServiceV2`, of which ListLogEntries is served from `entries`, by project.

    `requests` are what it was asked; the filters that it could not read are in `refused`.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.entries: list[LogEntry] = []
        self.requests: list[ListLogEntriesRequest] = []
        self.refused: list[str] = []
        handler = unary(self.list_log_entries, ListLogEntriesRequest, ListLogEntriesResponse)
        super().__init__("google.logging.v2.LoggingServiceV2", {"ListLogEntries": handler}, port)

    def add(self, *entries: Mapping[str, Any]) -> None:
        """Hold these entries, given as JSON."""
        for document in entries:
            held = LogEntry()
            json_format.ParseDict(dict(document), LogEntry.pb(held))
            self.entries.append(held)

    def list_log_entries(self, request: ListLogEntriesRequest, context: grpc.ServicerContext) -> ListLogEntriesResponse:
        """ListLogEntries of one project, in the order of time."""
        self.requests.append(request)
        self.befall("ListLogEntries", context)
        try:
            matches = parse_filter(request.filter)
        except FilterError as error:
            self.refused.append(f"{error}: {request.filter}")
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Unparseable filter: {error}")
        if len(request.filter) > 20_000 or request.order_by not in {"", "timestamp asc", "timestamp desc"}:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "filter too long, or no order")
        inside = [
            entry for entry in self.entries if f"projects/{entry.log_name.split('/')[1]}" in request.resource_names
        ]
        found = [entry for entry in inside if matches(json_format.MessageToDict(LogEntry.pb(entry)))]
        found.sort(key=lambda entry: entry.timestamp, reverse=request.order_by.endswith("desc"))
        page = found[: request.page_size or 50]
        return ListLogEntriesResponse(entries=page, next_page_token="more" if len(found) > len(page) else "")


def audit_entry(resource: str, method: str, who: str, at: str, log: str = ACTIVITY, **more: Any) -> dict[str, Any]:
    """An entry of a cluster's audit log, or of Google Cloud's with `resource_type`."""
    kind = more.pop("resource_type", "k8s_cluster")
    payload = {
        "@type": AUDIT_LOG,
        "serviceName": "k8s.io",
        "methodName": method,
        "resourceName": resource,
        "authenticationInfo": {"principalEmail": who, **more},
    }
    labels = CLUSTER if kind == "k8s_cluster" else {"project_id": "example-project"}
    return {"logName": log, "timestamp": at, "resource": {"type": kind, "labels": labels}, "protoPayload": payload}


def line_entry(text: str, at: str, pod: str = "web-1", namespace: str = "shop", **labels: str) -> dict[str, Any]:
    """A line that a container wrote."""
    named = {**CLUSTER, "namespace_name": namespace, "pod_name": pod, "container_name": "app", **labels}
    return {
        "logName": STDOUT,
        "timestamp": at,
        "resource": {"type": "k8s_container", "labels": named},
        "textPayload": text,
    }


def node_entry(text: str, at: str, instance_id: str) -> dict[str, Any]:
    """A line of a node's serial console."""
    labels = {"project_id": "example-project", "zone": "europe-west1-b", "instance_id": instance_id}
    log = "projects/example-project/logs/serialconsole.googleapis.com%2Fserial_port_1_output"
    return {
        "logName": log,
        "timestamp": at,
        "resource": {"type": "gce_instance", "labels": labels},
        "textPayload": text,
    }


class SinksServer(LocalServer):
    """`google.logging.v2.ConfigServiceV2`, of which GetSink is served from `sinks`, by their full names.

    Every project has the sink `_Default`, with nothing left out, until `sinks` says otherwise.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.sinks: dict[str, LogSink] = {}
        self.requests: list[str] = []
        handler = unary(self.get_sink, GetSinkRequest, LogSink)
        super().__init__("google.logging.v2.ConfigServiceV2", {"GetSink": handler}, port)

    def exclude(self, project: str, name: str, filter_: str, *, disabled: bool = False) -> None:
        """Let the project's `_Default` leave out what this filter chooses."""
        sink = self.sinks.setdefault(f"projects/{project}/sinks/_Default", LogSink(name="_Default"))
        sink.exclusions.append({"name": name, "filter": filter_, "disabled": disabled})

    def get_sink(self, request: GetSinkRequest, context: grpc.ServicerContext) -> LogSink:
        """GetSink of a project, by its full name."""
        self.requests.append(request.sink_name)
        self.befall("GetSink", context)
        parts = request.sink_name.split("/")
        if len(parts) != 4 or parts[::2] != ["projects", "sinks"]:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Invalid sink name {request.sink_name!r}.")
        if request.sink_name not in self.sinks and parts[3] != "_Default":
            context.abort(grpc.StatusCode.NOT_FOUND, f"Sink {parts[3]} does not exist")
        return self.sinks.get(request.sink_name, LogSink(name=parts[3]))
