"""What an answer that is no success, or none at all, comes to."""

from __future__ import annotations

import json
import ssl
from typing import Any

import pytest
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProtocolError, ReadTimeoutError, SSLError

from scc_responder.adapters.kubernetes.api_errors import (
    MESSAGE_LENGTH,
    ApiRequest,
    ApiResponse,
    UnusableResponse,
    kubernetes_failure,
)
from scc_responder.domain.errors import OutcomeUnknown

GET = ApiRequest(method="GET", path="/api/v1/namespaces/shop/pods/web-1")
PATCH = ApiRequest(method="PATCH", path="/api/v1/namespaces/shop/pods/web-1")


def answer(code: int, message: str = "m", reason: str = "", headers: Any = None, **details: Any) -> ApiResponse:
    status = {"kind": "Status", "message": message, "reason": reason, "details": details}
    return ApiResponse(status=code, body=json.dumps(status).encode(), headers=headers or {})


def causes(**cause: str) -> dict[str, Any]:
    return {"causes": [cause, "x"]}


REFUSALS: list[Any] = [
    (answer(400), "bad_request", 400),
    (answer(401), "kubernetes_unauthenticated", 401),
    (answer(403), "kubernetes_forbidden", 403),
    (answer(404, reason="NotFound"), "not_found", 404),
    (answer(404), "no_such_resource", 0),
    (ApiResponse(status=404, body=b"<html>"), "no_such_resource", 0),
    (answer(409), "conflict", 409),
    (answer(422, **causes(field="metadata.uid")), "conflict", 409),
    (answer(422, causes=7), "invalid", 422),
    (answer(422), "invalid", 422),
    (answer(403, "GKE Warden rejected the request"), "gke_warden_denied", 403),
    (answer(429, **causes(reason="DisruptionBudget")), "disruption_budget", 429),
    (answer(429), "throttled", 429),
    (answer(302), "redirect_refused", 302),
    (answer(418), "unexpected_status", 418),
    (ApiResponse(status=403, body=b'{"kind": "Other", "message": "x"}'), "kubernetes_forbidden", 403),
]


@pytest.mark.parametrize(("refused", "reason", "status"), REFUSALS)
def test_a_refusal_is_certain(refused: ApiResponse, reason: str, status: int) -> None:
    """Nothing was done, for a reason that has a word; a balancer's 404 proves nothing."""
    for request in (GET, PATCH):
        error = kubernetes_failure(request, refused)
        assert (error.reason, error.status) == (reason, status)
        assert not isinstance(error, OutcomeUnknown)


def test_a_refusal_carries_what_its_reader_needs() -> None:
    """The permission, how long to wait, and the policy's name where the message is cut."""
    assert kubernetes_failure(PATCH, answer(403)).permission == "pods: patch in namespace shop"
    waits = [("Retry-After", "7"), ("retry-after", "99999"), ("Retry-After", "soon")]
    told = [kubernetes_failure(GET, answer(429, headers={name: value})).retry_after_seconds for name, value in waits]
    assert told == [7.0, 3600.0, 0.0]
    policy = "ValidatingAdmissionPolicy 'a' with binding 'b' denied request: why"
    assert str(kubernetes_failure(PATCH, answer(422, "x" * 400 + policy))).endswith(policy)


def test_a_servers_error_leaves_a_write_open() -> None:
    """A read is only an error."""
    assert isinstance(kubernetes_failure(PATCH, answer(500)), OutcomeUnknown)
    assert not isinstance(kubernetes_failure(GET, answer(500)), OutcomeUnknown)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("etcdserver: request is too large", id="etcd"),
        pytest.param("rpc error: trying to send message larger than max (3 vs. 2)", id="the client of etcd"),
    ],
)
def test_an_object_that_cannot_be_stored_is_full(message: str) -> None:
    """A write is refused for certain, whatever its code; no read can meet it."""
    error = kubernetes_failure(PATCH, answer(500, message))
    assert (error.reason, error.status, isinstance(error, OutcomeUnknown)) == ("object_full", 413, False)
    assert kubernetes_failure(GET, answer(500, message)).reason == "server_error"


UNTRUSTED = SSLError(ssl.SSLCertVerificationError("untrusted"))
NO_CONNECTION = NewConnectionError(None, "refused")  # type: ignore[arg-type]
SILENCES: list[Any] = [
    (NO_CONNECTION, "cluster_unreachable", False),
    (ConnectTimeoutError("late"), "cluster_unreachable", False),
    (UNTRUSTED, "untrusted_certificate", False),
    (ReadTimeoutError(None, "/", "late"), "timeout", True),  # type: ignore[arg-type]
    (ProtocolError("cut"), "cluster_unreachable", True),
    (UnusableResponse("unusable_answer"), "unusable_answer", True),
]


@pytest.mark.parametrize(("cause", "reason", "unknown"), SILENCES)
def test_silence_after_a_sent_write_is_unknown(cause: Exception, reason: str, unknown: bool) -> None:
    """What was never sent is certain; a read is never unknown."""
    write, read = kubernetes_failure(PATCH, cause), kubernetes_failure(GET, cause)
    assert (write.reason, isinstance(write, OutcomeUnknown)) == (reason, unknown)
    assert (read.reason, isinstance(read, OutcomeUnknown)) == (reason, False)


