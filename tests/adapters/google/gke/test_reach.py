"""Each way to an API server, over real TLS: whom it trusts, what it sends, and how every failure ends."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from scc_responder.adapters.google.gke.gke_clusters import GkeClusters
from scc_responder.collect.endpoints import EndpointKind
from scc_responder.domain.errors import ApiError, OutcomeUnknown
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.ports import KubernetesApi
from tests.adapters.google.access.test_credentials import Credentials, token_of
from tests.kits.fault_proxy import Answer, Break, FaultProxy, Stall
from tests.kits.google.clusters import (
    DNS_NAME,
    GATEWAY,
    GATEWAY_PATH,
    MEMBERSHIP,
    PRIVATE,
    PUBLIC,
    described,
    dns_endpoint,
    ip_endpoints,
)
from tests.kits.google.grpc_servers import ClusterManagerServer, cluster
from tests.kits.google.name_resolution import NameResolution

REF = ClusterRef(project="example-project", location="europe-west1", name="prod-1")
POD = api_paths.pod("shop", "web-1")
FOUND = Answer(200, b'{"kind":"Pod","metadata":{"name":"web-1"}}')
TOKEN = "ya29.not-a-real-token"
SHORT = 0.4


@dataclass(frozen=True)
class Way:
    """One way to the API server: what GKE says of the cluster, the host it leads to, and whose certificate it has."""

    kind: EndpointKind
    host: str
    description: dict[str, Any]
    prefix: str = ""
    is_public: bool = True

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """What its server's certificate is for."""
        return {"names": (self.host,), "addresses": ()} if self.is_public else {"names": (), "addresses": (self.host,)}


DNS = Way(EndpointKind.DNS_ENDPOINT, DNS_NAME, {"dns": dns_endpoint()})
CONNECT_GATEWAY = Way(EndpointKind.CONNECT_GATEWAY, GATEWAY, {"membership": MEMBERSHIP}, GATEWAY_PATH)
PUBLIC_IP = Way(EndpointKind.PUBLIC_IP, PUBLIC, {"ip": ip_endpoints(public=PUBLIC)}, is_public=False)
PRIVATE_IP = Way(EndpointKind.PRIVATE_IP, PRIVATE, {"ip": ip_endpoints(private=PRIVATE)}, is_public=False)
WAYS = (DNS, CONNECT_GATEWAY, PUBLIC_IP, PRIVATE_IP)
each_way = pytest.mark.parametrize("way", [pytest.param(way, id=way.kind) for way in WAYS])
front_ends = pytest.mark.parametrize("way", [pytest.param(way, id=way.kind) for way in (DNS, CONNECT_GATEWAY)])


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[EndpointKind, FaultProxy]]:
    """For each way a server whose certificate is for its host, each signed by an authority of its own."""
    with ExitStack() as stack:
        yield {way.kind: stack.enter_context(FaultProxy(**way.names)) for way in WAYS}


class Reached:
    """A cluster that is reached by one way, over a GKE API and a server on this machine."""

    def __init__(self, way: Way, server: FaultProxy, gke: ClusterManagerServer, folder: Path) -> None:
        self.way, self.server, self.gke = way, server, gke
        self.folder = folder
        self.token: Any = lambda: TOKEN
        self.timeout_seconds = 5.0
        self.ports = {way.host: port_of(server) for way in WAYS}
        self.trusting(server)

    def trusting(self, server: FaultProxy, *, public: FaultProxy | None = None) -> None:
        """Let the cluster's authority be that of `server`, and the only public one too, unless it is another's."""
        authority = server.ca_pem or b""
        self.gke.clusters[REF.path] = cluster(described(**self.way.description, ca_pem=authority))
        (self.folder / "public.pem").write_bytes((public or server).ca_pem or b"")

    def clusters(self) -> GkeClusters:
        """The adapter, which asks the GKE API first."""
        self.resolution = NameResolution(self.ports, self.timeout_seconds)
        anywhere = {"connect_gateway": True, "vpc_egress": True}
        return GkeClusters(endpoint=self.gke.endpoint, token=self.token, connect=self.resolution, **anywhere)

    def api(self) -> KubernetesApi:
        """The API server."""
        return self.clusters().connect(REF)

    def error(self, *answers: Any, write: bool = False) -> ApiError:
        """How a request ends that is answered like this."""
        self.server.play(dict(enumerate(answers, start=1)))
        api = self.api()
        with pytest.raises(ApiError) as caught:
            api.patch(POD, {"metadata": {}}) if write else api.get(POD)
        return caught.value


