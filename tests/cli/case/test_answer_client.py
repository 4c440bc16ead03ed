"""An answer is sent to the function, and nothing of the token is ever told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from scc_responder.cli.case.answer_client import send
from scc_responder.domain.errors import ResponderError, SettingsError


class Function(BaseHTTPRequestHandler):
    """Answers 204, and keeps what it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked = (self.path, dict(self.headers), json.loads(body))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def function() -> Iterator[Any]:
    """The function on this machine; `asked` is what it was sent."""
    server = HTTPServer(("127.0.0.1", 0), Function)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_answer_carries_the_token_twice(function: Any) -> None:
    """Cloud Run takes its own, and leaves the other to the function."""
    url = f"http://127.0.0.1:{function.server_address[1]}/"
    assert send(url, "approve", {"case": "c"}, "secret") == 204
    path, headers, body = function.asked
    assert (path, body) == ("/approve", {"case": "c"})
    assert headers["Authorization"] == headers["X-Serverless-Authorization"] == "Bearer secret"


def test_without_a_token_none_is_sent(function: Any) -> None:
    """This machine may be trusted."""
    assert send(f"http://localhost:{function.server_address[1]}", "reject", {}, "") == 204
    assert "Authorization" not in function.asked[1]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://function.example.com", "plaintext_url"),
        ("ftp://127.0.0.1", "invalid_url"),
        ("https://ann@example.com", "invalid_url"),
        ("https://", "invalid_url"),
        ("https://example.com:port", "invalid_url"),
        ("http://[::1", "invalid_url"),
    ],
)
def test_an_unusable_address_is_refused(url: str, reason: str) -> None:
    """Before anything is sent."""
    with pytest.raises(SettingsError) as caught:
        send(url, "approve", {}, "secret")
    assert caught.value.reason == reason


@pytest.mark.parametrize("token", ["secret", "secret\n"])
def test_no_answer_never_quotes_the_token(token: str) -> None:
    """Nobody listens, or the header cannot be sent: the message names the address alone."""
    with pytest.raises(ResponderError, match="did not answer") as caught:
        send("http://127.0.0.1:9", "approve", {}, token)
    assert caught.value.reason == "no_answer"
    assert "secret" not in str(caught.value)
