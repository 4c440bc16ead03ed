"""The metadata server of one service on this machine: it says who the service is, to whomever it asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.kits.google.issuer import Issuer

_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default/"


class MetadataServer:
    """From `with` until its end. `audiences` are those it was asked for; `stands_for` gives another in place of one."""

    def __init__(self, issuer: Issuer, email: str, stands_for: Mapping[str, str]) -> None:
        self.audiences: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked, body, kind = urlsplit(self.path), b"", "text/plain"
                if self.headers["Metadata-Flavor"] == "Google" and asked.path == f"{_ACCOUNT}identity":
                    (audience,) = parse_qs(asked.query)["audience"]
                    server.audiences.append(audience)
                    body = issuer.token(email, aud=stands_for.get(audience, audience)).encode()
                elif asked.path == _ACCOUNT:
                    body, kind = json.dumps({"email": email, "aliases": ["default"]}).encode(), "application/json"
                self.send_response(200 if body or asked.path == "/" else 404)
                self.send_header("Metadata-Flavor", "Google")
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def environment(self) -> dict[str, str]:
        """How Google's libraries find it."""
        host = f"127.0.0.1:{self._server.server_port}"
        return {"GCE_METADATA_HOST": host, "GCE_METADATA_IP": host}

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
