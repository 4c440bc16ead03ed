"""What Google's client libraries raise becomes one kind of error, by its gRPC code."""

from __future__ import annotations

import grpc
import pytest
from google.api_core import exceptions
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import PreconditionFailure, RetryInfo

from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failure
from scc_responder.domain.errors import OutcomeUnknown
from scc_responder.domain.reasons import Reason

READ = ApiMethod(api=Reason.GKE, permission="container.clusters.get")
WRITE = ApiMethod(api=Reason.PUBSUB, permission="pubsub.topics.publish", writes=True)


class Raised(grpc.RpcError):
    """gRPC's own error: a code, and no more."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(str(code))
        self._code = code

    def code(self) -> grpc.StatusCode:
        """As gRPC has it."""
        return self._code


@pytest.mark.parametrize(
    ("error", "reason", "status", "permission"),
    [
        (exceptions.PermissionDenied("no"), "gke_permission_denied", 403, "container.clusters.get"),
        (exceptions.NotFound("no"), "gke_not_found", 404, ""),
        (exceptions.ServiceUnavailable("no"), "gke_unavailable", 503, ""),
        (Raised(grpc.StatusCode.RESOURCE_EXHAUSTED), "gke_resource_exhausted", 429, ""),
        (Raised(grpc.StatusCode.OK), "gke_no_answer", 0, ""),
        (ValueError("x" * 600), "gke_no_answer", 0, ""),
    ],
)
def test_an_error_is_known_by_its_code(error: Exception, reason: str, status: int, permission: str) -> None:
    """With the HTTP status that it stands for; the permission is named where it is missing."""
    told = grpc_failure(READ, error)
    assert (told.reason, told.status, told.permission) == (reason, status, permission)
    assert len(str(told)) <= 500
    assert not isinstance(told, OutcomeUnknown)


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (exceptions.DeadlineExceeded("late"), True),
        (exceptions.InternalServerError("x"), True),
        (Raised(grpc.StatusCode.INTERNAL), True),
        (ValueError("cut"), True),
        (exceptions.PermissionDenied("no"), False),
        (exceptions.InvalidArgument("no"), False),
    ],
)
def test_a_write_without_an_answer_is_unknown(error: Exception, unknown: bool) -> None:
    """A refusal is certain."""
    assert isinstance(grpc_failure(WRITE, error), OutcomeUnknown) is unknown


class Told(Raised):
    """gRPC's own error, with what the server says."""

    def details(self) -> str:
        """As gRPC has it."""
        return "no\n\u202e<script>\x1b[31m"


@pytest.mark.parametrize("error", [Told(grpc.StatusCode.ABORTED), exceptions.Aborted("no\n\u202e<script>\x1b[31m")])
def test_what_a_server_says_is_made_visible(error: Exception) -> None:
    """Alone, in one line: others may have written a part of it."""
    assert grpc_failure(READ, error).explanation == r"no\u000a\u202e<script>\u001b[31m"


def test_a_server_can_ask_to_wait() -> None:
    """In seconds; 0 where it does not say."""
    delay = RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000))
    error = exceptions.ResourceExhausted("busy", details=[object(), delay])
    assert grpc_failure(READ, error).retry_after_seconds == 2.5
    assert grpc_failure(READ, exceptions.ResourceExhausted("busy")).retry_after_seconds == 0.0


@pytest.mark.parametrize(
    ("kind", "permission", "refused_by"),
    [("VPC_SERVICE_CONTROLS", "", "VPC Service Controls"), ("TOS", "container.clusters.get", "")],
)
def test_a_service_perimeter_is_no_missing_permission(kind: str, permission: str, refused_by: str) -> None:
    """It is named as what refused, so that nobody grants what would not help."""
    details = [PreconditionFailure(violations=[{"type": kind}])]
    told = grpc_failure(READ, exceptions.PermissionDenied("prohibited", details=details))
    assert (told.status, told.permission, told.refused_by) == (403, permission, refused_by)
