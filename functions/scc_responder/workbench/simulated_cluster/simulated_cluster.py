"""The simulated cluster as its users see it: an address, tokens, fixtures, and the audit log.

with SimulatedCluster() as cluster:
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    api = connect(cluster.url, cluster.ca_pem, lambda: cluster.token("responder"))
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import msgspec

from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.controllers import Controllers
from scc_responder.workbench.simulated_cluster.server.kubelet_logs import OpenLog
from scc_responder.workbench.simulated_cluster.server.objects import Admission, Objects, admit_all, now, target_to
from scc_responder.workbench.simulated_cluster.server.rbac import Identities
from scc_responder.workbench.simulated_cluster.server.request import Api, AuditEvent, SimulatedRequest
from scc_responder.workbench.simulated_cluster.server.resources import BY_KIND, RequestTarget

_BODY_LIMIT = 3 * 1024 * 1024
_LOOKS_SECONDS = 0.02
"""How often a followed log is looked at."""


class SimulatedCluster:
    """A cluster on 127.0.0.1, without TLS, from `start` (or `with`) until `stop`.

    Pods take `stop_seconds` to stop, and their objects go `linger_seconds` later (see `Controllers`).
    `admission` may refuse updates with a text. `clock` gives the server's time.
    Each answer takes `delay_seconds`, as over a network.
    """

    ca_pem: bytes | None = None

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = now,
        admission: Admission = admit_all,
        stop_seconds: float = 0.05,
        linger_seconds: float | None = None,
        port: int = 0,
        delay_seconds: float = 0.0,
    ) -> None:
        self._objects = Objects(clock, admission)
        self._controllers = Controllers(self._objects, clock, stop_seconds, linger_seconds)
        self._identities = Identities()
        self._api = Api(self._objects, self._controllers, self._identities, clock)
        self._server = _Server(port, self._api, delay_seconds)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def audit(self) -> Sequence[AuditEvent]:
        """Every request answered until now, in order."""
        return tuple(self._api.audit)

    def token(self, user: str) -> str:
        """The bearer token of `responder`, `reader`, `undo`, or of any other name, who may do everything."""
        return self._identities.token(user)

    def serve(self, *kinds: str) -> None:
        """Install kinds that a cluster serves on request, such as `FQDNNetworkPolicy`."""
        with self._api.alone():
            self._api.served |= set(kinds)

    def create(self, manifest: Mapping[str, Any]) -> ApiObject:
        """Store an object as a cluster's owner would, and let the controllers react. Raises Refusal."""
        (target,) = self.create_all([manifest])
        with self._api.alone():
            return self._objects.get(target)

    def create_all(self, manifests: Iterable[Mapping[str, Any]]) -> list[RequestTarget]:
        """Store all of them, and let the controllers react once. Raises Refusal."""
        with self._api.alone():
            created = [self._objects.create(_collection(manifest), dict(manifest)) for manifest in manifests]
            self._controllers.settle()
        return [*map(target_to, created)]

    def objects(self, kind: str, namespace: str = "") -> list[ApiObject]:
        """What is there now, of one kind, in one namespace or in all."""
        with self._api.alone():
            self._controllers.settle()
            return self._objects.of_kind(kind, namespace)

    def write_log(self, pod: ApiObject, container: str, content: bytes, *, previous: bool = False) -> None:
        """Let a container of a pod write to its log. `previous`: its run before the last restart did."""
        with self._api.alone():
            self._api.logs.write(pod, container, content, previous=previous)

    def stop_pods(self) -> None:
        """Let every pod that is to stop have stopped by now."""
        with self._api.alone():
            self._controllers.stop_now()
            self._controllers.settle()

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and let go of the port."""
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()


def _collection(manifest: Mapping[str, Any]) -> RequestTarget:
    namespace = manifest.get("metadata", {}).get("namespace", "")
    return RequestTarget(resource=BY_KIND[manifest["kind"]], namespace=namespace)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, api: Api, delay_seconds: float) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.api = api
        self.delay_seconds = delay_seconds
        self.closing = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that ends its connection: whoever has read enough of a log does."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _BODY_LIMIT:
            self.send_error(413)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = SimulatedRequest(method=self.command, uri=self.path, headers=headers, body=self.rfile.read(length))
        time.sleep(self.server.delay_seconds)
        code, body = self.server.api.answer(call)
        if isinstance(body, OpenLog):
            self._send_log(body)
            return
        content = msgspec.json.encode(body)
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_log(self, log: OpenLog) -> None:
        """Send a log in chunks, as it comes."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        is_over = False
        while not is_over and not self.server.closing.is_set():
            content, is_over = self.server.api.more(log)
            if content:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
                self.wfile.flush()
            elif not is_over:
                self.server.closing.wait(_LOOKS_SECONDS)
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *arguments: object) -> None:
        """Print nothing: the audit log has it."""
