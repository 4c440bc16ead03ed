"""What one request of a response is for, and the answers to it that are refusals, failures, silence, or not true."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.pipeline.unread_facts import LOOKS
from tests.cluster.cut_off import WRITES
from tests.kits.fault_proxy import Answer, Break, Call, Fault, FaultProxy, Forward, Rewrite, Stall, Truncate
from tests.kits.responder import ALL, Deployment, finding_about, policy, write_policies

LISTS = frozenset({"nodes", "events", "networkpolicies", "endpointslices", "poddisruptionbudgets", "apis"})
VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}


def status(code: int, reason: str, message: str = "m", **headers: str) -> Answer:
    """An API server's refusal, as a Status."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message}
    return Answer(code, json.dumps({**body, "code": code}).encode(), headers)


def about_another(answer: Answer) -> Answer:
    """The answer, as if another object of another name had been asked for."""
    return _rewritten(answer, name="another", uid="00000000-0000-4000-8000-000000000001")


def with_another_uid(answer: Answer) -> Answer:
    """The answer, with the UID of another object of the same name."""
    return _rewritten(answer, uid="00000000-0000-4000-8000-000000000002")


def of_another_form(answer: Answer) -> Answer:
    """The answer, whose parts are lists and texts where an API server has objects."""
    return _changed(answer, lambda item: {**item, "metadata": {**item["metadata"], "labels": [1]}, "spec": "x"})


def without_metadata(answer: Answer) -> Answer:
    """The answer, with nothing of what every object has."""
    return _changed(answer, lambda item: {**item, "metadata": []})


def _rewritten(answer: Answer, **metadata: str) -> Answer:
    return _changed(answer, lambda item: {**item, "metadata": item["metadata"] | metadata})


