"""A mail server on this machine that speaks SMTP as aiosmtpd has it, with TLS and a login, and keeps what it takes."""

from __future__ import annotations

import json
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tests.cluster.certificates import write_certificates

USER, PASSWORD = "responder", "s3cr3t-p4ssw0rd"


class MailBox:
    """What came, and what the server answers: `reply` to a mail, `recipient` to those whom it is for, by address."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.raw: list[bytes] = []
        self.reply = "250 taken"
        self.recipient: dict[str, str] = {}
        self.port = 0

    def address(self, *to: str) -> str:
        """A secret by which the receiver `email` writes to these people by this server, over TLS."""
        server = {"host": "127.0.0.1", "port": self.port, "security": "tls", "user": USER, "password": PASSWORD}
        return json.dumps({**server, "sender": "responder@example.com", "to": to})

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        said = self.recipient.get(address, "250 ok")
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.reply.startswith("250"):
            content = bytes(envelope.content)
            self.raw.append(content)
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
            self.mails.append(message_from_bytes(content, policy=default))  # type: ignore[arg-type]
        return self.reply


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


@contextmanager
def mail_server(certificates: Path, *, starttls: bool = False) -> Iterator[MailBox]:
    """The server, with TLS from the first byte or by STARTTLS; the folder `certificates` gets `ca.pem`."""
    certificates.mkdir(exist_ok=True)
    write_certificates(certificates, names=("localhost",), addresses=("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    box = MailBox()
    login = {"authenticator": _login, "auth_required": True}

    class Server(Controller):
        def factory(self) -> SMTP:
            # Over TLS from the first byte the session is encrypted, which aiosmtpd does not know.
            more = {"tls_context": context, "require_starttls": True} if starttls else {"auth_require_tls": False}
            with warnings.catch_warnings(action="ignore"):
                return SMTP(box, hostname="mail.invalid", **login, **more)

        def _trigger_server(self) -> None:
            self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
            super()._trigger_server()

    server = Server(box, hostname="127.0.0.1", port=0, **({} if starttls else {"ssl_context": context}))
    server.start()
    box.port = server.port
    try:
        yield box
    finally:
        server.stop()
