"""What Google's emulators leave out: IAM before the Pub/Sub emulator, tokens, and of Cloud Storage what doctor asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import grpc
from google.iam.v1.iam_policy_pb2 import TestIamPermissionsRequest, TestIamPermissionsResponse

IAM = "/google.iam.v1.IAMPolicy/TestIamPermissions"


class PubSubWithIam:
    """The emulator with IAM in front. `held`: the caller's permissions on topics; `denied`: methods it may not call."""

    def __init__(self, upstream: str) -> None:
        self.held = {"pubsub.topics.publish"}
        self.denied: set[str] = set()
        self._channel = grpc.insecure_channel(upstream)
        self._server = grpc.server(ThreadPoolExecutor(8), handlers=(_Handler(self._answer),))
        self.host = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def _answer(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        if method == IAM:
            asked = TestIamPermissionsRequest.FromString(request).permissions
            return TestIamPermissionsResponse(permissions=self.held & set(asked)).SerializeToString()
        if method.rpartition("/")[2] in self.denied:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "User not authorized to perform this action.")
        try:
            return self._channel.unary_unary(method)(request, timeout=context.time_remaining())
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())
            raise

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(grace=0).wait(5)
        self._channel.close()


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, answer: Callable[[str, bytes, grpc.ServicerContext], bytes]) -> None:
        self._answer = answer

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = details.method
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._answer(method, request, context))


class Served:
    """A server on this machine, for as long as the block lasts."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.host = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class TokenInfo(Served):
    """Google's word on whose an access token is: `holders` by token, and whoever else asks is refused."""

    def __init__(self) -> None:
        self.holders: dict[str, str] = {}
        self.body: bytes | None = None
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                email = front.holders.get(self.headers["Authorization"].removeprefix("Bearer "))
                content = json.dumps({"email": email, "email_verified": "true"}).encode() if email else b"{}"
                self.send_response(200 if email else 400)
                content = content if front.body is None else front.body
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_request(self, code: object = "-", size: object = "-") -> None:
                """Keep quiet."""

        super().__init__(Handler)
        self.address = f"http://{self.host}/tokeninfo"


class IamCredentials(Served):
    """The IAM Credentials API: tokens of `accounts`, for whoever bears one of `creators`.

    `asked` are the accounts with the bearer and the lifetime; the nth token of one is `NAME-n`. `always`, where set, is
    the answer.
    """

    def __init__(self, *accounts: str) -> None:
        self.accounts = set(accounts)
        self.creators = {"stand-in"}
        self.asked: list[tuple[str, str, str]] = []
        self.expires = "2100-01-01T00:00:00Z"
        self.always: tuple[int, Any] | None = None
        super().__init__(self._handler())

    def answer(self, path: str, bearer: str, lifetime: str) -> tuple[int, Any]:
        """Status and body."""
        email = path.removeprefix("/v1/projects/-/serviceAccounts/").removesuffix(":generateAccessToken")
        self.asked.append((email, bearer, lifetime))
        if self.always:
            return self.always
        if bearer not in self.creators:
            return 403, _refusal(403, "Permission 'iam.serviceAccounts.getAccessToken' denied on resource.")
        if email not in self.accounts:
            return 404, _refusal(404, f"Not found; Gaia id not found for email {email}")
        return 200, {"accessToken": f"{email.partition('@')[0]}-{len(self.asked)}", "expireTime": self.expires}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                bearer = self.headers["Authorization"].removeprefix("Bearer ")
                status, body = front.answer(self.path, bearer, asked["lifetime"])
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_request(self, code: object = "-", size: object = "-") -> None:
                """Keep quiet."""

        return Handler


def _refusal(code: int, message: str, **details: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": [details] if details else []}}


class Storage(Served):
    """Cloud Storage's JSON API with one bucket: what one may do in it, and how long it keeps what is in it."""

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket
        self.held = {"storage.objects.create", "storage.buckets.get"}
        self.retention: dict[str, Any] = {"retentionPolicy": {"retentionPeriod": "31536000"}}
        self.requests: list[str] = []
        self.date = ""
        self.always: tuple[int, Any] | None = None
        super().__init__(self._handler())

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        self.requests.append(path)
        if self.always:
            return self.always
        if path.startswith(f"/storage/v1/b/{self.bucket}/iam/testPermissions?permissions="):
            asked = {path.partition("=")[2]}
            return 200, {"permissions": sorted(asked & self.held)} if asked & self.held else {}
        if path.startswith(f"/storage/v1/b/{self.bucket}?"):
            return (200, self.retention) if "storage.buckets.get" in self.held else (403, {})
        return 404, {}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        storage = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = storage.answer(self.path)
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return storage.date or super().date_time_string(timestamp)

            def log_request(self, code: object = "-", size: object = "-") -> None:
                """Keep quiet."""

        return Handler
