"""Requests to the simulated API server: understood, answered, and all of them in the audit log."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.controllers import Controllers
from scc_responder.workbench.simulated_cluster.server.objects import Objects
from scc_responder.workbench.simulated_cluster.server.rbac import Identities
from scc_responder.workbench.simulated_cluster.server.request import Api, SimulatedRequest
from tests.cluster import objects as manifests

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PODS = "/api/v1/namespaces/shop/pods"
MERGE = "application/merge-patch+json"


class Server:
    """An API with one namespace and one pod."""

    def __init__(self) -> None:
        stored = Objects(lambda: NOON)
        self.identities = Identities()
        self.api = Api(stored, Controllers(stored, lambda: NOON, 0), self.identities, lambda: NOON)
        self.ask("POST", "/api/v1/namespaces", manifests.namespace("shop"))
        self.ask("POST", "/api/v1/nodes", manifests.node("node-1"))
        self.ask("POST", PODS, manifests.pod("web-1", "shop", "node-1"))

    def ask(
        self, method: str, uri: str, body: Any = None, *, user: str = "admin", kind: str = MERGE
    ) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self.identities.token(user)}" if user else "", "content-type": kind}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.api.answer(SimulatedRequest(method=method, uri=uri, headers=headers, body=content))


ANSWERS: list[Any] = [
    ("GET", f"{PODS}/web-1", None, {}, 200),
    ("GET", f"{PODS}?labelSelector=a%3Db&limit=1", None, {}, 200),
    ("GET", "/api/v1/pods", None, {}, 200),
    ("GET", f"{PODS}/web-1", None, {"user": ""}, 401),
    ("GET", "/api/v1/secrets", None, {}, 404),
    ("POST", PODS, {}, {"user": "responder"}, 403),
    ("PATCH", f"{PODS}/web-1", {"metadata": {"labels": {"a": "b"}}}, {}, 200),
    ("PATCH", f"{PODS}/web-1", {}, {"kind": "application/json"}, 415),
    ("PATCH", f"{PODS}/web-1", b"no JSON", {}, 400),
    ("PATCH", f"{PODS}/web-1?dryRun=Some", {}, {}, 400),
    ("POST", f"{PODS}/web-1", {}, {}, 405),
    ("PUT", f"{PODS}/web-1", {}, {}, 405),
    ("POST", "/api/v1/pods", {}, {}, 405),
    ("POST", f"{PODS}/web-1/eviction", {}, {}, 400),
    ("DELETE", f"{PODS}/web-1?dryRun=All", None, {}, 200),
    ("DELETE", f"{PODS}/web-1", {"gracePeriodSeconds": 0, "dryRun": ["All"]}, {}, 200),
]


@pytest.mark.parametrize(("method", "uri", "body", "options", "code"), ANSWERS)
def test_each_request_is_answered_and_logged(
    method: str, uri: str, body: Any, options: dict[str, str], code: int
) -> None:
    """With the API server's status; the audit log has who asked for what, and the answer."""
    server = Server()
    before = len(server.api.audit)
    answered, document = server.ask(method, uri, body, **options)
    assert answered == code, document
    (event,) = server.api.audit[before:]
    assert (event.code, event.user, event.uri) == (code, options.get("user", "admin"), uri)
    assert server.ask("GET", f"{PODS}/web-1")[0] == 200


def test_an_event_names_what_was_asked() -> None:
    """Verb, resource and object, also of what was created; a body that is none is none."""
    server = Server()
    created = server.api.audit[2]
    assert (created.verb, created.resource, created.namespace, created.name) == ("create", "pods", "shop", "web-1")
    server.ask("PATCH", f"{PODS}/web-1?dryRun=All", b"no JSON")
    last = server.api.audit[-1]
    assert (last.verb, last.dry_run, last.request, last.rbac_resource) == ("patch", True, None, "pods")
    assert server.api.alone().__enter__() is not None
