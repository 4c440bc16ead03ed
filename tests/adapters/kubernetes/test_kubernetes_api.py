"""What the adapter makes of every way in which an API server can refuse, fail, stall or lie."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.kubernetes.api_errors import ApiRequest, ApiResponse, kubernetes_failure
from scc_responder.adapters.kubernetes.kubernetes_api import KubernetesRest, connect
from scc_responder.domain.errors import ApiError, OutcomeUnknown, SettingsError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import visible
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.fault_proxy import Answer, Break, Call, Delay, Drip, FaultProxy, Forward, Stall, Truncate

POD = api_paths.pod("shop", "web-1")
FOUND = Answer(200, b'{"kind":"Pod","metadata":{"name":"web-1"}}')
SHORT = 0.4
PATIENT = 20.0
"""Where an answer comes, however busy the machine is."""


Operation = Callable[[KubernetesRest], object]
READS: list[tuple[str, Operation]] = [
    ("get", lambda api: api.get(POD)),
    ("list", lambda api: api.list(api_paths.network_policies("shop"))),
]
WRITES: list[tuple[str, Operation]] = [
    ("patch", lambda api: api.patch(POD, {"metadata": {"labels": {"a": "b"}}})),
    ("delete", lambda api: api.delete(POD, {"gracePeriodSeconds": 0})),
    ("create", lambda api: api.create(api_paths.network_policies("shop"), {"kind": "NetworkPolicy"})),
]
each_read = pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in READS])
each_write = pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in WRITES])
each_call = pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in READS + WRITES])


def status(
    code: int, reason: str = "", message: str = "", headers: dict[str, str] | None = None, **details: Any
) -> Answer:
    """An API server's refusal."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message}
    return Answer(code, json.dumps({**body, "details": details, "code": code}).encode(), headers or {})


@pytest.fixture(scope="module")
def server() -> Iterator[FaultProxy]:
    """A server of scripted answers."""
    with FaultProxy() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def cluster() -> Iterator[SimulatedCluster]:
    """An API server behind the faults."""
    with SimulatedCluster() as cluster:
        cluster.create(objects.namespace("shop"))
        yield cluster


def api_of(server: FaultProxy, token: Callable[[], str] = lambda: "t", **options: Any) -> KubernetesRest:
    """The adapter, connected to a server of faults."""
    return connect(server.url, server.ca_pem, token, **options)


def error_of(server: FaultProxy, call: Operation, *answers: Any, **options: Any) -> ApiError:
    """How a call ends that is answered like this."""
    server.play(dict(enumerate(answers, start=1)))
    api = api_of(server, **options)
    with pytest.raises(ApiError) as caught:
        call(api)
    api.close()
    return caught.value


REFUSALS = [
    pytest.param(status(400, "BadRequest"), "bad_request", 400, id="400"),
    pytest.param(status(401, "Unauthorized"), "kubernetes_unauthenticated", 401, id="401"),
    pytest.param(status(403, "Forbidden", 'User "r" cannot get'), "kubernetes_forbidden", 403, id="403-rbac"),
    pytest.param(
        status(403, "Forbidden", "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"),
        "admission_denied",
        403,
        id="403-policy",
    ),
    pytest.param(
        status(422, "Invalid", "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"),
        "admission_denied",
        422,
        id="422-policy",
    ),
    pytest.param(
        status(400, "", 'admission webhook "w" denied the request: GKE Warden rejected'),
        "gke_warden_denied",
        400,
        id="400-webhook",
    ),
    pytest.param(
        status(403, "Forbidden", "GKE Warden rejected the request"), "gke_warden_denied", 403, id="403-warden"
    ),
    pytest.param(status(404, "NotFound"), "not_found", 404, id="404"),
    pytest.param(Answer(404, b"404 page not found\n"), "no_such_resource", 0, id="404-text"),
    pytest.param(Answer(404, b'{"kind":"NotStatus","reason":"NotFound"}'), "no_such_resource", 0, id="404-other-json"),
    pytest.param(status(409, "Conflict"), "conflict", 409, id="409"),
    pytest.param(status(409, "AlreadyExists"), "conflict", 409, id="409-exists"),
    pytest.param(status(410, "Expired"), "gone", 410, id="410"),
    pytest.param(status(413, "RequestEntityTooLarge"), "too_large", 413, id="413"),
    pytest.param(status(422, "Invalid", causes=[{"field": "metadata.labels"}]), "invalid", 422, id="422"),
    pytest.param(status(422, "Invalid", causes=[{"field": "metadata.uid"}]), "conflict", 409, id="422-uid"),
    pytest.param(status(422, "Invalid", causes=["odd", None]), "invalid", 422, id="422-odd-causes"),
    pytest.param(status(429, "TooManyRequests"), "throttled", 429, id="429"),
    pytest.param(
        status(429, "TooManyRequests", causes=[{"reason": "DisruptionBudget"}]), "disruption_budget", 429, id="429-pdb"
    ),
    pytest.param(Answer(418, b"teapot"), "unexpected_status", 418, id="418"),
    pytest.param(Answer(403, b'{"details":' * 100_000), "kubernetes_forbidden", 403, id="403-deep"),
    pytest.param(Answer(304), "redirect_refused", 304, id="304"),
]


