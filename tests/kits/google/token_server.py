"""A server of a Google API on this machine that answers whoever has its token, and what a test wants in between."""

from __future__ import annotations

import json
from abc import abstractmethod
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

from tests.kits.loopback_server import LoopbackServer


class TokenServer(LoopbackServer):
    """Base of a server. `token` is what it wants, `asked` is what it was asked for.

    `answers` are bodies or statuses that the next requests get.
    """

    def __init__(self, token: str = "token-1") -> None:
        self.token = token
        self.asked: list[str] = []
        self.answers: list[int | bytes] = []
        super().__init__(type("Handler", (_Handler,), {"server_of": self}))

    @abstractmethod
    def answer(self, target: str) -> tuple[str, int, Any]:
        """What a path with its query asks for, and the status and the document that it gets."""


class _Handler(BaseHTTPRequestHandler):
    server_of: ClassVar[TokenServer]

    def do_GET(self) -> None:
        server = self.server_of
        name, status, document = server.answer(self.path)
        server.asked.append(name)
        given = server.answers.pop(0) if server.answers else None
        if isinstance(given, bytes):
            self._answer(200, given)
        elif given or self.headers.get("Authorization") != f"Bearer {server.token}":
            self._answer(given or 401, b"{}")
        else:
            self._answer(status, json.dumps(document).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class says so
        """Nothing is printed."""
