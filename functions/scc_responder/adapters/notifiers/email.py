"""Receiver `email`: a mail to each of a list, and to the contacts of a notice; one thread an incident.

Its secret: `{"host": "smtp.example.com", "port": 465, "security": "tls", "user": "", "password": "", "sender":
"responder@example.com", "to": ["oncall@example.com"]}`; `security` may be `starttls`. Source: RFC 5321, 5322, 3834.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from scc_responder.adapters.messaging.card_page import card_page
from scc_responder.adapters.messaging.secret_address import SecretFields, secret_fields, unusable
from scc_responder.domain.clock import utc_now
from scc_responder.domain.notices.routed_notice import MAIL_ADDRESS, RoutedNotice
from scc_responder.domain.ports import Receiver
from scc_responder.domain.resource_names import is_this_machine
from scc_responder.domain.text import visible
from scc_responder.journal.account.notice_card import NoticeCard, notice_card

MAIL_SECONDS = 15.0
_NAME = "email"
_FORM = (
    '{"host": "smtp.example.com", "port": 465, "security": "tls" (or "starttls"), "user": ..., "password": (ASCII), '
    '"sender": "responder@example.com", "to": ["oncall@example.com"]}'
)
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}", re.ASCII)
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.@-]{1,300}>", re.ASCII)
_SUBJECT_BYTES = 150
_MOST_PEOPLE = 20


class _Secret(SecretFields, frozen=True, kw_only=True):
    host: str
    port: int
    security: str
    sender: str
    to: list[str]
    user: str = ""
    password: str = ""


def receiver(address: str, now: Callable[[], datetime] = utc_now, seconds: float = MAIL_SECONDS) -> Receiver:
    """The people. Raises SettingsError for a secret that is none."""
    fields = secret_fields(_Secret, address, _NAME, _FORM)
    is_sayable = f"{fields.user}{fields.password}".isascii()  # smtplib logs in with nothing else
    is_secure = fields.security in {"tls", "starttls"} or (fields.security == "none" and is_this_machine(fields.host))
    has_people = 0 < len(fields.to) <= _MOST_PEOPLE and all(map(MAIL_ADDRESS.fullmatch, [fields.sender, *fields.to]))
    if not (is_secure and is_sayable and has_people and _HOST.fullmatch(fields.host) and 0 < fields.port < 65536):
        raise unusable(_NAME, _FORM)
    return Email(fields, now, seconds)


class Email:
    """`ports.Receiver` on one mail server."""

    def __init__(self, fields: _Secret, now: Callable[[], datetime], seconds: float) -> None:
        self.fields = fields
        self._now = now
        self._seconds = seconds

    def send(self, routed: RoutedNotice) -> str:
        """Hand it to the mail server. The receipt is `Message-ID` and subject of the thread's first mail."""
        from scc_responder.adapters.messaging import mail_session  # noqa: PLC0415 - not before the first mail

        fields, number = self.fields, self._message_id(routed.id)
        contacts = [address for address in routed.contacts if MAIL_ADDRESS.fullmatch(address)]
        also = tuple(contacts[: _MOST_PEOPLE - len(fields.to)])
        server = mail_session.MailServer(
            host=fields.host,
            port=fields.port,
            security=mail_session.MailSecurity(fields.security),
            user=fields.user,
            password=fields.password,
        )
        made = self._message(notice_card(routed), routed, number, also)
        mail = mail_session.Mail(sender=fields.sender, to=tuple(fields.to), also=also, content=made.as_bytes())
        mail_session.send_mail(server, mail, timeout_seconds=self._seconds)
        return routed.receipt or f"{number} {made['Subject']}"

    def _message_id(self, name: str) -> str:
        """The same for the same notice: a mailbox shows it once."""
        return f"<{hashlib.sha256(name.encode()).hexdigest()[:40]}@{self.fields.sender.rpartition('@')[2]}>"

    def _message(self, card: NoticeCard, routed: RoutedNotice, number: str, also: tuple[str, ...]) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = self.fields.sender, ", ".join([*self.fields.to, *also])
        first, _, subject = routed.receipt.partition(" ")
        follows = bool(_MESSAGE_ID.fullmatch(first))
        mail["Subject"] = visible(subject if follows else "", _SUBJECT_BYTES) or _subject(card)
        mail["Date"], mail["Message-ID"] = format_datetime(self._now()), number
        mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"] = "auto-generated", "All"
        if follows and first != number:
            mail["In-Reply-To"] = mail["References"] = first
        mail.set_content(card.text)
        mail.add_alternative(card_page(card), subtype="html")
        return mail


def _subject(card: NoticeCard) -> str:
    """Of an incident's first mail, and so of all: mailboxes join by it too. What hides, or ends a line, is visible."""
    named = f"case {card.case}: {card.about}" if card.case else card.title
    return visible(f"[scc-responder] {named}", _SUBJECT_BYTES)
