"""Cloud Run's Admin API v2. Nothing is retried here.

Source: google/cloud/run/v2.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, TypeVar

from scc_responder.adapters.google.access.credentials import default_credentials
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failure, grpc_failures
from scc_responder.adapters.google.cloud_run.run_identities import RunIdentities
from scc_responder.adapters.google.cloud_run.run_messages import (
    document_of,
    execution_value,
    job_value,
    policy_value,
    revision_value,
    service_value,
)
from scc_responder.adapters.google.cloud_run.run_operations import operation_value
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunExecution, RunIamPolicy, RunJob, RunRevision, RunService
from scc_responder.domain.cloud_run.run_reads import RunList, RunOperation, RunRead
from scc_responder.domain.errors import ApiError
from scc_responder.domain.permissions import is_run_write
from scc_responder.domain.reasons import Reason

RUN_PAGE_SIZE = 500
MOST_RUN_PAGES = 20
"""Pages read of one list. A server may give smaller ones than are asked for, so the bound of what is kept is `most`."""

WAIT_MARGIN_SECONDS = 5.0
"""How much longer than the wait itself its answer may take."""

_CHILD = re.compile(r"[a-z0-9-]{1,63}", re.ASCII)
_OPERATION = re.compile(r"projects/[a-z0-9.:-]+/locations/([a-z0-9-]+)/operations/[A-Za-z0-9-]+", re.ASCII)
_Child = TypeVar("_Child", RunRevision, RunExecution)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def reads(permission: str) -> ApiMethod:
    """A method that reads, by the permission that it needs."""
    return ApiMethod(api=Reason.CLOUD_RUN, permission=permission)


def writes(permission: str) -> ApiMethod:
    """A method that changes something: an unclear failure may have been applied."""
    return ApiMethod(api=Reason.CLOUD_RUN, permission=permission, writes=True)


class CloudRunAdmin:
    """`ports.CloudRunApi`: reads as whom `credentials` say, changes as whom `writer` gives tokens of, and as no other.

    `endpoint`: a stand-in on this machine, host:port (any other raises SettingsError), which is read with `token`s, and
    changed by anybody where there is no `writer`. `digests` asks which images tags stood for. `timeout_seconds` bounds
    each request, and a list of many pages as a whole to three times that.
    """

    def __init__(
        self,
        *,
        endpoint: str = "",
        credentials: Callable[[], Any] = default_credentials,
        token: Callable[[], str] | None = None,
        writer: Callable[[], str] | None = None,
        digests: Callable[[RunName, str], Mapping[str, str]] | None = None,
        timeout_seconds: float = 10.0,
    ) -> None:
        self._digests = digests
        self._identities = RunIdentities(endpoint, credentials, token, writer)
        self._timeout_seconds = timeout_seconds

    def get_service(self, name: RunName) -> RunRead[RunService]:
        """See `CloudRunApi.get_service`."""
        asked = {"name": _path(name)}
        found = _raw(self._ask("services", "get_service", reads("run.services.get"), asked))
        return RunRead(service_value(found, name), lambda: document_of(found))

    def get_job(self, name: RunName) -> RunRead[RunJob]:
        """See `CloudRunApi.get_job`."""
        found = _raw(self._ask("jobs", "get_job", reads("run.jobs.get"), {"name": _path(name)}))
        return RunRead(job_value(found, name), lambda: document_of(found))

    def get_revision(self, name: RunName, revision: str) -> RunRead[RunRevision]:
        """See `CloudRunApi.get_revision`."""
        asked = {"name": _path(name, "revisions", revision)}
        found = _raw(self._ask("revisions", "get_revision", reads("run.revisions.get"), asked))
        return RunRead(revision_value(found), lambda: document_of(found))

    def list_revisions(self, name: RunName, most: int, *, pages: int = MOST_RUN_PAGES) -> RunList[RunRevision]:
        """See `CloudRunApi.list_revisions`."""
        read = self._pages("revisions", "list_revisions", reads("run.revisions.list"), name, pages)
        return _listed(read, "revisions", revision_value, most)

    def list_executions(self, name: RunName, most: int, *, pages: int = MOST_RUN_PAGES) -> RunList[RunExecution]:
        """See `CloudRunApi.list_executions`."""
        read = self._pages("executions", "list_executions", reads("run.executions.list"), name, pages)
        return _listed(read, "executions", execution_value, most)

    def get_execution(self, name: RunName, execution: str) -> RunRead[RunExecution]:
        """See `CloudRunApi.get_execution`."""
        asked = {"name": _path(name, "executions", execution)}
        found = _raw(self._ask("executions", "get_execution", reads("run.executions.get"), asked))
        return RunRead(execution_value(found), lambda: document_of(found))

    def image_digests(self, name: RunName, revision: str) -> Mapping[str, str]:
        """See `CloudRunApi.image_digests`."""
        _path(name, "revisions", revision)
        return self._digests(name, revision) if self._digests else {}

    def get_iam_policy(self, name: RunName) -> RunRead[RunIamPolicy]:
        """See `CloudRunApi.get_iam_policy`."""
        # Version 3: an older one leaves the conditions of bindings out, and a write of it would remove them.
        asked = {"resource": _path(name), "options": {"requested_policy_version": 3}}
        call = reads(f"run.{name.kind}s.getIamPolicy")
        found = self._ask(f"{name.kind}s", "get_iam_policy", call, asked)
        return RunRead(policy_value(found), lambda: document_of(found))

    def test_iam_permissions(self, name: RunName, permissions: Sequence[str]) -> Collection[str]:
        """See `CloudRunApi.test_iam_permissions`."""
        held: set[str] = set()
        for as_writer in (False, True):
            asked = {
                "resource": _path(name),
                "permissions": [one for one in permissions if is_run_write(one) is as_writer],
            }
            if asked["permissions"]:
                method = f"{name.kind}s", "test_iam_permissions", reads("")
                held |= {*self._ask(*method, asked, as_writer=as_writer).permissions}
        return held

    def update_service(
        self, name: RunName, fields: Mapping[str, Any], *, mask: Sequence[str], etag: str, validate_only: bool = False
    ) -> RunOperation:
        """See `CloudRunApi.update_service`."""
        types: Any = import_module("google.cloud.run_v2.types.service")
        json_format: Any = import_module("google.protobuf.json_format")
        request = types.UpdateServiceRequest.pb(types.UpdateServiceRequest(validate_only=validate_only))
        json_format.ParseDict({**fields, "name": _path(name), "etag": etag}, request.service)
        request.update_mask.paths.extend(mask)
        return self._start("services", "update_service", writes("run.services.update"), request, name)

    def delete_revision(self, name: RunName, revision: str, *, etag: str, validate_only: bool = False) -> RunOperation:
        """See `CloudRunApi.delete_revision`."""
        types: Any = import_module("google.cloud.run_v2.types.revision")
        path = _path(name, "revisions", revision)
        request = types.DeleteRevisionRequest(name=path, etag=etag, validate_only=validate_only)
        return self._start("revisions", "delete_revision", writes("run.revisions.delete"), _raw(request), name)

    def cancel_execution(
        self, name: RunName, execution: str, *, etag: str, validate_only: bool = False
    ) -> RunOperation:
        """See `CloudRunApi.cancel_execution`."""
        types: Any = import_module("google.cloud.run_v2.types.execution")
        path = _path(name, "executions", execution)
        request = types.CancelExecutionRequest(name=path, etag=etag, validate_only=validate_only)
        return self._start("executions", "cancel_execution", writes("run.executions.cancel"), _raw(request), name)

    def set_iam_policy(self, name: RunName, policy: Mapping[str, Any]) -> RunRead[RunIamPolicy]:
        """See `CloudRunApi.set_iam_policy`."""
        iam: Any = import_module("google.iam.v1.iam_policy_pb2")
        json_format: Any = import_module("google.protobuf.json_format")
        request = iam.SetIamPolicyRequest(resource=_path(name))
        json_format.ParseDict(dict(policy), request.policy)
        call = writes(f"run.{name.kind}s.setIamPolicy")
        found = self._ask(f"{name.kind}s", "set_iam_policy", call, request)
        return RunRead(policy_value(found), lambda: document_of(found))

    def wait_operation(self, operation: str, seconds: float) -> RunOperation:
        """See `CloudRunApi.wait_operation`."""
        if not _OPERATION.fullmatch(operation):
            raise _malformed(operation)
        operations: Any = import_module("google.longrunning.operations_pb2")
        request = operations.WaitOperationRequest(name=operation)
        request.timeout.FromMilliseconds(int(seconds * 1000))
        call, bound = reads("run.operations.get"), seconds + WAIT_MARGIN_SECONDS
        as_writer = self._identities.has_writer
        answer = self._ask("services", "wait_operation", call, request, bound, as_writer=as_writer)
        # Google's client leaves this one answer as bytes.
        return operation_value(operations.Operation.FromString(answer) if isinstance(answer, bytes) else answer)

    def close(self) -> None:
        """Close the connections, if there are any."""
        self._identities.close()

    def _ask(
        self,
        service: str,
        method: str,
        call: ApiMethod,
        request: Any,
        timeout: float = 0.0,
        *,
        as_writer: bool = False,
    ) -> Any:
        client, sender = self._identities.client(service, as_writer=call.writes or as_writer)
        bound = timeout or self._timeout_seconds
        with grpc_failures(call):
            return getattr(client, method)(request=request, timeout=bound, retry=None, metadata=sender)

    def _start(self, service: str, method: str, call: ApiMethod, request: Any, name: RunName) -> RunOperation:
        """Begin a long-running operation, by the transport: the client's own future loads REST transports and polls."""
        grpc: Any = import_module("grpc")
        problems: Any = import_module("google.api_core.exceptions")
        client, sender = self._identities.client(service, as_writer=True)
        begin = getattr(client.transport, method)
        routed = (("x-goog-request-params", f"location={name.location}"), *sender)
        try:
            return operation_value(begin(request, timeout=self._timeout_seconds, metadata=routed))
        except grpc.RpcError as error:
            # As Google's client would raise it: with what the server says, and its details, alone.
            raise grpc_failure(call, problems.from_grpc_error(error)) from error

    def _pages(self, service: str, method: str, call: ApiMethod, name: RunName, most: int) -> Iterator[Any]:
        until, token = time.monotonic() + 3 * self._timeout_seconds, ""
        for _ in range(most):
            left = until - time.monotonic()
            if left <= 0:
                raise ApiError(Reason.CLOUD_RUN.of("deadline_exceeded"), f"{name.path}: not listed in time", status=504)
            asked = {"parent": _path(name), "page_size": RUN_PAGE_SIZE, "page_token": token}
            pager = self._ask(service, method, call, asked, timeout=min(left, self._timeout_seconds))
            page = next(iter(pager.pages))
            token = page.next_page_token
            yield _raw(page)
            if not token:
                return