def test_a_servers_words_are_tamed() -> None:
    """Cut and escaped."""
    told = [str(kubernetes_failure(GET, answer(403, words))) for words in ("a\nb\x1b\u202e", "\x1b" * 400)]
    assert told[0].endswith(r": HTTP 403: a\u000ab\u001b\u202e")
    assert len(told[1].partition("403: ")[2]) <= MESSAGE_LENGTH


RBAC = 'pods "x" is forbidden: User "r" cannot patch resource "pods" in API group "" in the namespace "shop"'
QUOTA = 'networkpolicies.networking.k8s.io "x" is forbidden: exceeded quota: counts, requested: a=1, used: a=9'
ENDING = 'networkpolicies "x" is forbidden: new content in namespace shop because it is being terminated'
WEBHOOK = 'admission webhook "validate.kyverno.svc" denied the request: exceeded quota: none'
UNREHEARSED = 'admission webhook "a.example.com" does not support dry run'
WARDEN = 'admission webhook "warden-validating.common-webhooks.networking.gke.io" denied the request: managed'
POLICY = "ValidatingAdmissionPolicy 'no-labels' with binding 'all' denied request: no"
ENDED = causes(reason="NamespaceTerminating")


@pytest.mark.parametrize(
    ("refused", "reason", "refused_by"),
    [
        pytest.param(answer(403, RBAC), "kubernetes_forbidden", "", id="RBAC"),
        pytest.param(answer(403, QUOTA), "quota_exceeded", "counts", id="quota"),
        pytest.param(answer(403, QUOTA.replace("exceeded", "failed")), "quota_exceeded", "counts", id="quota unmet"),
        pytest.param(answer(403, ENDING), "namespace_terminating", "", id="terminating, by its words"),
        pytest.param(answer(403, "no", **ENDED), "namespace_terminating", "", id="terminating, by its cause"),
        pytest.param(answer(403, WEBHOOK), "admission_webhook_denied", "validate.kyverno.svc", id="webhook"),
        pytest.param(answer(409, WEBHOOK), "admission_webhook_denied", "validate.kyverno.svc", id="webhook's 409"),
        pytest.param(answer(500, WEBHOOK), "admission_webhook_denied", "validate.kyverno.svc", id="webhook's 500"),
        pytest.param(
            answer(400, UNREHEARSED), "admission_webhook_denied", "a.example.com", id="webhook without rehearsals"
        ),
        pytest.param(answer(403, POLICY), "admission_denied", "no-labels", id="policy"),
        pytest.param(answer(400, WARDEN), "gke_warden_denied", "GKE Warden", id="Warden's webhook"),
        pytest.param(
            answer(403, f"{RBAC}: GKE Warden authz"), "gke_warden_denied", "GKE Warden", id="Warden authorizes"
        ),
        pytest.param(answer(403, 'pods "x" is forbidden: cpu is too much'), "admission_denied", "", id="own plugin"),
        pytest.param(answer(409, QUOTA), "conflict", "counts", id="a conflict is none of them"),
        pytest.param(answer(422, f"not {ENDING}"), "invalid", "", id="an invalid object is none of them"),
    ],
)
def test_each_refusal_is_told_by_who_refused(refused: ApiResponse, reason: str, refused_by: str) -> None:
    """Only RBAC's is a missing permission; what was not granted is never named for the others."""
    error = kubernetes_failure(PATCH, refused)
    assert (error.reason, error.refused_by) == (reason, refused_by)
    assert bool(error.permission) is (reason == "kubernetes_forbidden")
    assert not isinstance(error, OutcomeUnknown)


def test_a_webhook_that_is_down_leaves_a_write_open() -> None:
    """It refused nothing."""
    down = answer(500, 'Internal error occurred: failed calling webhook "x": connection refused')
    assert isinstance(kubernetes_failure(PATCH, down), OutcomeUnknown)


EVICT = ApiRequest(method="POST", path="/api/v1/namespaces/shop/pods/web-1/eviction")


def test_several_budgets_are_a_sure_refusal() -> None:
    """The API server says 500, and yet nothing was done: it is not asked again."""
    several = answer(
        500, "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    )
    error = kubernetes_failure(EVICT, several)
    assert (error.reason, error.status, isinstance(error, OutcomeUnknown)) == ("several_disruption_budgets", 400, False)


def test_a_budget_is_named() -> None:
    """Its name stands in the cause of the refusal, not in its message."""
    said = "The disruption budget keeps-all needs 2 healthy pods and has 2 currently"
    words = "Cannot evict pod as it would violate the pod's disruption budget."
    refused = answer(429, words, "TooManyRequests", **causes(reason="DisruptionBudget", message=said))
    error = kubernetes_failure(EVICT, refused)
    assert error.reason == "disruption_budget"
    assert str(error).endswith(f"{words} {said}")
