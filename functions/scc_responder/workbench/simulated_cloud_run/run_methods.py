"""The methods of Cloud Run's Admin API v2 that the responder calls, answered from a `RunWorld`.

Source: google/cloud/run/v2 and google/longrunning/operations.proto.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from google.cloud.run_v2 import types
from google.iam.v1 import iam_policy_pb2
from google.longrunning import operations_pb2

from scc_responder.workbench.simulated_cloud_run.run_refusals import found
from scc_responder.workbench.simulated_cloud_run.run_world import RunWorld

RUN_PACKAGE = "google.cloud.run.v2"
LONG_RUNNING = "google.longrunning.Operations"
_POLL_SECONDS = 0.02


class Answered(NamedTuple):
    """A method: what it is asked with, and what it answers. Raises Refused."""

    request: Any
    answer: Callable[[Any], Any]


class RunMethods:
    """All methods of one `RunWorld`. `page_limit` is the most of one page; waits end once `stopping` is set."""

    def __init__(self, world: RunWorld, stopping: threading.Event, page_limit: int = 500) -> None:
        self._world = world
        self._stopping = stopping
        self.page_limit = page_limit

    @property
    def by_service(self) -> Mapping[str, Mapping[str, Answered]]:
        """The methods by the full names of their gRPC services, and their own."""
        world = self._world
        own = {
            "Services": {
                "GetService": Answered(types.GetServiceRequest, lambda asked: self._get(world.services, asked)),
                "UpdateService": Answered(types.UpdateServiceRequest, world.update_service),
                **self._iam(),
            },
            "Revisions": {
                "GetRevision": Answered(types.GetRevisionRequest, lambda asked: self._get(world.revisions, asked)),
                "ListRevisions": Answered(types.ListRevisionsRequest, self._list_revisions),
                "DeleteRevision": Answered(types.DeleteRevisionRequest, _ending(world.delete_revision)),
            },
            "Jobs": {
                "GetJob": Answered(types.GetJobRequest, lambda asked: self._get(world.jobs, asked)),
                **self._iam(),
            },
            "Executions": {
                "GetExecution": Answered(types.GetExecutionRequest, lambda asked: self._get(world.executions, asked)),
                "ListExecutions": Answered(types.ListExecutionsRequest, self._list_executions),
                "CancelExecution": Answered(types.CancelExecutionRequest, _ending(world.cancel_execution)),
            },
        }
        operations = {
            "GetOperation": Answered(operations_pb2.GetOperationRequest, lambda asked: self._get_operation(asked.name)),
            "WaitOperation": Answered(operations_pb2.WaitOperationRequest, self._wait),
        }
        return {**{f"{RUN_PACKAGE}.{name}": methods for name, methods in own.items()}, LONG_RUNNING: operations}

    def _iam(self) -> Mapping[str, Answered]:
        world = self._world
        return {
            "GetIamPolicy": Answered(iam_policy_pb2.GetIamPolicyRequest, lambda asked: world.policy(asked.resource)),
            "SetIamPolicy": Answered(
                iam_policy_pb2.SetIamPolicyRequest, lambda asked: world.set_policy(asked.resource, asked.policy)
            ),
            "TestIamPermissions": Answered(
                iam_policy_pb2.TestIamPermissionsRequest,
                lambda asked: iam_policy_pb2.TestIamPermissionsResponse(permissions=asked.permissions),
            ),
        }

    def _get(self, held: dict[str, Any], asked: Any) -> Any:
        kind = asked.name.split("/")[-2].removesuffix("s").upper()
        return found(held, asked.name, kind)

    def _list_revisions(self, asked: Any) -> Any:
        page, token = self._page(self._world.revisions, asked)
        return types.ListRevisionsResponse(revisions=page, next_page_token=token)

    def _list_executions(self, asked: Any) -> Any:
        page, token = self._page(self._world.executions, asked)
        return types.ListExecutionsResponse(executions=page, next_page_token=token)

    def _page(self, held: Mapping[str, Any], asked: Any) -> tuple[list[Any], str]:
        """One page, the newest first."""
        inside = [each for name, each in held.items() if name.startswith(f"{asked.parent}/")]
        inside.reverse()
        first = int(asked.page_token or 0)
        size = min(asked.page_size or 100, self.page_limit)
        more = first + size < len(inside)
        return inside[first : first + size], str(first + size) if more else ""

    def _get_operation(self, name: str) -> Any:
        return found(self._world.operations, name, "OPERATION")

    def _wait(self, asked: Any) -> Any:
        """The operation once it is done, or as it is after the time that was asked for. The world's lock is held."""
        operation = self._get_operation(asked.name)
        until = time.monotonic() + asked.timeout.ToMilliseconds() / 1000
        pause = threading.Condition(self._world.lock)
        while not operation.done and time.monotonic() < until and not self._stopping.is_set():
            pause.wait(_POLL_SECONDS)
            self._world.settle()
        return operation


def serialized(answer: Any) -> bytes:
    """An answer as it is sent, whether it is one of Google's own messages or wraps one."""
    message = answer if hasattr(answer, "SerializeToString") else type(answer).pb(answer)
    return bytes(message.SerializeToString())


def deserializer(request: Any) -> Callable[[bytes], Any]:
    """What reads a request of this type."""
    return request.FromString if hasattr(request, "FromString") else request.deserialize  # type: ignore[no-any-return]


def _ending(end: Callable[[str, str, bool], Any]) -> Callable[[Any], Any]:
    return lambda asked: end(asked.name, asked.etag, asked.validate_only)
