"""The metadata server of one service on this machine: it says who the service is, to whomever it asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.kits.google.issuer import Issuer
from tests.kits.loopback_server import LoopbackServer

_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default/"


class MetadataServer(LoopbackServer):
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

        super().__init__(Handler)

    @property
    def environment(self) -> dict[str, str]:
        """How Google's libraries find it."""
        return {"GCE_METADATA_HOST": self.endpoint, "GCE_METADATA_IP": self.endpoint}