@each_call
@pytest.mark.parametrize(("answer", "reason", "code"), REFUSALS)
def test_a_refusal_is_certain_and_named(
    server: FaultProxy, call: Operation, answer: Answer, reason: str, code: int
) -> None:
    """A refusal is certain: nothing was done, and its reason has a name. It is asked for once."""
    error = error_of(server, call, answer)
    assert (error.reason, error.status, type(error)) == (reason, code, ApiError)
    assert server.count == 1


def test_who_refused_is_not_cut_off(server: FaultProxy) -> None:
    """However long the object's name is that the server begins with, the admission policy is named, and its words."""
    words = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: the namespace is protected"
    error = error_of(server, WRITES[0][1], status(422, "Invalid", f'pods "{"x" * 500}" is forbidden: {words}'))
    assert str(error).endswith(f"HTTP 422: {words}")


@pytest.mark.parametrize("code", [500, 502, 503, 504])
@each_read
def test_server_errors_of_reads(server: FaultProxy, call: Operation, code: int) -> None:
    """A server's own fault leaves a read without answer."""
    error = error_of(server, call, status(code, "InternalError", "etcdserver: request timed out"))
    assert (error.reason, error.status, type(error)) == ("server_error", code, ApiError)
    assert server.count == 1


@pytest.mark.parametrize("code", [500, 502, 503, 504])
@each_write
def test_server_errors_of_writes(server: FaultProxy, call: Operation, code: int) -> None:
    """After a server's own fault nobody knows whether a write was made. It is never sent again."""
    error = error_of(server, call, status(code, "InternalError"), FOUND)
    assert (error.reason, error.status, type(error)) == ("server_error", code, OutcomeUnknown)
    assert server.count == 1


MOST = ApiRequest(method="GET", path="/api").most_bytes

SILENCES = [
    pytest.param(Break(forward=False), "cluster_unreachable", id="reset"),
    pytest.param(Break(forward=False, reset=False), "cluster_unreachable", id="closed"),
    pytest.param(Stall(), "timeout", id="stall"),
    pytest.param(Truncate(10, FOUND), "cluster_unreachable", id="truncated"),
    pytest.param(Truncate(0, FOUND), "cluster_unreachable", id="headers-only"),
    pytest.param(Drip((b"{", b'"', b"a", b'"', b":", b"1", b"}"), 0.15), "timeout", id="dripping"),
    pytest.param(Delay(SHORT * 2, FOUND), "timeout", id="late"),
    pytest.param(Answer(200, b""), "unusable_answer", id="empty"),
    pytest.param(Answer(200, b"<html>sign in</html>"), "unusable_answer", id="html"),
    pytest.param(Answer(200, b"[]"), "unusable_answer", id="no-object"),
    pytest.param(Answer(200, b'{"kind":"\xff"}'), "unusable_answer", id="no-utf-8"),
    pytest.param(Answer(200, b"[" * 100_000), "unusable_answer", id="deep"),
    pytest.param(Answer(200, b'{"items":' * 200_000 + b"1" + b"}" * 200_000), "unusable_answer", id="deep-object"),
    pytest.param(
        Answer(200, b'{"items":[' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"]}"), "unusable_answer", id="deep-item"
    ),
    pytest.param(Answer(200, b'{"a":"' + b"x" * MOST + b'"}'), "oversize_answer", id="oversize"),
]


