"""The tests' oracle: what the audit log says of a write whose client died before the answer."""

from __future__ import annotations

import json
import random
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tests.cluster.audit import AuditEvent
from tests.cluster.control_plane import ControlPlane
from tests.cluster.cut_off import CUT_OFF, made, named

POLICIES = "/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE = 60


def _cut_off(plane: ControlPlane, path: str, body: Mapping[str, Any], seconds: float) -> None:
    """Send a creation, and hang up after so long without reading the answer."""
    host, _, port = plane.url.removeprefix("https://").partition(":")
    content = json.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {plane.token('responder')}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.create_connection((host, int(port))) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with ssl.create_default_context(cadata=plane.ca_pem).wrap_socket(raw, server_hostname=host) as connection:
            connection.sendall((head + content).encode())
            time.sleep(seconds)


def test_a_creation_that_was_cut_off_counts_where_the_object_is_there_afterwards(
    control_plane: ControlPlane, namespace: str
) -> None:
    """Whatever the audit log calls it: hung up on at random moments, some are made and some are not."""
    begun, path, moments = datetime.now(UTC), POLICIES.format(namespace=namespace), random.Random(1)
    names = [f"cut-off-{number}" for number in range(AT_ONCE)]
    for name in names:
        body = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}}
        _cut_off(control_plane, path, {**body, "spec": {"podSelector": {}}}, moments.uniform(0.0005, 0.006))
    there = {item["metadata"]["name"] for item in control_plane.admin.list(path)}
    for name in names:
        control_plane.client("responder").send("GET", f"{path}/{name}")

    events = control_plane.audit(since=begun, namespace=namespace)
    own = [event for event in events if event.namespace == namespace]

    assert {named(event) for event in made(own)} == there


def _event(verb: str, code: int = 200, *, after: int, **fields: Any) -> AuditEvent:
    at = NOW + timedelta(seconds=after)
    known = {"user": "responder", "resource": "pods", "namespace": "shop", "name": "web-1", "uri": "/"}
    return AuditEvent(verb=verb, code=code, received=at, completed=at, **{**known, **fields})


LABEL = {"metadata": {"uid": "u1", "resourceVersion": "7", "labels": {"a": "b"}}, "spec": {"unschedulable": True}}
WITH_LABEL = {"metadata": {"uid": "u1", "resourceVersion": "8", "labels": {"a": "b", "c": "d"}}} | {
    "spec": {"unschedulable": True, "podCIDR": "192.0.2.0/24"}
}
CUT = _event("patch", CUT_OFF, after=1, request=LABEL)


@pytest.mark.parametrize(
    ("events", "counted"),
    [
        pytest.param([_event("patch", after=1, request=LABEL)], 1, id="accepted"),
        pytest.param([_event("patch", 409, after=1, request=LABEL)], 0, id="refused"),
        pytest.param([_event("patch", after=1, request=LABEL, dry_run=True)], 0, id="dry_run"),
        pytest.param([CUT], 0, id="cut_off_and_never_read"),
        pytest.param([CUT, _event("get", after=2, response=WITH_LABEL)], 1, id="cut_off_and_seen"),
        pytest.param([CUT, _event("get", after=2, response={"metadata": {"uid": "u1"}})], 0, id="cut_off_not_seen"),
        pytest.param([CUT, _event("get", 404, after=2)], 0, id="cut_off_and_gone"),
        pytest.param([_event("get", after=0, response=WITH_LABEL), CUT], 0, id="seen_before_it_was_sent"),
        pytest.param([CUT, _event("get", after=2, name="web-2", response=WITH_LABEL)], 0, id="another_object"),
        pytest.param(
            [CUT, _event("patch", after=2, request=LABEL), _event("get", after=3, response=WITH_LABEL)],
            1,
            id="cut_off_then_sent_again",
        ),
        pytest.param([_event("delete", CUT_OFF, after=1), _event("get", 404, after=2)], 1, id="deletion_and_gone"),
        pytest.param([_event("delete", CUT_OFF, after=1), _event("get", after=2)], 0, id="deletion_and_still_there"),
    ],
)
def test_a_write_that_was_cut_off_counts_where_the_next_read_shows_it(events: list[AuditEvent], counted: int) -> None:
    """Nothing is taken as done because it was asked for, and nothing as lost because its answer was."""
    assert len(made(events)) == counted
    assert len(made([replace(event) for event in reversed(events)])) == counted
