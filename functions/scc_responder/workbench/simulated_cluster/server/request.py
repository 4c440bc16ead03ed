"""One request to the simulated API server, from the bytes to the answer, as an audit log would tell it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from scc_responder.domain.ports import ApiObject
from scc_responder.domain.value import Value, read_json
from scc_responder.workbench.simulated_cluster.controllers import Controllers
from scc_responder.workbench.simulated_cluster.played_collector import play
from scc_responder.workbench.simulated_cluster.server import refusal
from scc_responder.workbench.simulated_cluster.server.eviction import evict
from scc_responder.workbench.simulated_cluster.server.inserted_containers import insert
from scc_responder.workbench.simulated_cluster.server.kubelet_logs import OpenLog, PodLogs
from scc_responder.workbench.simulated_cluster.server.objects import Objects
from scc_responder.workbench.simulated_cluster.server.rbac import Identities, allowed
from scc_responder.workbench.simulated_cluster.server.refusal import Refusal
from scc_responder.workbench.simulated_cluster.server.resources import ON_REQUEST, RequestTarget, group_list, target_of

_ITEM_VERBS = {"GET": "get", "PATCH": "patch", "DELETE": "delete", "POST": "create"}
_COLLECTION_VERBS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
_DISCOVERY = ("GET", "/apis")
_PATCH_TYPE = "application/merge-patch+json"

_STRATEGIC_TYPE = "application/strategic-merge-patch+json"
SUBRESOURCES = {("pods/eviction", "create"): evict, ("pods/ephemeralcontainers", "patch"): insert}
"""What a request to a subresource does that sends an object, by resource and verb."""
READS_LOG = ("pods/log", "get")
"""The request to a subresource that is answered with text."""


class AuditEvent(Value, frozen=True, kw_only=True):
    """One answered request, with the fields of an API server's audit log. `request` and `response` are the bodies.

    `subresource` is such as `eviction`, and empty where the request is about the object itself.
    """

    verb: str
    user: str
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    code: int
    dry_run: bool = False
    request: Any = None
    response: dict[str, Any] | None = None
    received: datetime
    completed: datetime
    uri: str
    user_agent: str = ""

    @property
    def rbac_resource(self) -> str:
        """The resource as a ClusterRole names it: `pods`, or `pods/eviction`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class SimulatedRequest(Value, frozen=True, kw_only=True):
    """A request as it came in. `headers` have lower-case names."""

    method: str
    uri: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def dry_run(self) -> bool:
        """Whether it asks for `dryRun=All`."""
        return "All" in self.query("dryRun")

    def query(self, name: str) -> list[str]:
        """The values of one parameter."""
        return parse_qs(urlsplit(self.uri).query).get(name, [])


class Asked(Value, frozen=True, kw_only=True):
    """A request understood. `target` is None where the path means nothing, `user` is "" for nobody."""

    call: SimulatedRequest
    target: RequestTarget | None
    user: str
    verb: str


