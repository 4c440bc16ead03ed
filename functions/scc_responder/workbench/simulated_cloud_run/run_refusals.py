"""What the simulated Cloud Run refuses, and the parts of objects that say how something ended."""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import grpc
from google.cloud.run_v2.types import Condition


class Refused(Exception):  # noqa: N818 - an answer of the API
    """The API refuses a request."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


def found(held: MutableMapping[str, Any], name: str, kind: str) -> Any:
    """The object of a name, or the refusal of the real API."""
    if name in held:
        return held[name]
    parts = name.split("/")
    raise Refused(
        grpc.StatusCode.NOT_FOUND,
        f"Resource '{parts[-1]}' of kind '{kind}' in region '{parts[3]}' in project '{parts[1]}' does not exist.",
    )


def check_etag(held: Any, etag: str) -> None:
    """Refuse a write that was meant for another version. Not tried on a project: which code it has."""
    if etag and etag != held.etag:
        name = held.name.rpartition("/")[2]
        raise Refused(
            grpc.StatusCode.ABORTED,
            f"Conflict for resource '{name}': version '{etag}' was specified but current version is '{held.etag}'.",
        )


def condition(kind: str, *, succeeded: bool = True, message: str = "") -> Condition:
    """A condition that holds, or does not."""
    state = Condition.State.CONDITION_SUCCEEDED if succeeded else Condition.State.CONDITION_FAILED
    return Condition(type_=kind, state=state, message=message, last_transition_time=time_of_objects())


def completed_as(reason: str, state: str) -> Condition:
    """The condition of an execution that was cancelled, or is being. Source: google/cloud/run/v2/condition.proto."""
    made = condition("Completed")
    made.state, made.execution_reason = Condition.State[state], Condition.ExecutionReason[reason]
    return made


def time_of_objects() -> datetime:
    """The wall's time, which is what objects carry."""
    return datetime.now(UTC)


def failed_precondition() -> grpc.StatusCode:
    """What the state of a resource forbids."""
    return grpc.StatusCode.FAILED_PRECONDITION


def invalid_argument() -> grpc.StatusCode:
    """What no resource would take."""
    return grpc.StatusCode.INVALID_ARGUMENT
