"""Two ways to break the Firestore emulator's answers: call by call, and connection by connection.

`FaultyFirestore` speaks gRPC and can refuse a call, keep silent, or lose the answer of a call that was carried out.
`FaultyConnections` passes HTTP/2 on frame by frame and can reset a connection, in the midst of an answer too, or let
it go silent as a forgotten one does. Each is a context manager with a `host` for the store's `emulator`.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import grpc

SILENT_SECONDS = 30.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_PREFACE = 24
_DATA, _HEADERS = 0, 1


@dataclass(frozen=True)
class Refuse:
    """The call never reaches the server: this code is the answer."""

    code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE


@dataclass(frozen=True)
class Lose:
    """The call is carried out, and this code takes the place of its answer."""

    code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE


@dataclass(frozen=True)
class Stall:
    """No answer comes. `forward`: the call is carried out all the same."""

    forward: bool = False


@dataclass(frozen=True)
class Cut:
    """The call is carried out, and its stream is reset: of several messages, after the first."""


CallFault = Refuse | Lose | Stall | Cut
CallScript = Mapping[int, CallFault] | Callable[[int, str], CallFault | None]


class FaultyFirestore:
    """A gRPC server before the emulator's. `script`: what to do with each call, by its number from 1, or by a function.

    `calls` are the methods that were called, in order.
    """

    def __init__(self, upstream: str, script: CallScript | None = None) -> None:
        self.calls: list[str] = []
        self._script: CallScript = script or {}
        self._lock = threading.Lock()
        options = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
        self._channel = grpc.insecure_channel(upstream, options=options)
        self._server = grpc.server(ThreadPoolExecutor(32), options=options, handlers=(_Handler(self),))
        self.host = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def play(self, script: CallScript) -> None:
        """Start over: count from 1 again, by another script."""
        with self._lock:
            self.calls.clear()
            self._script = script

    def take(self, method: str) -> CallFault | None:
        """Count a call, and say what is to become of it."""
        with self._lock:
            self.calls.append(method)
            number, script = len(self.calls), self._script
        return script(number, method) if callable(script) else script.get(number)

    def unary(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        """A call with one answer."""
        return next(self.stream(method, request, context))

    def stream(self, method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        """A call with any number of answers."""
        fault = self.take(method.rpartition("/")[2])
        match fault:
            case Refuse(code=code):
                context.abort(code, "refused by the test")
            case Stall(forward=False):
                _wait_for_the_caller_to_leave(context)
        answers: list[bytes] = []
        refusal = None
        try:
            answers = self._forwarded(method, request, context)
        except grpc.RpcError as error:
            refusal = error
        match fault:
            case Lose(code=code):
                context.abort(code, "the answer was lost by the test")
            case Stall():
                _wait_for_the_caller_to_leave(context)
            case Cut():
                yield from answers[:1] if len(answers) > 1 else ()
                context.cancel()
        if refusal is not None:
            context.abort(refusal.code(), refusal.details())
        yield from answers

    def _forwarded(self, method: str, request: bytes, context: grpc.ServicerContext) -> list[bytes]:
        metadata = [(key, value) for key, value in context.invocation_metadata() if key.startswith("x-goog")]
        if method.endswith("/Commit"):
            return [self._channel.unary_unary(method)(request, metadata=metadata, timeout=SILENT_SECONDS)]
        return list(self._channel.unary_stream(method)(request, metadata=metadata, timeout=SILENT_SECONDS))

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.stop(0).wait()
        self._channel.close()


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, proxy: FaultyFirestore) -> None:
        self._proxy = proxy

    def service(self, details: Any) -> grpc.RpcMethodHandler:
        method = details.method
        if method.endswith("/Commit"):
            return grpc.unary_unary_rpc_method_handler(
                lambda request, context: self._proxy.unary(method, request, context)
            )
        return grpc.unary_stream_rpc_method_handler(
            lambda request, context: self._proxy.stream(method, request, context)
        )


def _wait_for_the_caller_to_leave(context: grpc.ServicerContext) -> None:
    left = threading.Event()
    if context.add_callback(left.set):
        left.wait(SILENT_SECONDS)
    context.abort(grpc.StatusCode.CANCELLED, "nobody waits any more")


@dataclass(frozen=True)
class Reset:
    """The connection is reset: before the request goes on, or where `forward`, in the midst of its answer."""

    forward: bool = False


@dataclass(frozen=True)
class Silence:
    """The connection goes silent for good, and stays open."""


ConnectionFault = Reset | Silence


class FaultyConnections:
    """A TCP proxy before the emulator. `script`: what becomes of the connection at each request, by number from 1.

    With `refuses`, connections are reset as soon as they come.
    """

    def __init__(self, upstream: str, script: Mapping[int, ConnectionFault] | None = None) -> None:
        host, _, port = upstream.rpartition(":")
        self._upstream = (host, int(port))
        self.script = dict(script or {})
        self.refuses = False
        self.requests = 0
        self.connections = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[_Connection] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def take(self) -> ConnectionFault | None:
        """Count a request, and say what is to become of its connection."""
        with self._lock:
            self.requests += 1
            return self.script.get(self.requests)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.refuses:
                    _reset(client)
                    continue
                self.connections += 1
                connection = _Connection(self, client, socket.create_connection(self._upstream))
                self._open.append(connection)
                connection.start()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        # `accept` of another thread is woken by `shutdown` alone.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for connection in self._open:
            connection.close()


class _Connection:
    """One thread for both ways: a socket that another thread reads from cannot be reset."""

    def __init__(self, proxy: FaultyConnections, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._fault: ConnectionFault | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join(5)

    def _run(self) -> None:
        with self._client, self._server, suppress(OSError, EOFError):
            self._server.sendall(_exactly(self._client, _PREFACE))
            while not self._over.is_set() and self._fault != Silence():
                for end in select.select([self._client, self._server], [], [], 0.05)[0]:
                    self._up() if end is self._client else self._down()
            self._over.wait()

    def _up(self) -> None:
        kind, _, frame = _frame(self._client)
        if kind == _HEADERS and self._fault is None:
            self._fault = self._proxy.take()
            if self._fault == Reset():
                self._reset()
        if self._fault != Silence():
            self._server.sendall(frame)

    def _down(self) -> None:
        kind, stream, frame = _frame(self._server)
        if self._fault == Reset(forward=True) and stream and kind in {_DATA, _HEADERS}:
            self._client.sendall(frame[: len(frame) // 2])
            self._reset()
        self._client.sendall(frame)

    def _reset(self) -> None:
        _reset(self._client)
        raise EOFError


def _frame(source: socket.socket) -> tuple[int, int, bytes]:
    """The next HTTP/2 frame: its type, its stream and all of it."""
    head = _exactly(source, 9)
    return head[3], int.from_bytes(head[5:9]) & 0x7FFFFFFF, head + _exactly(source, int.from_bytes(head[:3]))


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _reset(end: socket.socket) -> None:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    end.close()