def _changed(answer: Answer, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Answer:
    document = json.loads(answer.body)
    items = [change(item) if "metadata" in item else item for item in document.get("items", [document])]
    whole = {**document, "items": items} if "items" in document else items[0]
    return Answer(answer.status, json.dumps(whole).encode(), answer.headers)


BAD_ANSWERS: dict[str, Fault] = {
    "401": status(401, "Unauthorized"),
    "403": status(403, "Forbidden", "user cannot do this"),
    "404-of-a-balancer": Answer(404, b"not found"),
    "409": status(409, "Conflict"),
    "413": status(413, "RequestEntityTooLarge"),
    "422": status(422, "Invalid"),
    "429": status(429, "TooManyRequests", **{"Retry-After": "1"}),
    "500": status(500, "InternalError"),
    "503-of-a-balancer": Answer(503, b"unavailable"),
    "reset-before": Break(forward=False),
    "reset-after": Break(forward=True),
    "closed-after": Break(forward=True, reset=False),
    "stall-before": Stall(),
    "stall-after": Stall(forward=True),
    "half-an-answer": Truncate(length=20),
    "another-object": Rewrite(about_another),
    "another-uid": Rewrite(with_another_uid),
    "another-form": Rewrite(of_another_form),
    "no-metadata": Rewrite(without_metadata),
}
"""What one request may be answered."""


def purpose(call: Call) -> str:
    """The request in two words: what is done, and to which resource. Patches of a pod are told apart."""
    parts = call.target.partition("?")[0].split("/")
    is_list = parts[-1] in LISTS
    resource = parts[-1] if is_list else parts[-2]
    if call.method == "GET":
        return f"{'list' if is_list else 'get'} {resource}"
    if call.method == "PATCH" and resource == "pods":
        return f"{_mark(json.loads(call.body)['metadata'])} pods"
    return f"{VERBS[call.method]} {resource}"


def _mark(metadata: dict[str, dict[str, str]]) -> str:
    labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
    if any("armed-by" in key for key in [*labels, *annotations]):
        return "arm"
    if any("case" in key for key in labels):
        return "mark"
    return "isolate" if labels else "annotate"


Script = Callable[[Call], Fault]


def each(kind: str, answer: Fault) -> Script:
    """Let every request of the kind be answered so."""
    return lambda call: answer if purpose(call) == kind else Forward()


class Once:
    """Let one request be answered so: the first that `is_meant`. `kind` says afterwards which that was."""

    def __init__(self, is_meant: Callable[[Call], bool], answer: Fault) -> None:
        self.kind = ""
        self._is_meant = is_meant
        self._answer = answer

    def __call__(self, call: Call) -> Fault:
        if self.kind or not self._is_meant(call):
            return Forward()
        self.kind = purpose(call)
        return self._answer


POD = frozenset({"label_pod", "annotate_pod", "isolate_pod", "delete_pod"})
CHANGES = POD | {"cordon_node"}

NEEDED_BY: dict[str, frozenset[str]] = {
    "get pods": CHANGES,
    "get namespaces": frozenset(),
    "get nodes": frozenset({"cordon_node"}),
    "get replicasets": frozenset({"delete_pod"}),
    "get deployments": frozenset({"delete_pod"}),
    "list poddisruptionbudgets": frozenset({"delete_pod"}),
    "list nodes": frozenset({"cordon_node"}),
    "list apis": frozenset({"isolate_pod"}),
    "mark pods": frozenset({"label_pod"}),
    "annotate pods": frozenset({"annotate_pod"}),
    "isolate pods": frozenset({"isolate_pod"}),
    "create networkpolicies": frozenset({"isolate_pod"}),
    "list networkpolicies": frozenset({"isolate_pod"}),
    "list endpointslices": frozenset(),
    "list events": frozenset({"delete_pod"}),
    "patch nodes": frozenset({"cordon_node"}),
    "arm pods": frozenset({"delete_pod"}),
    "delete pods": frozenset({"delete_pod"}),
}
"""The changes that need the answer to a request. Every other is made, whatever that request is answered."""


@dataclass(frozen=True)
class Delivered:
    """What came of a finding: the kinds of requests, the actions done in full, and whether evidence is complete."""

    requests: frozenset[str]
    done: frozenset[str]
    is_kept: bool


PATIENCE = 10.0
"""Seconds after which a request is given up where none is met with silence."""


def patience(fault: str, silence: float) -> float:
    """Seconds after which a request is given up: as many as a silence is to last, where the fault is one."""
    return silence if fault.startswith("stall") else PATIENCE


def delivered(folder: Path, side: Any, pod: Mapping[str, Any], script: Script, seconds: float = PATIENCE) -> Delivered:
    """Deliver a finding about the pod until it is settled, or no step waits any more.

    `side` is the cluster, before which a proxy answers by the script. After `seconds` a request is given up.
    """
    document = finding_about(pod)
    upstream_ca_pem = side.ca_pem.encode() if isinstance(side.ca_pem, str) else side.ca_pem
    with FaultProxy(side.url, upstream_ca_pem, script, tls=False) as proxy:
        api = connect(proxy.url, proxy.ca_pem, lambda: side.token("responder"), timeout_seconds=seconds)
        deployment = Deployment(folder, api, write_policies(folder / "policies", policy(*ALL)))
        ending = deployment.respond_to(document)
        for _ in range(LOOKS):
            if ending.status == 503:
                ending = deployment.deliver(document)
        api.close()
    steps = deployment.case(document).steps
    # A kubelet may take its time to end a pod.
    undone = {step.action for step in steps if step.status not in {"done", "terminating"} and not step.is_so_already}
    return Delivered(
        requests=frozenset(map(purpose, proxy.calls)),
        done=frozenset(step.action for step in steps) - undone,
        # A manifest is written last: what it names is complete.
        is_kept=any(folder.glob("evidence/**/manifest-*.json")),
    )


MOST = {"patch pods": 4, "create networkpolicies": 1, "patch nodes": 1, "delete pods": 1}
"""The writes that contain a pod."""


def made_twice(audit: Iterable[Any]) -> Counter[str]:
    """The accepted writes beyond those that contain a pod once, by what an API server's audit log says."""
    accepted = (event for event in audit if event.verb in WRITES and event.code < 300)
    return Counter(f"{event.verb} {event.rbac_resource}" for event in accepted) - Counter(MOST)
