"""A request goes out once, and ends: by an answer, by an error that keeps the address, or by the time."""

from __future__ import annotations

import gzip
import logging
import time
from pathlib import Path

import pytest

from scc_responder.adapters.messaging.secret_address import web_address
from scc_responder.adapters.messaging.web_post import MOST_ANSWER_BYTES, WebAnswer, post_refusal, web_post
from scc_responder.domain.errors import ApiError, OutcomeUnknown
from tests.adapters.messaging.test_secret_address import SECRET, everything_said
from tests.kits.dribbling_server import dribbling
from tests.kits.web_service import Says, web_service

OK = b"HTTP/1.1 200 OK\r\n"
STALLS = {
    "silence": ((), b""),
    "a-head-without-an-end": ((OK,), b"X-A: b\r\n"),
    "a-body-without-an-end": ((OK, b"Content-Length: 1000000\r\n\r\n"), b"x"),
    "chunks-without-an-end": ((OK, b"Transfer-Encoding: chunked\r\n\r\n"), b"1\r\nx\r\n"),
    "continue-without-an-end": ((), b"HTTP/1.1 100 Continue\r\n\r\n"),
}


def posted_to(url: str, seconds: float = 5.0) -> WebAnswer:
    """The answer to a small request."""
    return web_post(web_address(f"{url}/{SECRET}", "hook"), b"{}", {"X-Key": SECRET}, timeout_seconds=seconds)


def test_a_success_is_answered_whole() -> None:
    """Status, headers in lower case, and body; the request came as it was meant."""
    with web_service(lambda _: Says(201, b"yes", {"X-Request-Id": "r1"})) as service:
        answer = posted_to(service.url)
    assert (answer.status, answer.body, answer.headers["x-request-id"]) == (201, b"yes", "r1")
    (request,) = service.posted
    assert (request.path, request.body, request.headers["x-key"]) == (f"/{SECRET}", b"{}", SECRET)


REFUSALS = {
    "too-many": (Says(429, headers={"Retry-After": "17"}), 429, 17.0, True),
    "for-ever": (Says(429, headers={"Retry-After": "9" * 400}), 429, 3600.0, True),
    "by-a-date": (Says(503, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), 503, 0.0, True),
    "failing": (Says(500), 500, 0.0, True),
    "bad-request": (Says(400), 400, 0.0, False),
    "forbidden": (Says(403), 403, 0.0, False),
    "gone": (Says(410), 410, 0.0, False),
    "elsewhere": (Says(302, headers={"Location": "/other"}), 302, 0.0, False),
    "elsewhere-for-good": (Says(308, headers={"Location": "http://169.254.169.254/"}), 308, 0.0, False),
}


@pytest.mark.parametrize(("says", "status", "wait", "may_pass"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_whether_it_may_pass(says: Says, status: int, wait: float, *, may_pass: bool) -> None:
    """One request is made, a redirect is not followed, and nothing of address, key or answer is said."""
    with (
        web_service(lambda _: Says(says.status, SECRET.encode(), says.headers)) as service,
        pytest.raises(ApiError) as raised,
    ):
        posted_to(service.url)
    error = raised.value
    assert (error.status, error.retry_after_seconds, error.may_pass) == (status, wait, may_pass)
    assert error.reason == f"receiver_status_{status}"
    assert len(service.posted) == 1
    assert SECRET not in everything_said(error)


@pytest.mark.parametrize(("parts", "then"), STALLS.values(), ids=STALLS)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_server_that_never_ends_costs_its_time_alone(
    parts: tuple[bytes, ...], then: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, tls: bool
) -> None:
    """From the first byte to the last; whether it took the request is not known then."""
    if tls:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with dribbling(*parts, then=then, certificates=tmp_path if tls else None) as url:
        begun = time.monotonic()
        with pytest.raises(OutcomeUnknown) as raised:
            posted_to(url, 0.5)
        took = time.monotonic() - begun
    assert took < 2.0
    assert raised.value.may_pass
    assert raised.value.reason == "receiver_no_answer"
    assert SECRET not in everything_said(raised.value)


def test_an_answer_without_an_end_is_not_kept() -> None:
    """A fast one is cut by its size."""
    with web_service(lambda _: Says(200, b"x" * (MOST_ANSWER_BYTES + 1))) as service, pytest.raises(OutcomeUnknown):
        posted_to(service.url)


def test_a_certificate_of_nobody_is_refused(tmp_path: Path) -> None:
    """Nothing was sent, so nothing was taken."""
    with dribbling(OK, b"Content-Length: 0\r\n\r\n", certificates=tmp_path) as url, pytest.raises(ApiError) as raised:
        posted_to(url)
    assert raised.value.reason == "receiver_unreachable"
    assert not isinstance(raised.value, OutcomeUnknown)


def test_nobody_there_may_pass() -> None:
    """The error says no address, nor does any logger."""
    with web_service() as service:
        url = service.url
    with pytest.raises(ApiError) as raised:
        posted_to(url)
    assert (raised.value.reason, raised.value.may_pass) == ("receiver_unreachable", True)
    assert SECRET not in everything_said(raised.value)


@pytest.mark.parametrize("host", ["hook.invalid", "a..invalid", f"{'a' * 64}.invalid"])
def test_a_name_that_is_no_host_may_pass(host: str) -> None:
    """Unknown, with an empty label, with one that is too long: nothing was sent, and the error does not say it."""
    with pytest.raises(ApiError) as raised:
        posted_to(f"https://{host}")
    assert (raised.value.reason, raised.value.may_pass) == ("receiver_unreachable", True)
    assert "invalid" not in everything_said(raised.value)


def test_a_packed_answer_is_not_unpacked() -> None:
    """A few bytes that would be gigabytes stay a few bytes."""
    packed = gzip.compress(b"x" * 50_000_000)
    with web_service(lambda _: Says(200, packed, {"Content-Encoding": "gzip"})) as service:
        assert posted_to(service.url).body == packed


def test_no_logger_says_the_address(caplog: pytest.LogCaptureFixture) -> None:
    """Not even at the level of debugging, of any library."""
    caplog.set_level(logging.DEBUG)
    with web_service() as service:
        posted_to(service.url)
    assert SECRET not in caplog.text


def test_a_word_of_the_service_is_the_reason() -> None:
    """Where a service says why, in a word that was checked."""
    error = post_refusal(404, said="channel_not_found")
    assert (error.reason, error.may_pass) == ("receiver_channel_not_found", False)