def _listed(pages: Iterator[Any], field: str, read: Callable[[Any], _Child], most: int) -> RunList[_Child]:
    kept: list[RunRead[_Child]] = []
    total, token = 0, ""
    for page in pages:
        found, token = getattr(page, field), page.next_page_token
        total += len(found)
        kept += [_read(read, message) for message in found[: most - len(kept)]]
        if len(kept) >= most:
            break
    kept.sort(key=lambda item: item.value.create_time or _EARLIEST, reverse=True)
    return RunList(items=tuple(kept), complete=not token and total == len(kept))


def _read(read: Callable[[Any], _Child], message: Any) -> RunRead[_Child]:
    return RunRead(read(message), lambda: document_of(message))


def _raw(message: Any) -> Any:
    return type(message).pb(message)


def _path(name: RunName, children: str = "", child: str = "") -> str:
    """The full name, or that of a child. Raises ApiError for characters that no name has."""
    if RunName.parse(name.path) != name:
        raise _malformed(name.path)
    if not children:
        return name.path
    if not _CHILD.fullmatch(child):
        raise _malformed(child)
    return f"{name.path}/{children}/{child}"


def _malformed(name: str) -> ApiError:
    return ApiError(Reason.CLOUD_RUN.of("invalid_argument"), f"no name of Cloud Run: {name[:100]!a}", status=400)