@pytest.mark.parametrize(("fault", "reason"), SILENCES)
@each_read
def test_silence_after_reads(server: FaultProxy, call: Operation, fault: Any, reason: str) -> None:
    """No answer to a read, or half a one, is an error with status 0."""
    error = error_of(server, call, *[fault] * 4, timeout_seconds=SHORT if reason == "timeout" else PATIENT)
    assert (error.reason, error.status, type(error)) == (reason, 0, ApiError)
    # A list that is too large is asked for in smaller pages.
    assert server.count in ({1, 4} if reason == "oversize_answer" else {1})


@pytest.mark.parametrize(("fault", "reason"), SILENCES)
@each_write
def test_silence_after_writes(server: FaultProxy, call: Operation, fault: Any, reason: str) -> None:
    """No answer to a write, or half a one: it may have been made. It is never sent again."""
    error = error_of(server, call, fault, FOUND, timeout_seconds=SHORT if reason == "timeout" else PATIENT)
    assert (error.reason, error.status, type(error)) == (reason, 0, OutcomeUnknown)
    assert server.count == 1


def test_truncated_refusal_proves_nothing(server: FaultProxy) -> None:
    """Half of a 404 does not say that a pod is gone."""
    error = error_of(server, READS[0][1], Truncate(30, status(404, "NotFound", "pods not found")))
    assert (error.reason, error.status) == ("cluster_unreachable", 0)


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        pytest.param(Break(forward=True), True, id="answer-lost"),
        pytest.param(Truncate(20), True, id="answer-truncated"),
        pytest.param(Break(forward=False), False, id="request-lost"),
        pytest.param(Answer(503), False, id="refused-by-balancer"),
    ],
)
def test_unknown_means_unknown(cluster: SimulatedCluster, fault: Any, done: bool) -> None:
    """Whether a write was made or not, the caller learns the same: it must look."""
    name = f"isolate-{cluster.token(repr(fault))[:8].lower().replace('_', '-').replace('-', 'x')}"
    body = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": {}}
    with FaultProxy(cluster.url, None, {1: fault}, tls=False) as proxy:
        api = connect(proxy.url, None, lambda: cluster.token("responder"))
        with pytest.raises(OutcomeUnknown):
            api.create(api_paths.network_policies("shop"), body)
        assert proxy.count == 1
        assert (name in {item["metadata"]["name"] for item in cluster.objects("NetworkPolicy")}) == done


