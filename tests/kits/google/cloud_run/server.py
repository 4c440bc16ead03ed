"""Cloud Run's Admin API v2 as a local gRPC server that speaks Google's own protos.

Source: google/cloud/run/v2 and google/longrunning/operations.proto.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import grpc
from google.cloud.run_v2 import types
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.longrunning import operations_pb2

from tests.kits.google.cloud_run.world import Refused, World, found
from tests.kits.google.grpc_servers import METHODS, LocalServer

SERVICE_NAMES = ("Services", "Revisions", "Jobs", "Executions")
_PACKAGE = "google.cloud.run.v2"
_OPERATIONS = "google.longrunning.Operations"
_PLACE = re.compile(r"projects/[a-z0-9.:-]+/locations/([a-z0-9-]+)/.+", re.ASCII)
_IAM = {
    "GetIamPolicy": (iam_policy_pb2.GetIamPolicyRequest, policy_pb2.Policy),
    "SetIamPolicy": (iam_policy_pb2.SetIamPolicyRequest, policy_pb2.Policy),
    "TestIamPermissions": (iam_policy_pb2.TestIamPermissionsRequest, iam_policy_pb2.TestIamPermissionsResponse),
}
_WRITES = frozenset({"UpdateService", "DeleteRevision", "CancelExecution", "SetIamPolicy"})


class CloudRunServer(LocalServer):
    """The services, revisions, jobs, executions and operations of `world`.

    `requests` are the methods that were called, with the name that each was about. `regions` are those there are.
    `project_numbers` maps numbers to project ids. `bearers` are the methods with the token that each call carried, and
    `rights`, where set, the permissions by token.
    `lost_answers`: that many writes are carried out, and their answers lost. `page_limit` is the most of one page.
    """

    def __init__(self, world: World | None = None, *, port: int = 0) -> None:
        self.world = world or World()
        self.requests: list[tuple[str, str]] = []
        self.bearers: list[tuple[str, str]] = []
        self.rights: dict[str, Collection[str]] = {}
        self._asking: Collection[str] | None = None
        self.regions: Collection[str] = ("europe-west1", "europe-west4", "us-central1")
        self.project_numbers: dict[str, str] = {}
        self.lost_answers = 0
        self.page_limit = 500
        super().__init__(f"{_PACKAGE}.Services", {}, port)
        for service in SERVICE_NAMES:
            handlers = self._handlers(service)
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(f"{_PACKAGE}.{service}", handlers),)
            )
        operations = {
            "GetOperation": self._handler(
                "Operations/GetOperation", operations_pb2.GetOperationRequest, self._operation
            ),
            "WaitOperation": self._handler("Operations/WaitOperation", operations_pb2.WaitOperationRequest, self._wait),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_OPERATIONS, operations),))
        known = {name.removeprefix(f"{_PACKAGE}."): method.permission for name, method in METHODS.items()}
        asked = {f"Operations/{name}": "run.operations.get" for name in operations}
        anyone = {f"{service}/TestIamPermissions": "" for service in ("Services", "Jobs")}
        self._needed = {**known, **asked, **anyone}

    def writes_of(self, method: str) -> list[str]:
        """The names that writes of this method were about, in order: what was done, and how often."""
        return [name for called, name in self.world.writes if called == method]

    def granted_to(self, context: grpc.ServicerContext) -> Collection[str] | None:
        """By the token, where there are rights by tokens."""
        return self.rights.get(_bearer(context), ()) if self.rights else self.granted

    def _handlers(self, service: str) -> Mapping[str, grpc.RpcMethodHandler]:
        serve: Mapping[str, tuple[Any, Callable[[Any], Any]]] = {
            "Services": {
                "GetService": (types.GetServiceRequest, lambda asked: self._get(self.world.services, asked, "SERVICE")),
                "UpdateService": (types.UpdateServiceRequest, self.world.update_service),
            },
            "Revisions": {
                "GetRevision": (
                    types.GetRevisionRequest,
                    lambda asked: self._get(self.world.revisions, asked, "REVISION"),
                ),
                "ListRevisions": (types.ListRevisionsRequest, self._list_revisions),
                "DeleteRevision": (
                    types.DeleteRevisionRequest,
                    lambda asked: self.world.delete_revision(asked.name, asked.etag, asked.validate_only),
                ),
            },
            "Jobs": {"GetJob": (types.GetJobRequest, lambda asked: self._get(self.world.jobs, asked, "JOB"))},
            "Executions": {
                "GetExecution": (
                    types.GetExecutionRequest,
                    lambda asked: self._get(self.world.executions, asked, "EXECUTION"),
                ),
                "ListExecutions": (types.ListExecutionsRequest, self._list_executions),
                "CancelExecution": (
                    types.CancelExecutionRequest,
                    lambda asked: self.world.cancel_execution(asked.name, asked.etag, asked.validate_only),
                ),
            },
        }[service]
        made = {name: self._handler(f"{service}/{name}", *each) for name, each in serve.items()}
        if service in {"Services", "Jobs"}:
            iam = {"GetIamPolicy": self._policy, "SetIamPolicy": self._set_policy, "TestIamPermissions": self._test}
            for name, answer in iam.items():
                made[name] = self._handler(f"{service}/{name}", _IAM[name][0], answer)
        return made

    def _handler(self, method: str, request: Any, answer: Callable[[Any], Any]) -> grpc.RpcMethodHandler:
        def serve(asked: Any, context: grpc.ServicerContext) -> Any:
            name = self._by_id(asked)
            self.requests.append((method, name))
            self.bearers.append((method, _bearer(context)))
            self.befall(method, context)
            try:
                self._check_place(method, name, context)
                with self.world.lock:
                    self.world.settle()
                    self._asking = self.granted_to(context)
                    given = answer(asked)
            except Refused as refused:
                context.abort(refused.code, refused.details)
            self._perhaps_lose(method, asked, context)
            return given

        read = request.FromString if hasattr(request, "FromString") else request.deserialize
        return grpc.unary_unary_rpc_method_handler(serve, request_deserializer=read, response_serializer=_serialized)

    def _by_id(self, asked: Any) -> str:
        """What a request is about: the full name of it, or of what it is in; from now on with the project's id."""
        about, field = _named(asked)
        parts = str(getattr(about, field)).split("/")
        parts[1:2] = [self.project_numbers.get(part, part) for part in parts[1:2]]
        setattr(about, field, "/".join(parts))
        return "/".join(parts)

    def _check_place(self, method: str, name: str, context: grpc.ServicerContext) -> None:
        """The region is known, and the request is routed to it: the global address reaches all of them by a header."""
        place = _PLACE.fullmatch(name)
        if place is None:
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, f"Invalid resource name {name!r}.")
        routed = dict(context.invocation_metadata()).get("x-goog-request-params", "")
        if place[1] not in routed:
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, f"{method} is routed nowhere: {routed!r}")
        if place[1] not in self.regions:
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Location {place[1]} is not found or access is unauthorized.")

    def _perhaps_lose(self, method: str, asked: Any, context: grpc.ServicerContext) -> None:
        is_write = method.rpartition("/")[2] in _WRITES and not getattr(asked, "validate_only", False)
        if is_write and self.lost_answers:
            self.lost_answers -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "Connection reset by peer")

    def _get(self, held: dict[str, Any], asked: Any, kind: str) -> Any:
        return found(held, asked.name, kind)

    def _list_revisions(self, asked: types.ListRevisionsRequest) -> types.ListRevisionsResponse:
        page, token = self._page(self.world.revisions, asked)
        return types.ListRevisionsResponse(revisions=page, next_page_token=token)

    def _list_executions(self, asked: types.ListExecutionsRequest) -> types.ListExecutionsResponse:
        page, token = self._page(self.world.executions, asked)
        return types.ListExecutionsResponse(executions=page, next_page_token=token)

    def _page(self, held: dict[str, Any], asked: Any) -> tuple[list[Any], str]:
        """One page, the newest first."""
        inside = [each for name, each in held.items() if name.startswith(f"{asked.parent}/")]
        inside.reverse()
        first = int(asked.page_token or 0)
        size = min(asked.page_size or 100, self.page_limit)
        more = first + size < len(inside)
        return inside[first : first + size], str(first + size) if more else ""

    def _policy(self, asked: iam_policy_pb2.GetIamPolicyRequest) -> policy_pb2.Policy:
        return self.world.policy(asked.resource)

    def _set_policy(self, asked: iam_policy_pb2.SetIamPolicyRequest) -> policy_pb2.Policy:
        return self.world.set_policy(asked.resource, asked.policy)

    def _test(self, asked: iam_policy_pb2.TestIamPermissionsRequest) -> iam_policy_pb2.TestIamPermissionsResponse:
        self.world.policy(asked.resource)
        held = [name for name in asked.permissions if self._asking is None or name in self._asking]
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=held)

    def _operation(self, asked: operations_pb2.GetOperationRequest) -> operations_pb2.Operation:
        return found(self.world.operations, asked.name, "OPERATION")

    def _wait(self, asked: operations_pb2.WaitOperationRequest) -> operations_pb2.Operation:
        """The operation once it is done, or as it is after the time that was asked for."""
        operation = found(self.world.operations, asked.name, "OPERATION")
        until = time.monotonic() + asked.timeout.ToMilliseconds() / 1000
        pause = threading.Condition(self.world.lock)
        while not operation.done and time.monotonic() < until and not self._stopping.is_set():
            pause.wait(0.02)
            self.world.settle()
        return operation


def _bearer(context: grpc.ServicerContext) -> str:
    """The token that a call carries, or none; of several, all."""
    return ",".join(value for key, value in context.invocation_metadata() if key == "authorization")[len("Bearer ") :]


def _named(asked: Any) -> tuple[Any, str]:
    """What of a request has its name, and in which field."""
    if isinstance(asked, types.UpdateServiceRequest):
        return asked.service, "name"
    return asked, next(field for field in ("name", "parent", "resource") if hasattr(asked, field))


def _serialized(answer: Any) -> bytes:
    message = answer if hasattr(answer, "SerializeToString") else type(answer).pb(answer)
    return bytes(message.SerializeToString())
