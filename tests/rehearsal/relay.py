"""The address that Pub/Sub pushes to: passes each request on to the function, and keeps when it came and its answer."""

from __future__ import annotations

from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

from tests.kits.loopback_server import LoopbackServer


class Delivery(NamedTuple):
    """One push: when it came, and the status it was answered with."""

    received: datetime
    status: int


class Relay(LoopbackServer):
    """From `with` until its end. `deliveries` are those that were answered, in order."""

    def __init__(self, port: int) -> None:
        self.deliveries: list[Delivery] = []
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received = datetime.now(UTC)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = relay.forward(port, body, self.headers.get_content_type())
                relay.deliveries.append(Delivery(received, status))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        super().__init__(Handler)

    @property
    def url(self) -> str:
        """Where it is pushed to."""
        return f"http://{self.endpoint}/"

    @staticmethod
    def forward(port: int, body: bytes, content_type: str) -> int:
        """The function's answer; 502 where it gives none, as Cloud Run answers then."""
        connection = HTTPConnection("127.0.0.1", port, timeout=150)
        try:
            connection.request("POST", "/", body, {"Content-Type": content_type})
            return connection.getresponse().status
        except OSError:
            return 502
        finally:
            connection.close()
