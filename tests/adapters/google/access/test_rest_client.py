"""A read over HTTP ends in time and within its size, and its token goes to nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep
from typing import Any

import pytest

from scc_responder.adapters.google.access.grpc_errors import ApiMethod
from scc_responder.adapters.google.access.rest_client import RestClient
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason

CALL = ApiMethod(api=Reason.ESSENTIAL_CONTACTS, permission="essentialcontacts.contacts.list")


class Numbers(RestClient):
    """Reads mappings of numbers."""

    call = CALL
    setting = "SCC_RESPONDER_CONTACTS_ENDPOINT"

    def numbers(self, url: str) -> dict[str, int]:
        """What the address has."""
        return self._read(url, dict[str, int])


@contextmanager
def answering(status: int, *pieces: bytes, location: str = "") -> Iterator[tuple[str, list[str]]]:
    """A server that answers so, a piece each fifth of a second; its address, and the tokens that it was given."""
    tokens: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tokens.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Location", location)
            self.send_header("Content-Length", str(sum(map(len, pieces))))
            self.end_headers()
            for piece in pieces:
                try:
                    self.wfile.write(piece)
                except OSError:
                    return
                sleep(0.2 if len(pieces) > 1 else 0)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class says so
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", tokens
    finally:
        server.shutdown()
        server.server_close()


def read(url: str, seconds: float = 5.0, most: int = 100) -> dict[str, int]:
    """What is read within these bounds."""
    client = Numbers(token=lambda: "token-1", timeout_seconds=seconds)
    client.most_bytes = most
    return client.numbers(url)


def test_the_json_of_a_success_is_read() -> None:
    """As the type that is wanted, with the token of the caller."""
    with answering(200, b'{"a": 1}') as (url, tokens):
        assert read(url) == {"a": 1}
    assert tokens == ["Bearer token-1"]


def test_the_permission_is_named_where_it_is_what_is_missing() -> None:
    """Of any other status the number is the reason."""
    for status, permission in ((403, CALL.permission), (404, ""), (500, "")):
        with answering(status, b"{}") as (url, _), pytest.raises(ApiError) as caught:
            read(url)
        assert (caught.value.status, caught.value.permission) == (status, permission)


def test_no_redirect_is_followed() -> None:
    """Whoever it names is given no token."""
    with answering(200, b'{"a": 1}') as (other, given):
        with answering(302, b"", location=other) as (url, _), pytest.raises(ApiError, match="HTTP 302"):
            read(url)
        assert given == []


def test_an_answer_that_drips_ends_in_time() -> None:
    """To its last byte."""
    began = monotonic()
    with answering(200, *[b" "] * 40) as (url, _), pytest.raises(ApiError, match="no answer") as caught:
        read(url, seconds=0.5)
    assert caught.value.reason == "essential_contacts_unreachable"
    assert monotonic() - began < 6.0


def test_an_answer_that_is_too_large_is_none() -> None:
    """By one byte."""
    body = b'{"a": 1}'
    with answering(200, body) as (url, _):
        assert read(url, most=len(body)) == {"a": 1}
        with pytest.raises(ApiError) as caught:
            read(url, most=len(body) - 1)
    assert caught.value.reason == "essential_contacts_too_large"
