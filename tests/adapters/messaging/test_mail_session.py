"""A mail server that never ends its words costs its time alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scc_responder.adapters.messaging.mail_session import Mail, MailSecurity, MailServer, send_mail
from scc_responder.domain.errors import ApiError
from tests.adapters.messaging.test_secret_address import SECRET, everything_said
from tests.kits.dribbling_server import dribbling

MAIL = Mail(sender="a@example.com", to=("b@example.com",), content=b"Subject: x\r\n\r\nx\r\n")
STALLS = {
    "silence": ((), b""),
    "a-greeting-without-an-end": ((), b"220-x\r\n"),
    "a-line-without-an-end": ((), b"2"),
    "words-without-an-end": ((b"220 hello\r\n",), b"250-x\r\n"),
}


def server(url: str, security: MailSecurity) -> MailServer:
    """A server at this address, with a password."""
    host, _, port = url.rpartition("//")[2].partition(":")
    return MailServer(host=host, port=int(port), security=security, user="u", password=SECRET)


@pytest.mark.parametrize(("parts", "then"), STALLS.values(), ids=STALLS)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_mail_server_that_never_ends_costs_its_time(
    parts: tuple[bytes, ...], then: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, tls: bool
) -> None:
    """From the connection to the last word; the error says nothing of who sends."""
    if tls:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with dribbling(*parts, then=then, every=0.002, takes=0, certificates=tmp_path if tls else None) as url:
        begun = time.monotonic()
        with pytest.raises(ApiError) as raised:
            send_mail(server(url, MailSecurity.TLS if tls else MailSecurity.NONE), MAIL, timeout_seconds=0.5)
        took = time.monotonic() - begun
    assert took < 2.5
    assert raised.value.may_pass
    assert SECRET not in everything_said(raised.value)


def test_a_server_without_encryption_gets_no_password() -> None:
    """Where STARTTLS is asked for and not offered, nothing more is said."""
    words = b"220 hello\r\n250 mail.invalid\r\n250 mail.invalid\r\n"
    with dribbling(words, takes=0) as url, pytest.raises(ApiError) as raised:
        send_mail(server(url, MailSecurity.STARTTLS), MAIL, timeout_seconds=1.0)
    assert raised.value.reason == "receiver_no_starttls_or_login"
    assert (raised.value.may_pass, raised.value.status) == (False, 403)


NOWHERE = ("mail.invalid", "a..invalid", f"{'a' * 64}.invalid")


@pytest.mark.parametrize("host", NOWHERE, ids=["unknown", "empty-label", "long-label"])
def test_a_name_that_is_no_host_may_pass(host: str) -> None:
    """Nothing was sent; somebody mends the name, or its zone."""
    place = MailServer(host=host, port=25, security=MailSecurity.TLS, user="u", password=SECRET)
    with pytest.raises(ApiError) as raised:
        send_mail(place, MAIL, timeout_seconds=1.0)
    assert (raised.value.reason, raised.value.may_pass) == ("receiver_unreachable", True)
    assert "invalid" not in everything_said(raised.value)


def test_nobody_there_may_pass() -> None:
    """The connection was refused: nothing was sent."""
    with dribbling() as url:
        place = server(url, MailSecurity.NONE)
    with pytest.raises(ApiError) as raised:
        send_mail(place, MAIL, timeout_seconds=1.0)
    assert (raised.value.reason, raised.value.may_pass) == ("receiver_unreachable", True)
    assert SECRET not in repr(place)