def port_of(server: FaultProxy) -> int:
    return int(server.url.rpartition(":")[2])


@pytest.fixture
def reached(
    way: Way,
    servers: dict[EndpointKind, FaultProxy],
    cluster_manager: ClusterManagerServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Reached:
    """A cluster that is reached by the test's way; the authority of its server is the one that is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "public.pem"))  # OpenSSL's own way to name public authorities
    servers[way.kind].play({})
    return Reached(way, servers[way.kind], cluster_manager, tmp_path)


@each_way
def test_the_right_authority_is_trusted(reached: Reached) -> None:
    """A request goes to the host that GKE names, below the gateway's path where it is one, and carries the token."""
    reached.server.play({1: FOUND})
    assert reached.api().get(POD)["metadata"]["name"] == "web-1"
    call = reached.server.calls[0]
    assert [endpoint.kind for endpoint in reached.resolution.endpoints] == [reached.way.kind]
    assert (call.headers["host"], call.target) == (reached.way.host, f"{reached.way.prefix}{POD}")
    assert call.headers["authorization"] == f"Bearer {TOKEN}"


@each_way
def test_another_authority_is_not_trusted(reached: Reached) -> None:
    """The cluster's authority does not vouch for Google's front ends, nor a public one for a cluster's address."""
    with FaultProxy(**reached.way.names) as other:
        if reached.way.is_public:
            reached.trusting(reached.server, public=other)
        else:
            reached.trusting(other, public=reached.server)
        error = reached.error(FOUND)
    assert (error.reason, reached.server.count) == ("untrusted_certificate", 0)


@each_way
def test_a_certificate_for_another_name_is_not_trusted(reached: Reached) -> None:
    """The right authority may have signed others' certificates: nothing is sent to those."""
    with FaultProxy() as other:
        reached.trusting(other)
        reached.ports[reached.way.host] = port_of(other)
        error = reached.error(FOUND)
        assert (error.reason, other.connections, other.count) == ("untrusted_certificate", 1, 0)


@each_way
def test_the_token_leaves_encrypted_or_not_at_all(reached: Reached) -> None:
    """What a listener without a certificate is sent has no token in it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=overhear, args=(listener, heard))
        thread.start()
        reached.ports[reached.way.host] = listener.getsockname()[1]
        error = reached.error()
        thread.join(10)
    assert error.reason == "cluster_unreachable"
    assert heard[0].startswith(b"\x16\x03")  # a TLS handshake
    assert TOKEN.encode() not in b"".join(heard)
    assert b"Bearer" not in b"".join(heard)


def overhear(listener: socket.socket, heard: list[bytes]) -> None:
    """Accept one connection, answer in plaintext, and keep all that is sent."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(5)
        heard.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        while more := received(connection):
            heard.append(more)


def received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


@each_way
@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_refused(reached: Reached, code: int) -> None:
    """Nobody sends our token elsewhere."""
    with FaultProxy(tls=False) as trap:
        error = reached.error(Answer(code, headers={"Location": f"{trap.url}/x"}))
        assert (error.reason, error.status, reached.server.count, trap.count) == ("redirect_refused", code, 1, 0)


@each_way
def test_no_proxy_is_taken_from_the_environment(reached: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS_PROXY and its like do not decide where tokens go."""
    with FaultProxy(tls=False) as trap:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, trap.url)
        reached.server.play({1: FOUND})
        assert reached.api().get(POD)["kind"] == "Pod"
        assert trap.connections == 0


@each_way
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_a_stall_is_bounded(reached: Reached, write: bool) -> None:
    """A server that never answers is given up; a write that it was sent may have been made."""
    reached.timeout_seconds = SHORT
    began = time.monotonic()
    error = reached.error(Stall(), write=write)
    assert (error.reason, type(error)) == ("timeout", OutcomeUnknown if write else ApiError)
    assert time.monotonic() - began < 10 * SHORT
    assert str(reached.way.kind) in str(error)


@each_way
def test_a_stalled_handshake_is_bounded(reached: Reached) -> None:
    """A server that accepts connections and says nothing is given up before anything is sent to it."""
    reached.timeout_seconds = SHORT
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reached.ports[reached.way.host] = listener.getsockname()[1]
        began = time.monotonic()
        error = reached.error()
    assert error.reason in {"timeout", "cluster_unreachable"}
    assert time.monotonic() - began < 10 * SHORT


REMEDY = {
    EndpointKind.DNS_ENDPOINT: "VPC Service Controls",
    EndpointKind.CONNECT_GATEWAY: "fleet membership",
    EndpointKind.PUBLIC_IP: "authorised networks",
    EndpointKind.PRIVATE_IP: "route to the control plane",
}


@each_way
def test_an_unreachable_cluster_is_named(reached: Reached) -> None:
    """The way that was tried, its host, and what may be wrong with it stand in the error; a write is certain too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reached.ports[reached.way.host] = listener.getsockname()[1]
    error = reached.error(write=True)
    assert (error.reason, error.status, type(error)) == ("cluster_unreachable", 0, ApiError)
    assert all(word in str(error) for word in (reached.way.kind, reached.way.host, REMEDY[reached.way.kind]))


@each_way
def test_a_refused_token_is_renewed_once(reached: Reached) -> None:
    """A token that was revoked early costs one more request; a second refusal is final."""
    refused = status(401, "Unauthorized")
    reached.token = token_of(Credentials("first", "second", "third"))
    error = reached.error(refused, refused, FOUND)
    assert (error.reason, error.status) == ("kubernetes_unauthenticated", 401)
    assert sent(reached.server) == ["Bearer first", "Bearer second"]


@each_way
def test_requests_that_are_refused_together_renew_the_token_once(reached: Reached) -> None:
    """Reads run side by side, and each of them is answered."""
    together = threading.Barrier(8, timeout=10)

    def answer(call: Any) -> Answer:
        if call.headers["authorization"] == "Bearer second":
            return FOUND
        together.wait()
        return status(401, "Unauthorized")

    reached.token = token_of(Credentials("first", "second"))
    reached.server.play(answer)
    api = reached.api()
    with ThreadPoolExecutor(8) as pool:
        assert [found["kind"] for found in pool.map(api.get, [POD] * 8)] == ["Pod"] * 8
    assert sorted(sent(reached.server)) == ["Bearer first"] * 8 + ["Bearer second"] * 8


def status(code: int, reason: str = "", message: str = "") -> Answer:
    """An API server's refusal."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message}
    return Answer(code, json.dumps({**body, "code": code}).encode())


def sent(server: FaultProxy) -> list[str]:
    """The tokens that came in."""
    return [call.headers.get("authorization", "") for call in server.calls]


GOOGLE_JSON = Answer(403, b'{"error": {"code": 403, "message": "denied", "status": "PERMISSION_DENIED"}}')
GOOGLE_HTML = Answer(403, b"<!DOCTYPE html><title>Error 403 (Forbidden)!!1</title>")
GOOGLE_TEXT = Answer(403, b"Permission 'container.clusters.connect' denied on resource (or it may not exist).")
VERBS = {"get": "get", "patch": "patch", "post": "create", "delete": "delete"}


@front_ends
@pytest.mark.parametrize("answer", [GOOGLE_JSON, GOOGLE_HTML, GOOGLE_TEXT], ids=["json", "html", "text"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_refusal_by_a_front_end_names_the_iam_permission(reached: Reached, answer: Answer, verb: str) -> None:
    """Before RBAC is asked, IAM is: which of the two said no is told apart, and what to grant is named."""
    reached.server.play({1: answer})
    arguments = {"get": (POD,), "post": (api_paths.pods("shop"), {})}.get(verb, (POD, {}))
    api = reached.api()
    with pytest.raises(ApiError) as caught:
        getattr(api, VERBS[verb])(*arguments)
    permission = "container.clusters.connect" if reached.way is DNS else f"gkehub.gateway.{verb}"
    assert (caught.value.reason, caught.value.permission) == ("endpoint_forbidden", permission)
    assert caught.value.status == 403


@front_ends
@pytest.mark.parametrize("permission", ["container.clusters.connect", "gkehub.gateway.get", "gkehub.memberships.get"])
def test_the_permission_that_a_front_end_names_is_believed(reached: Reached, permission: str) -> None:
    """Where the refusal is in the form of an API server's, its own words say what is missing."""
    error = reached.error(status(403, "Forbidden", f"Permission '{permission}' denied on resource '//x' (or ...)."))
    assert (error.reason, error.permission) == ("endpoint_forbidden", permission)


RBAC = 'pods "web-1" is forbidden: User "r" cannot get resource "pods": requires one of ["container.pods.get"]'


@each_way
def test_a_refusal_by_rbac_stays_one(reached: Reached) -> None:
    """The API server's own refusal names the RBAC permission, whatever way it was asked by."""
    error = reached.error(status(403, "Forbidden", RBAC))
    assert (error.reason, error.permission) == ("kubernetes_forbidden", "pods: get in namespace shop")


@pytest.mark.parametrize("way", [pytest.param(way, id=way.kind) for way in (PUBLIC_IP, PRIVATE_IP)])
def test_an_address_has_no_front_end(reached: Reached) -> None:
    """No IAM permission is asked for where no front end could want one."""
    assert reached.error(GOOGLE_HTML).reason == "kubernetes_forbidden"


DOUBTED = [
    pytest.param(Break(forward=False), id="reset"),
    pytest.param(Stall(), id="stall"),
    pytest.param(status(401, "Unauthorized"), id="401"),
    pytest.param(Answer(404, b"404 page not found"), id="404 of a front end"),
    pytest.param(Answer(302, headers={"Location": "https://192.0.2.1/"}), id="redirect"),
]
KEPT = [
    pytest.param(status(404, "NotFound"), id="404 of an object"),
    pytest.param(status(403, "Forbidden", RBAC), id="403"),
    pytest.param(status(409, "Conflict"), id="409"),
    pytest.param(status(429, "TooManyRequests"), id="429"),
    pytest.param(status(500, "InternalError"), id="500"),
]


def asked_after(reached: Reached, answer: Answer) -> tuple[int, int]:
    """How often GKE was asked: by a finding that met this answer and was described after that, and by the next too."""
    reached.timeout_seconds = SHORT
    reached.server.play({1: answer})
    clusters = reached.clusters()
    with pytest.raises(ApiError):
        clusters.connect(REF).get(POD)
    clusters.describe(REF)
    asked = len(reached.gke.requests)
    clusters.connect(REF)
    clusters.describe(REF)
    clusters.connect(REF)
    return asked, len(reached.gke.requests)


@each_way
@pytest.mark.parametrize("answer", DOUBTED)
def test_a_way_that_led_nowhere_is_looked_up_again(reached: Reached, answer: Answer) -> None:
    """The next finding does not wait ten minutes for a change that was made to the cluster meanwhile."""
    assert asked_after(reached, answer) == (1, 2)


@front_ends
@pytest.mark.parametrize("answer", [GOOGLE_JSON, GOOGLE_HTML], ids=["json", "html"])
def test_a_way_that_was_closed_is_looked_up_again(reached: Reached, answer: Answer) -> None:
    """A DNS endpoint that was closed to external traffic answers 403: GKE knows what is open now."""
    assert asked_after(reached, answer) == (1, 2)


@each_way
@pytest.mark.parametrize("answer", KEPT)
def test_an_answer_of_the_api_server_speaks_for_the_way(reached: Reached, answer: Answer) -> None:
    """A storm of refusals in a cluster does not become one of questions to GKE."""
    assert asked_after(reached, answer) == (1, 1)


@each_way
def test_one_question_to_gke_serves_a_whole_finding(reached: Reached) -> None:
    """Description, connection and every request cost GetCluster once."""
    reached.server.play(lambda _call: FOUND)
    clusters = reached.clusters()
    for _ in range(3):
        clusters.describe(REF)
        clusters.connect(REF).get(POD)
    assert (reached.gke.requests, reached.server.count) == ([REF.path], 3)


@pytest.mark.parametrize("way", [pytest.param(DNS, id="dns_endpoint")])
def test_a_doubt_outlives_a_question_that_failed(reached: Reached) -> None:
    """Where GKE cannot be asked just now, the old way is not taken for good."""
    reached.server.play({1: GOOGLE_HTML})
    clusters = reached.clusters()
    with pytest.raises(ApiError):
        clusters.connect(REF).get(POD)
    reached.gke.fail_next(grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(ApiError) as caught:
        clusters.connect(REF)
    assert caught.value.reason == "gke_unavailable"
    clusters.connect(REF)
    assert len(reached.gke.requests) == 3


@pytest.mark.parametrize("way", [pytest.param(DNS, id="dns_endpoint")])
def test_the_next_way_is_taken_once_gke_says_so(reached: Reached, servers: dict[EndpointKind, FaultProxy]) -> None:
    """A cluster whose DNS endpoint is closed is reached by its address from the next finding on."""
    address = servers[EndpointKind.PUBLIC_IP]
    address.play({1: FOUND})
    reached.server.play({1: GOOGLE_HTML})
    reached.ports[PUBLIC] = port_of(address)
    clusters = reached.clusters()
    with pytest.raises(ApiError):
        clusters.connect(REF).get(POD)
    moved = described(**PUBLIC_IP.description, ca_pem=address.ca_pem or b"")
    reached.gke.clusters[REF.path] = cluster(moved)
    assert clusters.connect(REF).get(POD)["kind"] == "Pod"
    assert (reached.server.count, address.count) == (1, 1)