@each_call
def test_an_unsent_write_is_certain(call: Operation) -> None:
    """Where no connection came about, nothing was sent, so a write is certain too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ApiError) as caught:
        call(connect(f"https://127.0.0.1:{port}", None, lambda: "t", timeout_seconds=SHORT))
    assert (caught.value.reason, caught.value.status, type(caught.value)) == ("cluster_unreachable", 0, ApiError)


@each_call
def test_a_server_of_another_authority_gets_nothing(server: FaultProxy, call: Operation) -> None:
    """A server whose certificate another authority signed gets no request, and no token."""
    server.play({})
    with FaultProxy() as other, pytest.raises(ApiError) as caught:
        call(connect(server.url, other.ca_pem, lambda: "t"))
    assert (caught.value.reason, caught.value.status, type(caught.value)) == ("untrusted_certificate", 0, ApiError)
    assert server.count == 0


def test_public_authorities_by_default(server: FaultProxy) -> None:
    """Without an authority of its own, a cluster is trusted by the public ones: not a home-made certificate."""
    with pytest.raises(ApiError) as caught:
        connect(server.url, None, lambda: "t").get(POD)
    assert caught.value.reason == "untrusted_certificate"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@each_call
def test_redirects_are_refused(server: FaultProxy, call: Operation, code: int) -> None:
    """A redirect is not followed: no token goes elsewhere."""
    with FaultProxy() as elsewhere:
        error = error_of(server, call, Answer(code, b"", {"Location": f"{elsewhere.url}/api"}))
        assert elsewhere.count == 0
    assert (error.reason, error.status) == ("redirect_refused", code)
    assert server.count == 1


def test_no_proxy_from_the_environment(server: FaultProxy) -> None:
    """HTTPS_PROXY and its like do not decide where tokens go."""
    server.play({1: FOUND})
    script = (
        "import sys; from scc_responder.adapters.kubernetes.kubernetes_api import connect;"
        "print(connect(sys.argv[1], sys.argv[2].encode(), lambda: 't').get(sys.argv[3])['kind'])"
    )
    with FaultProxy(tls=False) as trap:
        names = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), trap.url)
        search_path = str(Path(__file__).parents[3] / "functions")
        ended = subprocess.run(
            [sys.executable, "-c", script, server.url, (server.ca_pem or b"").decode(), POD],
            env={**os.environ, **names, "PYTHONPATH": search_path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.stdout.strip(), trap.count) == ("Pod", 0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("", 0.0), ("soon", 0.0), ("-1", 0.0), ("1e9", 0.0), ("999999", 3600.0), ("٣", 0.0), ("nan", 0.0)],
)
def test_a_throttled_caller_learns_how_long_to_wait(server: FaultProxy, header: str, seconds: float) -> None:
    """A throttled caller is told how long to wait, in bounds; the adapter itself does not wait or retry."""
    request = ApiRequest(method="GET", path=POD)
    error = kubernetes_failure(request, ApiResponse(status=429, headers={"retry-AFTER": header}))
    assert (error.reason, error.retry_after_seconds) == ("throttled", seconds)


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_not_obeyed_here(server: FaultProxy, code: int) -> None:
    """A read is not repeated in secret, even where the server asks for it."""
    error = error_of(server, READS[0][1], status(code, headers={"Retry-After": "1"}), FOUND)
    assert (error.retry_after_seconds, server.count) == (1.0, 1)


def test_a_partial_list_is_an_error(server: FaultProxy) -> None:
    """A list of which a part cannot be read is an error, never a short list."""
    partial = Answer(200, b'{"kind":"PodList","metadata":{"continue":"abc"},"items":[]}')
    assert error_of(server, READS[1][1], partial, status(403, "Forbidden")).status == 403


def test_items_of_a_page_are_decoded_one_by_one(server: FaultProxy) -> None:
    """Rules take up to twenty times the memory of their text: no page of policies is decoded as a whole."""
    rule = '{"from":[{"ipBlock":{"cidr":"10.0.0.0/8"}}],"ports":[{"port":1}]}'
    item = f'{{"metadata":{{"name":"x"}},"spec":{{"ingress":[{",".join([rule] * 15_000)}]}}}}'
    body = f'{{"metadata":{{}},"items":[{",".join([item] * 5)}]}}'.encode()
    server.play({1: Answer(200, body)})
    api = api_of(server)
    tracemalloc.start()
    names = api.gather("/api/v1/pods", lambda found: found["metadata"]["name"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    api.close()
    assert names == ["x"] * 5
    assert peak < 12 * len(body)


@pytest.mark.parametrize("body", [b"{}", b'{"items":null}', b'{"items":{}}', b'{"items":[1]}'], ids=str)
def test_list_without_items(server: FaultProxy, body: bytes) -> None:
    """An answer without a list in it is not an empty list."""
    assert error_of(server, READS[1][1], Answer(200, body)).reason == "unusable_answer"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/api/v1/../x",
        "/api/v1/pods?x=1",
        "/api/v1/pods#x",
        "/api/v1/%2e",
        "//evil.example.com/api",
        "/api/v1/pods/",
        "@x",
        "/metrics",
    ],
)
def test_nothing_is_sent_to_an_odd_path(server: FaultProxy, path: str) -> None:
    """Even where a path was built carelessly, nothing is sent to it."""
    server.play({})
    with pytest.raises(ApiError, match="path"):
        api_of(server).delete(path, {})
    assert server.count == 0


def test_what_is_sent(server: FaultProxy) -> None:
    """Requests say who asks, for what type, and in which type they are."""
    server.play(lambda call: Answer(200, b'{"items":[]}') if call.method == "GET" else FOUND)
    api = api_of(server, user_agent="scc-responder/test")
    api.list(api_paths.events("shop"), "involvedObject.uid=1-2")
    api.patch(POD, {"metadata": {"uid": "u"}}, dry_run=True)
    api.create(api_paths.pods("shop"), {"kind": "Pod"}, dry_run=True)
    api.delete(POD, {"preconditions": {"uid": "u"}}, dry_run=True)
    api.delete(POD, {"gracePeriodSeconds": 5})
    shared = {"accept": "application/json", "user-agent": "scc-responder/test", "authorization": "Bearer t"}
    assert [{name: call.headers.get(name) for name in shared} for call in server.calls] == [shared] * 5
    assert [(call.method, call.target, call.headers.get("content-type"), call.body) for call in server.calls] == [
        ("GET", "/api/v1/namespaces/shop/events?fieldSelector=involvedObject.uid%3D1-2&limit=250", None, b""),
        ("PATCH", f"{POD}?dryRun=All", "application/merge-patch+json", b'{"metadata": {"uid": "u"}}'),
        ("POST", "/api/v1/namespaces/shop/pods?dryRun=All", "application/json", b'{"kind": "Pod"}'),
        (
            "DELETE",
            f"{POD}?dryRun=All",
            "application/json",
            b'{"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "u"}, "dryRun": ["All"]}',
        ),
        ("DELETE", POD, "application/json", b'{"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 5}'),
    ]


class Tokens:
    """Gives out t1, t2, ... and counts. `refused`: the tokens that others were asked for in place of."""

    def __init__(self, prefix: str) -> None:
        self.given: list[str] = []
        self.refused: list[str] = []
        self._prefix = prefix

    def __call__(self, *refused: str) -> str:
        self.refused += refused
        self.given.append(f"{self._prefix}{len(self.given) + 1}")
        return self.given[-1]


def sent_tokens(server: FaultProxy) -> list[str]:
    """The tokens that came in."""
    return [call.headers.get("authorization", "") for call in server.calls]


def test_token_for_each_request(server: FaultProxy) -> None:
    """The token is asked for anew for each request, so that one that expires is replaced."""
    server.play({1: FOUND, 2: FOUND})
    api = api_of(server, Tokens("t"))
    api.get(POD)
    api.get(POD)
    assert sent_tokens(server) == ["Bearer t1", "Bearer t2"]


@each_call
def test_a_refused_token_is_renewed_only_once(server: FaultProxy, call: Operation) -> None:
    """A refused token is renewed once, no more; a request that was refused unread may be sent again."""
    renew = Tokens("r")
    refused = status(401, "Unauthorized")
    error = error_of(server, call, refused, refused, FOUND, token=Tokens("t"), renew=renew)
    assert (error.reason, sent_tokens(server)) == ("kubernetes_unauthenticated", ["Bearer t1", "Bearer r1"])
    assert (renew.given, renew.refused) == (["r1"], ["t1"])


def test_a_renewed_token_makes_the_request_succeed(server: FaultProxy) -> None:
    """With a renewed token the request succeeds."""
    server.play({1: status(401, "Unauthorized"), 2: FOUND})
    assert api_of(server, renew=Tokens("r")).get(POD)["kind"] == "Pod"


def test_a_client_certificate_sends_no_token(server: FaultProxy) -> None:
    """Without a token none is sent: a client certificate says who asks."""
    server.play({1: FOUND})
    api_of(server, lambda: "").get(POD)
    assert sent_tokens(server) == [""]


def test_token_provider_fails(server: FaultProxy) -> None:
    """Where no token is to be had, nothing is sent."""
    server.play({})

    def token() -> str:
        raise ApiError(Reason.TOKEN_REFUSED)

    with pytest.raises(ApiError, match="token_refused"):
        api_of(server, token).patch(POD, {})
    assert server.count == 0


def test_permission_is_named(server: FaultProxy) -> None:
    """A missing permission is named by resource, verb and namespace; other refusals name none."""
    forbidden = status(403, "Forbidden", "no")
    named = [error_of(server, call, forbidden).permission for _, call in READS + WRITES]
    assert named == [
        "pods: get in namespace shop",
        "networkpolicies.networking.k8s.io: list in namespace shop",
        "pods: patch in namespace shop",
        "pods: delete in namespace shop",
        "networkpolicies.networking.k8s.io: create in namespace shop",
    ]
    assert error_of(server, READS[0][1], status(409, "Conflict")).permission == ""


def test_server_message_is_tamed(server: FaultProxy) -> None:
    """What a server says is quoted in part, and cannot move a cursor, forge a line or hide text."""
    error = error_of(server, READS[0][1], status(409, "Conflict", "a\nb\x1b[2J\u202e" + "x" * 5000))
    assert str(error) == f"GET {POD}: HTTP 409: " + visible("a\nb\x1b[2J\u202e" + "x" * 5000, 300)
    assert "a\\u000ab\\u001b[2J\\u202exx" in str(error)
    assert str(error).isprintable()


def test_foreign_body_is_not_quoted(server: FaultProxy) -> None:
    """A body that is no Status is never quoted: it may be anything."""
    error = error_of(server, READS[0][1], Answer(403, b"<html>secret</html>"))
    assert (error.reason, str(error)) == ("kubernetes_forbidden", f"GET {POD}: HTTP 403")


def test_connection_is_kept(server: FaultProxy) -> None:
    """Requests one after another share a connection, also after an error that was answered."""
    before = server.connections
    server.play({1: FOUND, 2: status(404, "NotFound"), 3: FOUND})
    api = api_of(server)
    api.get(POD)
    with pytest.raises(ApiError):
        api.get(POD)
    api.get(POD)
    assert server.connections - before == 1


def test_reads_side_by_side(server: FaultProxy) -> None:
    """Eight reads at once run at once, and their connections are kept for the next eight."""
    together = threading.Barrier(8, timeout=10)

    def answer(call: Call) -> Answer:
        together.wait()
        return FOUND

    before = server.connections
    server.play(answer)
    api = api_of(server)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(2):
            assert [found["kind"] for found in pool.map(api.get, [POD] * 8)] == ["Pod"] * 8
    assert (server.count, server.connections - before) == (16, 8)


def test_the_proxy_changes_nothing_by_itself(cluster: SimulatedCluster) -> None:
    """Without a fault the proxy changes nothing."""
    with FaultProxy(cluster.url, None, {1: Delay(0.01, Forward())}) as proxy:
        api = api_of(proxy, lambda: cluster.token("responder"))
        assert api.get(api_paths.namespace("shop"))["metadata"]["name"] == "shop"


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1",
        "http://example.com:6443",
        "ftp://127.0.0.1",
        "https://",
        "https://user:pw@example.com",
        "https://example.com?x=1",
        "example.com",
        "",
    ],
)
def test_an_address_without_tls_is_refused(url: str) -> None:
    """Tokens go over TLS, or to this machine itself."""
    with pytest.raises(SettingsError, match="https"):
        connect(url, None, lambda: "t")


@pytest.mark.parametrize(
    "pem", [b"", b"rubbish", b"\xff", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_an_unusable_authority_never_means_public_ones(pem: bytes) -> None:
    """An empty or broken authority is an error, and never means the public ones."""
    with pytest.raises(SettingsError, match="PEM"):
        connect("https://192.0.2.1", pem, lambda: "t")
