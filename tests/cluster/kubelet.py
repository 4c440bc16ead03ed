"""The part of a kubelet that kwok does not play: it gives out the logs of its node's containers."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.cluster.control_plane import ControlPlane

LINES = ("listening on :8080", "GET / 200")
"""What every container wrote."""


class LogKubelet:
    """Answers `/containerLogs/...` over TLS, from `with` until its end. The API server takes any certificate."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        folder = plane.ca_file.parent
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    def serve(self, node: str) -> None:
        """Let the API server ask here for the logs of this node's containers."""
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._server.server_port}},
        }
        self._plane.admin.patch(f"/api/v1/nodes/{node}/status", {"status": status})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        address = urlsplit(self.path)
        found = address.path.startswith("/containerLogs/")
        stamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z " if "timestamps" in parse_qs(address.query) else ""
        body = "".join(f"{stamp}{line}\n" for line in LINES).encode() if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""
