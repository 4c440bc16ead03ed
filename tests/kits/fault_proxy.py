"""A TLS-terminating proxy in front of an API server that does harm on cue, and remembers what it was sent.

    with FaultProxy(plane.url, plane.ca_pem.encode(), {3: Break(forward=True)}) as proxy:
        api = connect(proxy.url, proxy.ca_pem, lambda: plane.token("responder"))

The third request then reaches the API server, and its answer is lost. Without an upstream every answer is scripted.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.cluster.certificates import ADDRESSES, NAMES, write_certificates

_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Forward:
    """Pass the request on, and the answer back."""


@dataclass(frozen=True)
class Answer:
    """Answer in the upstream's place, without asking it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Break:
    """End the connection without an answer: by a reset, or an orderly close. `forward` passes the request on first."""

    forward: bool
    reset: bool = True


@dataclass(frozen=True)
class Delay:
    """Wait, then do something else. `then` is done even if the client has gone."""

    seconds: float
    then: Fault = field(default_factory=Forward)


@dataclass(frozen=True)
class Stall:
    """Say nothing until the proxy ends. `forward` passes the request on first."""

    forward: bool = False


@dataclass(frozen=True)
class Truncate:
    """Pass the request on, announce the whole answer, and end the connection after some bytes of its body."""

    length: int
    of: Answer | None = None


@dataclass(frozen=True)
class Drip:
    """Send an answer's body in pieces, waiting between them."""

    pieces: tuple[bytes, ...]
    seconds: float


@dataclass(frozen=True)
class Rewrite:
    """Pass the request on, and answer what `change` makes of the answer: what is then said is not true."""

    change: Callable[[Answer], Answer]


Fault = Forward | Answer | Break | Delay | Stall | Truncate | Drip | Rewrite


@dataclass(frozen=True)
class Call:
    """One request as it came in: `number` counts from 1, `target` is path and query, `headers` are lower-case."""

    number: int
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Script = Mapping[int, Fault] | Callable[[Call], Fault]


class FaultProxy:
    """`script` says what to do with each call, by its number or by a function of it; the rest is forwarded.

    With `ask_certificate` only clients with `certificate_pem` and `key_pem` are served. Its certificate is for
    `names` and `addresses`.
    """

    def __init__(
        self,
        upstream: str = "",
        upstream_ca_pem: bytes | None = None,
        script: Script | None = None,
        *,
        tls: bool = True,
        ask_certificate: bool = False,
        names: Sequence[str] = NAMES,
        addresses: Sequence[str] = ADDRESSES,
    ) -> None:
        self.upstream = urlsplit(upstream)
        self.trust = _trust(upstream_ca_pem)
        self.over = threading.Event()
        self.calls: list[Call] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._script: Script = script or {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.ca_pem, self.certificate_pem, self.key_pem = (
            _certify(self._server, ask_certificate, names, addresses) if tls else (None, b"", b"")
        )
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def count(self) -> int:
        """How many requests came in."""
        return len(self.calls)

    def play(self, script: Script) -> None:
        """Start over: count from 1 again, by another script."""
        with self._lock:
            self.calls.clear()
            self._script = script

    def connected(self) -> None:
        """Count a connection. `connections` is never reset."""
        with self._lock:
            self.connections += 1

    def take(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[Call, Fault]:
        """Count a request, and say what to do with it."""
        with self._lock:
            call = Call(len(self.calls) + 1, method, target, headers, body)
            self.calls.append(call)
            script = self._script
        return call, script(call) if callable(script) else script.get(call.number, Forward())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    proxy: FaultProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are this server's trade."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server
    upstream: http.client.HTTPConnection | None = None

    def setup(self) -> None:
        """Count the connection."""
        super().setup()
        self.server.proxy.connected()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call, fault = self.server.proxy.take(self.command, self.path, headers, body)
        self._do(call, fault)

    def _do(self, call: Call, fault: Fault) -> None:
        match fault:
            case Forward():
                self._send(self._forward(call))
            case Answer():
                self._send(fault)
            case Break(forward=forward, reset=reset):
                if forward:
                    self._forward(call)
                self._end(reset=reset)
            case Delay(seconds=seconds, then=then):
                self.server.proxy.over.wait(seconds)
                self._do(call, then)
            case Stall(forward=forward):
                if forward:
                    self._forward(call)
                self.server.proxy.over.wait()
                self._end(reset=False)
            case Truncate() | Drip() | Rewrite():
                self._spoil(call, fault)

    def _spoil(self, call: Call, fault: Truncate | Drip | Rewrite) -> None:
        """Send an answer in half, slowly, or untrue."""
        match fault:
            case Truncate(length=length, of=of):
                answer = of or self._forward(call)
                self._send(answer, body=answer.body[:length])
                self._end(reset=False)
            case Drip(pieces=pieces, seconds=seconds):
                self._drip(pieces, seconds)
            case Rewrite(change=change):
                self._send(change(self._forward(call)))

    def _forward(self, call: Call) -> Answer:
        proxy = self.server.proxy
        if self.upstream is None:
            place = (proxy.upstream.hostname, proxy.upstream.port)
            secure = proxy.upstream.scheme == "https"
            self.upstream = (
                http.client.HTTPSConnection(*place, context=proxy.trust)
                if secure
                else http.client.HTTPConnection(*place)
            )
        headers = {name: value for name, value in call.headers.items() if name not in _HOP_BY_HOP}
        self.upstream.request(call.method, call.target, call.body or None, headers)
        response = self.upstream.getresponse()
        return Answer(response.status, response.read(), dict(response.getheaders()))

    def _send(self, answer: Answer, body: bytes | None = None) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body if body is None else body)
        self.wfile.flush()

    def _drip(self, pieces: tuple[bytes, ...], seconds: float) -> None:
        self.send_response_only(200)
        self.send_header("Content-Length", str(sum(map(len, pieces))))
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            self.server.proxy.over.wait(seconds)

    def _end(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            socket.socket(fileno=self.connection.detach()).close()

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle  # noqa: N815 - the names that http.server calls

    def finish(self) -> None:
        """Let go of the upstream too."""
        if self.upstream is not None:
            self.upstream.close()
        super().finish()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def _trust(ca_pem: bytes | None) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca_pem.decode() if ca_pem else None)


def _certify(
    server: _Server, ask_certificate: bool, names: Sequence[str], addresses: Sequence[str]
) -> tuple[bytes, bytes, bytes]:
    """Serve TLS with a certificate of an authority made for this server: authority, certificate and key, as PEM."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_certificates(folder, names=names, addresses=addresses)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        if ask_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(folder / "ca.pem")
        # The handshake is left to the connection's own thread: a client that refuses it must not stop the others.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        ca_pem, certificate_pem, key_pem = (
            (folder / file).read_bytes() for file in ("ca.pem", "server.pem", "server.key")
        )
        return ca_pem, certificate_pem, key_pem
