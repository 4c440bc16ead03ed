"""A log is read as it comes, within one time, and nothing that is no log is taken for one."""

from __future__ import annotations

import json
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.adapters.kubernetes.one_write import MOST_HEAD_BYTES
from scc_responder.domain.errors import ApiError, OutcomeUnknown
from scc_responder.domain.kubernetes import api_paths
from tests.kits.dribbling_server import dribbling
from tests.kits.fault_proxy import Answer, FaultProxy, Truncate

LOG = api_paths.pod_log("shop", "web-1")
POD = api_paths.pod("shop", "web-1")
SECONDS = 0.6
TEXT = {"Content-Type": "text/plain"}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


DRIPS = [
    pytest.param((HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n",), b"0", [b"one"], id="chunk-length"),
    pytest.param((HEAD + b"Transfer-Encoding: chunked\r\n\r\nffff\r\none",), b"x", [b"one"], id="chunk"),
    pytest.param((HEAD + b"Content-Length: 100000\r\n\r\none",), b"x", [b"one"], id="body"),
    pytest.param((HEAD + b"X-Slow: ",), b"x", [], id="header"),
    pytest.param((b"HTTP/1.1 200 ",), b"x", [], id="status-line"),
    pytest.param((HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\nX: ",), b"x", [b"one"], id="trailer"),
    pytest.param((b"HTTP/1.1 100 Continue\r\n\r\n",), b"HTTP/1.1 100 Continue\r\n\r\n", [], id="continue"),
]


@pytest.mark.parametrize(("parts", "then", "first"), DRIPS)
def test_a_dribbling_log_ends_in_time(parts: tuple[bytes, ...], then: bytes, first: list[bytes]) -> None:
    """From the request to the last byte it takes no longer than was asked for, wherever the bytes dribble."""
    with dribbling(*parts, then=then) as url:
        began, got = time.monotonic(), []
        with pytest.raises(ApiError) as caught:
            got.extend(connect(url, None, lambda: "t").read_log(LOG, container="web", seconds=SECONDS))
        took = time.monotonic() - began
    assert caught.value.reason == "timeout"
    assert took < SECONDS + 1.0


@pytest.mark.parametrize(("parts", "then", "first"), DRIPS)
def test_a_dribbling_object_ends_in_time(parts: tuple[bytes, ...], then: bytes, first: list[bytes]) -> None:
    """So does every other answer."""
    with dribbling(*parts, then=then) as url:
        began = time.monotonic()
        with pytest.raises(ApiError) as caught:
            connect(url, None, lambda: "t", timeout_seconds=SECONDS).get(POD)
    assert caught.value.reason == "timeout"
    assert time.monotonic() - began < SECONDS + 1.0


@pytest.mark.parametrize(("parts", "then", "first"), DRIPS)
def test_a_dribbling_answer_over_tls_ends_in_time(
    tmp_path: Path, parts: tuple[bytes, ...], then: bytes, first: list[bytes]
) -> None:
    """So does every one over TLS, whose records come byte by byte."""
    with dribbling(*parts, then=then, every=0.01, certificates=tmp_path) as url:
        began = time.monotonic()
        with pytest.raises(ApiError) as caught:
            connect(url, (tmp_path / "ca.pem").read_bytes(), lambda: "t", timeout_seconds=SECONDS).get(POD)
    assert caught.value.reason == "timeout"
    assert time.monotonic() - began < SECONDS + 1.0


def test_a_dribbling_handshake_ends_in_time() -> None:
    """So does one that never comes to its end."""
    with dribbling(b"\x16\x03\x03\x40\x00", then=b"\x02") as url:
        began = time.monotonic()
        with pytest.raises(ApiError) as caught:
            connect(url.replace("http:", "https:"), None, lambda: "t", timeout_seconds=SECONDS).patch(POD, {})
    assert caught.value.reason == "timeout"
    assert time.monotonic() - began < SECONDS + 1.0


@pytest.mark.parametrize("tls", [False, True])
def test_a_request_that_is_taken_byte_by_byte_ends_in_time(tmp_path: Path, *, tls: bool) -> None:
    """Nobody knows what came of it."""
    with dribbling(takes=1024, every=0.02, certificates=tmp_path if tls else None) as url:
        ca_pem = (tmp_path / "ca.pem").read_bytes() if tls else None
        api, began = connect(url, ca_pem, lambda: "t", timeout_seconds=SECONDS), time.monotonic()
        with pytest.raises(OutcomeUnknown):
            api.patch(POD, {"data": "x" * 16 * 1024 * 1024})
    assert time.monotonic() - began < SECONDS + 2.0


def test_an_endless_head_is_not_read_for_long() -> None:
    """What comes before an answer's body has a bound, however fast it comes."""
    more = b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000
    with dribbling(*[more] * 10) as url:
        began = time.monotonic()
        with pytest.raises(ApiError) as caught:
            connect(url, None, lambda: "t", timeout_seconds=30.0).get(POD)
    assert caught.value.reason == "cluster_unreachable"
    assert time.monotonic() - began < 10.0


def test_a_long_body_after_its_head_is_read_whole() -> None:
    """The bound of the head is not one of the body, also where the answer ends the connection."""
    body = json.dumps({"kind": "Pod", "data": "x" * 2 * MOST_HEAD_BYTES}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    with dribbling(head % len(body), body) as url:
        assert connect(url, None, lambda: "t").get(POD)["kind"] == "Pod"


def log_of(answer: object, renew: Callable[[str], str] | None = None, **options: object) -> tuple[bytes, FaultProxy]:
    """The log that a server gives whose answers are these, over TLS."""
    script = answer if isinstance(answer, dict) else {1: answer}
    with FaultProxy(script=script) as server:
        api = connect(server.url, server.ca_pem, lambda: "t", renew=renew)
        chosen = {"container": "web", "seconds": 10.0, **options}
        return b"".join(api.read_log(LOG, **chosen)), server  # type: ignore[arg-type]


def test_a_compressed_answer_is_as_large_as_what_it_becomes() -> None:
    """A megabyte may become a gigabyte: it is read no further than any other answer."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(packer.compress(b" " * 2**20) for _ in range(256)) + packer.flush()
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    tracemalloc.start()
    with dribbling(head, body) as url, pytest.raises(ApiError) as caught:
        connect(url, None, lambda: "t").get(POD)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (caught.value.reason, most < 64 * 2**20) == ("oversize_answer", True), most


def test_a_log_is_text_and_no_json() -> None:
    """What a container wrote is passed on as it is; the parameters stand in the query."""
    content, server = log_of(Answer(200, b'{"a":1}\n\xff', TEXT), previous=True, tail_lines=5, limit_bytes=100)
    assert content == b'{"a":1}\n\xff'
    assert server.calls[0].target == f"{LOG}?container=web&previous=true&tailLines=5&limitBytes=100"


STATUS = json.dumps({"kind": "Status", "reason": "BadRequest", "message": "container web is waiting to start"}).encode()
NO_LOGS = [
    pytest.param(Answer(400, STATUS), "bad_request", id="not-started"),
    pytest.param(Answer(200, STATUS, {"Content-Type": "application/json"}), "unusable_answer", id="status-with-200"),
    pytest.param(Answer(200, b"<html>", {"Content-Type": "text/html"}), "unusable_answer", id="a-front-ends-page"),
    pytest.param(Answer(500, b"x" * 10), "server_error", id="500"),
    pytest.param(Answer(302, b"", {"Location": "https://192.0.2.1/"}), "redirect_refused", id="redirect"),
    pytest.param(Answer(200, b"x" * 101, TEXT), "oversize_answer", id="more-than-asked-for"),
    pytest.param(Truncate(2, Answer(200, b"x" * 50, TEXT)), "cluster_unreachable", id="cut-off"),
]


@pytest.mark.parametrize(("answer", "reason"), NO_LOGS)
def test_what_is_no_log_is_an_error(answer: object, reason: str) -> None:
    """An answer that is no whole log is an error with a name."""
    with pytest.raises(ApiError) as caught:
        log_of(answer, limit_bytes=100)
    assert caught.value.reason == reason


def test_a_refused_token_is_renewed_for_a_log() -> None:
    """A log is asked for again with a renewed token."""
    content, server = log_of({1: Answer(401), 2: Answer(200, b"one\n", TEXT)}, renew=lambda _: "r")
    assert content == b"one\n"
    assert [call.headers["authorization"] for call in server.calls] == ["Bearer t", "Bearer r"]


def test_a_log_that_is_left_closes_its_connection() -> None:
    """Who has read enough lets go of the connection."""
    with dribbling(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n", then=b"3\r\ntwo\r\n") as url:
        pieces = connect(url, None, lambda: "t").read_log(LOG, container="web", follow=True, seconds=10.0)
        assert next(pieces) == b"one"
        pieces.close()  # type: ignore[attr-defined]
        assert list(pieces) == []
