"""Values of `domain/cloud_run` from Google's messages. Takes protobuf's own messages, not those of proto-plus.

Source: google/cloud/run/v2, google/iam/v1/policy.proto.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from scc_responder.collect.image_names import digest_in
from scc_responder.domain.cloud_run.run_names import RunName, short_name
from scc_responder.domain.cloud_run.run_objects import (
    RunCondition,
    RunContainer,
    RunExecution,
    RunIamBinding,
    RunIamPolicy,
    RunJob,
    RunRevision,
    RunScaling,
    RunService,
    RunTraffic,
)

_LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"


def service_value(message: Any, asked: RunName) -> RunService:
    """A service. `asked` stands for its name where the answer has none that can be read."""
    return RunService(
        name=RunName.parse(message.name) or asked,
        client=message.client,
        traffic=_traffic(message.traffic),
        traffic_statuses=_traffic(message.traffic_statuses),
        ingress=_enum(message, "ingress"),
        default_uri_disabled=message.default_uri_disabled,
        invoker_iam_disabled=message.invoker_iam_disabled,
        uris=tuple(message.urls),
        scaling=_scaling(message.scaling),
        revision=message.template.revision,
        latest_ready=short_name(message.latest_ready_revision),
        latest_created=short_name(message.latest_created_revision),
        **_owned(message),
        **_run(message.template),
    )


def job_value(message: Any, asked: RunName) -> RunJob:
    """A job."""
    return RunJob(
        name=RunName.parse(message.name) or asked,
        latest_execution=short_name(message.latest_created_execution.name),
        **_owned(message),
        **_run(message.template.template),
    )


def revision_value(message: Any) -> RunRevision:
    """A revision."""
    conditions = _conditions(message.conditions)
    ready = next((item.state == "CONDITION_SUCCEEDED" for item in conditions if item.type == "Ready"), None)
    return RunRevision(
        name=short_name(message.name),
        service=short_name(message.service),
        labels=dict(message.labels),
        scaling=_scaling(message.scaling),
        ready=ready,
        **_versioned(message, "create_time", "delete_time"),
        **_run(message),
    )


def execution_value(message: Any) -> RunExecution:
    """An execution."""
    return RunExecution(
        name=short_name(message.name),
        job=short_name(message.job),
        running=message.running_count,
        succeeded=message.succeeded_count,
        failed=message.failed_count,
        cancelled=message.cancelled_count,
        **_versioned(message, "create_time", "start_time", "completion_time", "delete_time"),
        **_run(message.template),
    )


def policy_value(message: Any) -> RunIamPolicy:
    """An IAM policy. Its etag is bytes, which JSON writes as base64."""
    bindings = [
        RunIamBinding(role=item.role, members=tuple(item.members), condition=item.condition.expression)
        for item in message.bindings
    ]
    return RunIamPolicy(
        etag=document_of(message).get("etag", ""), version=message.version or 1, bindings=tuple(bindings)
    )


def document_of(message: Any) -> dict[str, Any]:
    """A message as protobuf's JSON."""
    json_format: Any = import_module("google.protobuf.json_format")
    return dict(json_format.MessageToDict(message))


def _owned(message: Any) -> dict[str, Any]:
    """What services and jobs have in common."""
    terminal = _conditions([message.terminal_condition])[0] if message.HasField("terminal_condition") else None
    return {
        **_versioned(message, "create_time", "update_time", "delete_time"),
        "observed": message.observed_generation,
        "last_modifier": message.last_modifier,
        "labels": dict(message.labels),
        "annotations": dict(message.annotations),
        "ready": terminal,
    }


def _versioned(message: Any, *times: str) -> dict[str, Any]:
    """What everything has that the API makes, and the times of it."""
    return {
        "uid": message.uid,
        "generation": message.generation,
        "etag": message.etag,
        "creator": message.creator,
        "reconciling": message.reconciling,
        "conditions": _conditions(message.conditions),
        **{name: _time(message, name) for name in times},
    }


def _run(template: Any) -> dict[str, Any]:
    """What runs, and as whom."""
    containers = tuple(
        RunContainer(name=item.name, image=item.image, digest=f"sha256:{digest}" if digest else "")
        for item in template.containers
        for digest in [digest_in(item.image)]
    )
    return {"containers": containers, "service_account": template.service_account}


def _traffic(targets: Iterable[Any]) -> tuple[RunTraffic, ...]:
    return tuple(
        RunTraffic(
            latest=_enum(item, "type_") == _LATEST,
            revision=short_name(item.revision),
            percent=item.percent,
            tag=item.tag,
            uri=getattr(item, "uri", ""),
        )
        for item in targets
    )


def _scaling(message: Any) -> RunScaling:
    """Of a service or of a revision, which has no mode: a number of 0 that may not be set counts as none."""
    is_service = "scaling_mode" in message.DESCRIPTOR.fields_by_name
    is_manual = is_service and message.HasField("manual_instance_count")
    return RunScaling(
        mode=_enum(message, "scaling_mode") if is_service and message.scaling_mode else "",
        minimum=message.min_instance_count or None,
        maximum=message.max_instance_count or None,
        manual=message.manual_instance_count if is_manual else None,
    )


def _conditions(messages: Iterable[Any]) -> tuple[RunCondition, ...]:
    return tuple(
        RunCondition(
            type=item.type_,
            state=_enum(item, "state"),
            reason=_enum(item, item.WhichOneof("reasons")) if item.WhichOneof("reasons") else "",
            message=item.message,
            time=_time(item, "last_transition_time"),
        )
        for item in messages
    )


def _enum(message: Any, field: str) -> str:
    """The name of an enum's value; its number where this version knows none."""
    value = getattr(message, field)
    known = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(value)
    return str(known.name if known else value)


def _time(message: Any, field: str) -> datetime | None:
    found = getattr(message, field)
    return found.ToDatetime(tzinfo=UTC) if message.HasField(field) else None
