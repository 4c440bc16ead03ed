"""One mail, handed to a mail server over TLS within a time."""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Sequence
from enum import StrEnum
from http.client import HTTPException
from typing import Any

from scc_responder.adapters.kubernetes.one_write import MOST_HEAD_BYTES, TimedSocket, TimedTlsSocket
from scc_responder.domain.errors import ApiError, OutcomeUnknown
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value


class MailSecurity(StrEnum):
    """How a mail server is spoken to."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"
    """Without encryption: on this machine alone."""


class MailServer(Value, frozen=True, kw_only=True):
    """A mail server and who sends by it. Its repr says nothing of it."""

    host: str
    port: int
    security: MailSecurity
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return "MailServer(...)"


class Mail(Value, frozen=True, kw_only=True):
    """A mail as it goes over the line, with its envelope. Those whom it is `also` for keep nobody from having it."""

    sender: str
    to: tuple[str, ...]
    also: tuple[str, ...] = ()
    content: bytes


def send_mail(server: MailServer, mail: Mail | None, *, timeout_seconds: float) -> None:
    """Hand it over within so many seconds, the connection included. Without a mail the server is only greeted.

    Raises ApiError where the server refused it, or any of `to`; OutcomeUnknown where it may have taken
    it. Neither says an address, nor what the server said.
    """
    session, trouble = _Session(server, time.monotonic() + timeout_seconds), None
    try:
        session.open()
        refused = session.hand_over(mail) if mail else {}
        codes = [code for address, (code, _) in refused.items() if mail and address in mail.to]
        # The others have it: said again, they would have it all day.
        trouble = _refused(codes, lasting=422) if codes else None
    except (OSError, ValueError, HTTPException, smtplib.SMTPException) as error:  # a name that is no host's
        trouble = _failure(error, sent=session.is_sending)
    finally:
        session.end()
    if trouble:  # raised out here: the error of the library would go along, and quotes addresses
        raise trouble


class _Session:
    def __init__(self, server: MailServer, until: float) -> None:
        self._server = server
        self._until = until
        self._client: Any = None
        self.is_sending = False

    def open(self) -> None:
        """Connect, encrypt, and say who sends."""
        server, left = self._server, max(0.01, self._until - time.monotonic())
        timed = type("_Timed", (_Client,), {"until": self._until, "trust": self._trust()})
        encrypted = type("_TimedTls", (_TlsClient,), {"until": self._until, "trust": self._trust()})
        kind = encrypted if server.security is MailSecurity.TLS else timed
        self._client = kind(server.host, server.port, local_hostname="scc-responder.invalid", timeout=left)
        if server.security is MailSecurity.STARTTLS:
            self._client.starttls(context=self._trust())
        if server.user:
            self._client.login(server.user, server.password)
        self._client.ehlo_or_helo_if_needed()

    def hand_over(self, mail: Mail) -> dict[str, tuple[int, bytes]]:
        """Send it; what is returned are those whom the server refused."""
        self.is_sending = True
        refused: dict[str, tuple[int, bytes]] = self._client.sendmail(mail.sender, [*mail.to, *mail.also], mail.content)
        return refused

    def end(self) -> None:
        """Close the connection, without a word that could be waited for."""
        if self._client is not None:
            self._client.close()

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        kind = type("_Socket", (TimedTlsSocket,), {"read_until": self._until, "head_left": MOST_HEAD_BYTES})
        context.sslsocket_class = kind
        return context


class _Client(smtplib.SMTP):
    """A client whose socket ends all reads by one moment."""

    until: float
    trust: ssl.SSLContext

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        plain = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        timed = TimedSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        timed.settimeout(timeout)
        timed.read_until, timed.head_left = self.until, MOST_HEAD_BYTES
        return timed


class _TlsClient(_Client):
    """The same, encrypted from the first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        return self.trust.wrap_socket(super()._get_socket(host, port, timeout), server_hostname=host)


def _failure(error: Exception, *, sent: bool) -> ApiError:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _refused([code for code, _ in error.recipients.values()])
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code > 0:
        return _refused([error.smtp_code], lasting=422 if isinstance(error, smtplib.SMTPDataError) else 403)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return ApiError(Reason.RECEIVER.of("no_starttls_or_login"), "the mail server lacks what is needed", status=403)
    kind = OutcomeUnknown if sent else ApiError
    return kind(Reason.RECEIVER.of("no_answer" if sent else "unreachable"), f"no answer: {type(error).__name__}")


def _refused(codes: Sequence[int], lasting: int = 403) -> ApiError:
    """The error for replies of SMTP: 4yz may pass, 5yz does not. Source: RFC 5321, 4.2.1.

    `lasting` is the status for 5yz: 422 where this very mail is refused, or some have it; 403 where it is who sends or
    who gets mails, which somebody may set right.
    """
    code = max(codes)
    message = f"the mail server refused it with reply {code}"
    return ApiError(Reason.RECEIVER.of(f"smtp_{code}"), message, status=503 if code < 500 else lasting)