class Api:
    """Answers requests one at a time, lets the controllers react to each, and keeps the audit log."""

    def __init__(
        self, objects: Objects, controllers: Controllers, identities: Identities, clock: Callable[[], datetime]
    ) -> None:
        self.audit: list[AuditEvent] = []
        self.served: set[str] = set()
        """The kinds on request that there are."""
        self._objects = objects
        self._controllers = controllers
        self._identities = identities
        self._clock = clock
        self._lock = threading.Lock()
        self.logs = PodLogs(clock, self._pod)

    def alone(self) -> AbstractContextManager[object]:
        """Keep requests waiting, for as long as the objects are changed by other means."""
        return self._lock

    def answer(self, call: SimulatedRequest) -> tuple[int, ApiObject | OpenLog]:
        """The status and body that the API server would answer with."""
        with self._lock:
            received = self._clock()
            self._controllers.settle()
            asked = self._understood(call)
            body: ApiObject | OpenLog
            try:
                code, body = 201 if asked.verb == "create" else 200, self._perform(asked)
            except Refusal as refused:
                code, body = refused.code, refused.body
            self._controllers.settle(kubelets=False)
            told = {} if isinstance(body, OpenLog) else body
            self.audit.append(_event(asked, code, told, received=received, completed=self._clock()))
        return code, body

    def more(self, log: OpenLog) -> tuple[bytes, bool]:
        """The next part of a log, and whether it was the last one."""
        with self._lock:
            self._controllers.settle()
            return log.more()

    def _pod(self, uid: str) -> ApiObject | None:
        return next((pod for pod in self._objects.stored("Pod") if pod["metadata"]["uid"] == uid), None)

    def _understood(self, call: SimulatedRequest) -> Asked:
        target = target_of(urlsplit(call.uri).path)
        if target and target.resource in ON_REQUEST and target.resource.kind not in self.served:
            target = None
        is_item = (target and target.name) or (call.method, urlsplit(call.uri).path) == _DISCOVERY
        verbs = _ITEM_VERBS if is_item else _COLLECTION_VERBS
        user = self._identities.user(call.headers.get("authorization", ""))
        return Asked(call=call, target=target, user=user, verb=verbs.get(call.method, call.method.lower()))

    def _perform(self, asked: Asked) -> ApiObject | OpenLog:
        target, verb = asked.target, asked.verb
        if not asked.user:
            raise refusal.unauthorized()
        if (asked.call.method, urlsplit(asked.call.uri).path) == _DISCOVERY:
            return group_list(self.served)
        if target is None:
            raise refusal.no_such_path()
        if not allowed(asked.user, verb, target):
            raise refusal.forbidden(target, asked.user, verb)
        if target.subresource:
            return self._perform_subresource(asked.call, target, verb)
        if verb == "get":
            return self._objects.get(target)
        if verb == "list":
            names = ("fieldSelector", "labelSelector", "limit", "continue")
            fields, labels, limit, after = (",".join(asked.call.query(name)) for name in names)
            return self._objects.list(target, fields, labels, limit, after)
        if target.resource.namespaced and not target.namespace:
            raise refusal.method_not_allowed()
        return self._write(asked.call, target, verb)

    def _perform_subresource(self, call: SimulatedRequest, target: RequestTarget, verb: str) -> ApiObject | OpenLog:
        if (target.rule[1], verb) == READS_LOG:
            return self.logs.open(self._objects.get(target), call.query)
        perform = SUBRESOURCES.get((target.rule[1], verb))
        if perform is None:
            raise refusal.method_not_allowed()
        if verb == "patch" and call.headers.get("content-type") != _STRATEGIC_TYPE:
            raise Refusal(415, "UnsupportedMediaType", f"only {_STRATEGIC_TYPE} is understood here")
        before = self._objects.get(target)["spec"].get("ephemeralContainers", []) if perform is insert else []
        answer = perform(self._objects, target, _written(call), dry_run=call.dry_run)
        for container in answer.get("spec", {}).get("ephemeralContainers", ()):
            if perform is insert and container not in before and not call.dry_run:
                self.logs.write(answer, container["name"], play(container, self._clock()))
        return answer

    def _write(self, call: SimulatedRequest, target: RequestTarget, verb: str) -> ApiObject:
        body = _written(call)
        if verb == "create" and not target.name:
            return self._objects.create(target, body, dry_run=call.dry_run)
        if verb == "delete":
            # Where a DELETE has a body, the API server takes its options from there alone.
            dry_run = "All" in body.get("dryRun", ()) if body else call.dry_run
            return self._objects.delete(target, body, dry_run=dry_run)
        if verb != "patch":
            raise refusal.method_not_allowed()
        if call.headers.get("content-type") != _PATCH_TYPE:
            raise Refusal(415, "UnsupportedMediaType", f"only {_PATCH_TYPE} is understood here")
        return self._objects.patch(target, body, dry_run=call.dry_run)


def _event(asked: Asked, code: int, body: ApiObject, *, received: datetime, completed: datetime) -> AuditEvent:
    call, target = asked.call, asked.target
    created = body.get("metadata", {}).get("name", "") if asked.verb == "create" else ""
    return AuditEvent(
        verb=asked.verb,
        user=asked.user,
        resource=target.resource.plural if target else "",
        subresource=target.subresource if target else "",
        namespace=target.namespace if target else "",
        name=(target.name if target else "") or created,
        code=code,
        dry_run=call.dry_run,
        request=_lenient(call.body),
        response=body,
        received=received,
        completed=completed,
        uri=call.uri,
        user_agent=call.headers.get("user-agent", ""),
    )


def _written(call: SimulatedRequest) -> ApiObject:
    """The body of a request that changes something, or would."""
    try:
        body: ApiObject = read_json(call.body or b"{}", dict[str, Any])
    except msgspec.DecodeError as error:
        raise refusal.bad_request("the body is no JSON object") from error
    if call.query("dryRun") not in ([], ["All"]):
        raise refusal.bad_request("dryRun must be All")
    return body


def _lenient(body: bytes) -> Any:
    try:
        return read_json(body, Any) if body else None
    except msgspec.DecodeError:
        return None
