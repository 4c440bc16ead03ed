"""Cloud Run's Admin API v1 on this machine, as far as it tells the digests of a revision's images.

Source: Cloud Run Admin API v1, `namespaces.revisions.get`.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self

_ASKED = re.compile(r"/apis/serving\.knative\.dev/v1/namespaces/([a-z0-9.:-]+)/revisions/([a-z0-9-]+)")


class DigestsServer:
    """The server. `revisions` are the documents of revisions, by project and name; `token` is what it wants.

    `asked` are the names that were asked for; `answers` are bodies or statuses that the next requests get. Where it is
    `closed`, nobody may read a revision.
    """

    def __init__(self, token: str = "token-1") -> None:
        self.token = token
        self.revisions: dict[tuple[str, str], dict[str, Any]] = {}
        self.closed = False
        self.asked: list[str] = []
        self.answers: list[int | bytes] = []
        handler = type("Handler", (_Handler,), {"server_of": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.endpoint = f"127.0.0.1:{self._server.server_address[1]}"

    def add(self, revision: str, image_digest: str = "", project: str = "example-project", **containers: str) -> None:
        """Tell the digests of a revision: of its first container, and of each by its name."""
        statuses = [{"name": name, "imageDigest": digest} for name, digest in containers.items()]
        self.revisions[project, revision] = {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Revision",
            "metadata": {"name": revision, "namespace": project},
            "status": {"imageDigest": image_digest, "containerStatuses": statuses, "desiredReplicas": 1},
        }

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_of: ClassVar[DigestsServer]

    def do_GET(self) -> None:
        server, asked = self.server_of, _ASKED.fullmatch(self.path)
        server.asked.append(asked[2] if asked else self.path)
        given = server.answers.pop(0) if server.answers else 403 if server.closed else None
        if isinstance(given, bytes):
            self._answer(200, given)
        elif given or self.headers.get("Authorization") != f"Bearer {server.token}":
            self._answer(given or 401, b"{}")
        else:
            found = server.revisions.get((asked[1], asked[2])) if asked else None
            self._answer(200 if found else 404, json.dumps(found or {"error": {"code": 404}}).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class says so
        """Nothing is printed."""
