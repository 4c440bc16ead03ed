"""One finding on a warm function against the bare sequence of the same HTTP requests on one connection."""

from __future__ import annotations

import http.client
import json
import ssl
import statistics
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.bench.cold import spread
from tests.bench.rig import Rig
from tests.cluster.audit import AuditEvent
from tests.e2e.served import ServedFunction
from tests.findings import push_body

WARM_UP = 3


def warm(rig: Rig, function: ServedFunction, rounds: int) -> dict[str, Any]:
    """`warm` as a ratio, and the API server requests of one finding by verb."""
    ours, bare, counts = [], [], []
    for number in range(rounds + WARM_UP):
        # Made right before, as for the bare sequence: both start from the same quiet.
        document = rig.victims(1)[0]
        begun = datetime.now(UTC)
        assert function.post(push_body(document))[0] == 204
        events = rig.plane.audit(since=begun)
        if number < WARM_UP:
            continue
        ours.append(_last_effect(events, begun))
        counts.append(Counter(event.verb for event in events))
        bare.append(_bare(rig, events))
    floor = statistics.median(bare)
    return {
        "bare_sequence_seconds": spread(bare),
        "warm": spread([value / floor for value in ours]),
        "requests_per_finding": dict(counts[-1]),
        "requests_total": max(count.total() for count in counts),
    }


def _last_effect(events: Sequence[AuditEvent], begun: datetime) -> float:
    delete = next(event for event in events if event.verb == "delete")
    return float((delete.completed - begun).total_seconds())


def _bare(rig: Rig, events: Sequence[AuditEvent]) -> float:
    """Send what the function sent, about a fresh pod, one request after another, up to the deletion."""
    document = rig.victims(1)[0]
    fresh = document["finding"]["kubernetes"]["pods"][0]["name"]
    swaps = _swaps(rig, events, fresh)
    context = ssl.create_default_context(cadata=rig.plane.ca_pem)
    host = rig.plane.url.removeprefix("https://")
    connection = http.client.HTTPSConnection(host, context=context)
    connection.connect()
    headers = {"Authorization": f"Bearer {rig.plane.token('responder')}", "User-Agent": "bare"}
    begun = datetime.now(UTC)
    version = ""
    for event in events:
        uri, body = event.uri, json.dumps(event.request) if event.request else None
        for old, new in swaps.items():
            uri = uri.replace(old, new)
            body = body.replace(old, new) if body else None
        answer = _send(connection, event, uri, _with_version(body, version), headers)
        version = answer.get("metadata", {}).get("resourceVersion", version)
        if event.verb == "delete":
            break
    connection.close()
    audit = rig.plane.audit(since=begun)
    deleted = next(event for event in audit if event.verb == "delete" and event.user_agent == "bare")
    assert deleted.code == 200, deleted
    return float((deleted.completed - begun).total_seconds())


def _send(
    connection: http.client.HTTPSConnection, event: AuditEvent, uri: str, body: str | None, headers: dict[str, str]
) -> dict[str, Any]:
    methods = {"get": "GET", "list": "GET", "patch": "PATCH", "create": "POST", "delete": "DELETE"}
    kind = "application/merge-patch+json" if event.verb == "patch" else "application/json"
    connection.request(methods[event.verb], uri, body, {**headers, "Content-Type": kind})
    response = connection.getresponse()
    content = response.read()
    assert response.status < 300, (event.verb, uri, content)
    # A log comes as text.
    answer: dict[str, Any] = json.loads(content) if content[:1] == b"{" else {}
    return answer


def _with_version(body: str | None, version: str) -> str | None:
    """The body with the version that was read last, where it carries one."""
    document = json.loads(body) if body else None
    if not document:
        return body
    if "resourceVersion" in document.get("metadata", {}):
        document["metadata"].pop("resourceVersion")
    if "preconditions" in document:
        document["preconditions"]["resourceVersion"] = version
    return json.dumps(document)


def _swaps(rig: Rig, events: Sequence[AuditEvent], fresh: str) -> dict[str, str]:
    """Names and UIDs of the pod that was contained, each with the fresh pod's in its place."""
    old_pod = next(event.response for event in events if event.verb == "get" and event.resource == "pods")
    old_node = next(event.response for event in events if event.verb == "get" and event.resource == "nodes")
    new_pod = rig.plane.admin.get(f"/api/v1/namespaces/{rig.namespace}/pods/{fresh}")
    new_node = rig.plane.admin.get(f"/api/v1/nodes/{new_pod['spec']['nodeName']}")
    swaps = {}
    for old, new in ((old_pod, new_pod), (old_node, new_node)):
        swaps[old["metadata"]["name"]] = new["metadata"]["name"]
        swaps[old["metadata"]["uid"]] = new["metadata"]["uid"]
    old_owner, new_owner = (pod["metadata"]["ownerReferences"][0]["name"] for pod in (old_pod, new_pod))
    case = next(event.request["metadata"]["name"] for event in events if event.verb == "create")
    return {**swaps, old_owner: new_owner, case.removeprefix("scc-responder-"): new_pod["metadata"]["uid"][-12:]}
