"""Cloud Run's Admin API v2 as a local gRPC server that speaks Google's own protos.

Source: google/cloud/run/v2 and google/longrunning/operations.proto.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

import grpc
from google.cloud.run_v2 import types
from google.iam.v1 import iam_policy_pb2

from scc_responder.workbench.simulated_cloud_run.run_methods import (
    RUN_PACKAGE,
    Answered,
    RunMethods,
    deserializer,
    serialized,
)
from tests.kits.google.cloud_run.world import Refused, World
from tests.kits.google.grpc_servers import METHODS, LocalServer

_PLACE = re.compile(r"projects/[a-z0-9.:-]+/locations/([a-z0-9-]+)/.+", re.ASCII)
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
        super().__init__(f"{RUN_PACKAGE}.Services", {}, port)
        self.methods = RunMethods(self.world, self._stopping)
        for service, methods in self.methods.by_service.items():
            short = service.rpartition(".")[2]
            handlers = {name: self._handler(f"{short}/{name}", each) for name, each in methods.items()}
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        known = {name.removeprefix(f"{RUN_PACKAGE}."): method.permission for name, method in METHODS.items()}
        asked = {f"Operations/{name}": "run.operations.get" for name in ("GetOperation", "WaitOperation")}
        anyone = {f"{service}/TestIamPermissions": "" for service in ("Services", "Jobs")}
        self._needed = {**known, **asked, **anyone}

    def writes_of(self, method: str) -> list[str]:
        """The names that writes of this method were about, in order: what was done, and how often."""
        return [name for called, name in self.world.writes if called == method]

    def granted_to(self, context: grpc.ServicerContext) -> Collection[str] | None:
        """By the token, where there are rights by tokens; of these no more than `granted`, where that is set."""
        if not self.rights:
            return self.granted
        held = {*self.rights.get(_bearer(context), ())}
        return held if self.granted is None else held & {*self.granted}

    @property
    def page_limit(self) -> int:
        """The most of one page."""
        return self.methods.page_limit

    @page_limit.setter
    def page_limit(self, most: int) -> None:
        self.methods.page_limit = most

    def _handler(self, method: str, answered: Answered) -> grpc.RpcMethodHandler:
        answer: Callable[[Any], Any] = self._test if method.endswith("/TestIamPermissions") else answered.answer

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

        return grpc.unary_unary_rpc_method_handler(
            serve, request_deserializer=deserializer(answered.request), response_serializer=serialized
        )

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

    def _test(self, asked: iam_policy_pb2.TestIamPermissionsRequest) -> iam_policy_pb2.TestIamPermissionsResponse:
        self.world.policy(asked.resource)
        held = [name for name in asked.permissions if self._asking is None or name in self._asking]
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=held)


def _bearer(context: grpc.ServicerContext) -> str:
    """The token that a call carries, or none; of several, all."""
    return ",".join(value for key, value in context.invocation_metadata() if key == "authorization")[len("Bearer ") :]


def _named(asked: Any) -> tuple[Any, str]:
    """What of a request has its name, and in which field."""
    if isinstance(asked, types.UpdateServiceRequest):
        return asked.service, "name"
    return asked, next(field for field in ("name", "parent", "resource") if hasattr(asked, field))
