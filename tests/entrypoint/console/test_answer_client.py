"""An answer is sent to the function, and nothing of the token is ever told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from scc_responder.domain.errors import ResponderError, SettingsError
from scc_responder.entrypoint.console.answer_client import FunctionAnswer, send


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
    assert send(url, "approve", {"case": "c"}, "secret").status == 204
    path, headers, body = function.asked
    assert (path, body) == ("/approve", {"case": "c"})
    assert headers["Authorization"] == headers["X-Serverless-Authorization"] == "Bearer secret"


def test_without_a_token_none_is_sent(function: Any) -> None:
    """This machine may be trusted."""
    assert send(f"http://localhost:{function.server_address[1]}", "reject", {}, "").status == 204
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


TAKEN = {"answer": "approve", "case": "0a" * 6, "plan": "1b" * 32, "reason": "approved"}


@pytest.mark.parametrize(
    ("status", "body", "believed"),
    [
        pytest.param(200, json.dumps(TAKEN), True, id="what was asked"),
        pytest.param(204, "", False, id="a bare yes"),
        pytest.param(200, "<html>welcome</html>", False, id="a page of something else"),
        pytest.param(200, "{}", False, id="an empty object"),
        pytest.param(200, json.dumps(TAKEN | {"answer": "reject"}), False, id="the other answer"),
        pytest.param(200, json.dumps(TAKEN | {"case": "0b" * 6}), False, id="another case"),
        pytest.param(200, json.dumps(TAKEN | {"case": ""}), False, id="no case"),
        pytest.param(200, json.dumps(TAKEN | {"case": "0a"}), False, id="less than a case's id"),
        pytest.param(200, json.dumps(TAKEN | {"case": None}), False, id="a case that is no text"),
        pytest.param(200, json.dumps([TAKEN]), False, id="a list"),
        pytest.param(302, json.dumps(TAKEN), False, id="a redirect"),
        pytest.param(200, json.dumps(TAKEN | {"plan": "2c" * 32}), False, id="another plan"),
        pytest.param(503, json.dumps(TAKEN), False, id="a failure"),
    ],
)
def test_only_an_answer_that_says_what_it_did_is_believed(status: int, body: str, believed: bool) -> None:
    """With the case and the plan that were asked for."""
    assert FunctionAnswer(status=status, body=body.encode()).says("approve", "0a" * 32, "1b" * 4) is believed


@pytest.mark.parametrize(
    ("status", "body", "begun"),
    [(503, TAKEN, True), (503, TAKEN | {"answer": "reject"}, False), (200, TAKEN, False), (500, TAKEN, False)],
)
def test_what_is_begun_is_no_refusal(status: int, body: dict[str, str], begun: bool) -> None:
    """An approved plan of which a part is left open: the function says 503, and what it took."""
    answer = FunctionAnswer(status=status, body=json.dumps(body).encode())
    assert answer.says_begun("approve", "0a" * 32, "1b" * 4) is begun
    assert FunctionAnswer(status=status, body=b"").says_begun("approve", "0a" * 32, "1b" * 4) is False


def test_an_assertion_goes_in_a_header_of_its_own(function: Any) -> None:
    """What proves a person behind the caller goes beside the caller's token, and only where there is such."""
    url = f"http://127.0.0.1:{function.server_address[1]}/"
    send(url, "approve", {}, "secret", "assertion")
    assert function.asked[1]["x-scc-responder-assertion"] == "assertion"
    send(url, "approve", {}, "secret")
    assert "x-scc-responder-assertion" not in function.asked[1]


@pytest.mark.parametrize(
    ("status", "body", "is_untold"),
    [(204, b"", True), (403, b"<html>", False), (503, b"", False), (503, b"crashed", True), (504, b"", True)],
)
def test_an_error_on_the_way_says_nothing_of_the_answer(status: int, body: bytes, *, is_untold: bool) -> None:
    """What came after it was sent may have befallen a function that had taken it: only its own word is a refusal."""
    assert FunctionAnswer(status=status, body=body).is_untold is is_untold
