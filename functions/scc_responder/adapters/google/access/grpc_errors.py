"""What a failed call to a Google API means, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from scc_responder.domain.errors import VPC_SERVICE_CONTROLS, ApiError, OutcomeUnknown
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import visible
from scc_responder.domain.value import Value

_HTTP_STATUS = {
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "UNKNOWN": 500,
    "INTERNAL": 500,
    "DATA_LOSS": 500,
}
"""The HTTP status of each gRPC code. Source: google/rpc/code.proto."""

_NOTHING_KNOWN = frozenset({0, 499, 500, 503, 504})
_MESSAGE_LIMIT = 500


class ApiMethod(Value, frozen=True, kw_only=True):
    """One method of a Google API: the reason of its errors, and the IAM permission it needs.

    `writes`: an unclear failure may have been applied.
    """

    api: Reason
    permission: str
    writes: bool = False


def grpc_failure(call: ApiMethod, error: Exception) -> ApiError:
    """The error to raise for what the client library raised: its reason ends with the gRPC code.

    A status of 0 means that no answer came. The permission is named where it is what is missing: not where a service
    perimeter refused.
    """
    code = _code(error)
    status = _HTTP_STATUS.get(code, 0)
    kind = OutcomeUnknown if call.writes and status in _NOTHING_KNOWN else ApiError
    outside = _is_outside_perimeter(error)
    return kind(
        call.api.of(code.lower() or "no_answer"),
        _message(error),
        status=status,
        permission=call.permission if status == 403 and not outside else "",
        refused_by=VPC_SERVICE_CONTROLS if outside else "",
        retry_after_seconds=_retry_after(error),
    )


@contextmanager
def grpc_failures(call: ApiMethod) -> Iterator[None]:
    """Around the use of one of Google's clients: its errors become what `grpc_failure` makes of them."""
    problems: Any = import_module("google.api_core.exceptions")
    try:
        yield
    except problems.GoogleAPICallError as error:
        raise grpc_failure(call, error) from error


def _code(error: Exception) -> str:
    """`PERMISSION_DENIED`, whether the error is google-api-core's or gRPC's own. "" for anything else."""
    code = getattr(error, "grpc_status_code", None)
    if code is None:
        own = getattr(error, "code", None)
        code = own() if callable(own) else None
    name = getattr(code, "name", "")
    return name if name in _HTTP_STATUS else ""


def _message(error: Exception) -> str:
    """What the server says, made visible: others may have written a part of it."""
    own = getattr(error, "details", None)
    text = getattr(error, "message", "") or (own() if callable(own) else "") or error
    return visible(str(text), _MESSAGE_LIMIT)


def _details(error: Exception) -> list[Any]:
    details: Any = getattr(error, "details", None)
    return details if isinstance(details, list) else []


def _is_outside_perimeter(error: Exception) -> bool:
    """Whether a service perimeter refused it (google.rpc.PreconditionFailure)."""
    violations = [each for detail in _details(error) for each in getattr(detail, "violations", ())]
    return any(getattr(each, "type", "") == "VPC_SERVICE_CONTROLS" for each in violations)


def _retry_after(error: Exception) -> float:
    """Seconds the server asked to wait (google.rpc.RetryInfo), or 0."""
    for detail in _details(error):
        delay = getattr(detail, "retry_delay", None)
        if delay is not None:
            return float(delay.seconds + delay.nanos / 1e9)
    return 0.0
