"""A server of public keys on this machine, as Google serves its own: JSON by the key's name, over HTTP."""

from __future__ import annotations

import json
from abc import abstractmethod
from http.server import BaseHTTPRequestHandler

from tests.kits.loopback_server import LoopbackServer


class KeyServer(LoopbackServer):
    """Serves keys from `with` until its end. `asked` counts the requests for them, `status` is what they are told."""

    path: str
    """Where the keys are."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.asked += 1
                body = json.dumps(served.public_keys()).encode()
                self.send_response(served.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        super().__init__(Handler)

    @abstractmethod
    def public_keys(self) -> dict[str, str]:
        """The keys, in PEM by their names."""

    @property
    def address(self) -> str:
        """Where the public keys are."""
        return f"http://{self.endpoint}{self.path}"
