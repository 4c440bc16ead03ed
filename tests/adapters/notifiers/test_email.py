"""A mail reaches a real mail server over TLS, joins the mails of its case, and holds no header or markup of others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import given
from msgspec.structs import replace

from scc_responder.adapters.notifiers.email import receiver
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.ports import Receiver
from tests.adapters.messaging.test_secret_address import everything_said
from tests.kits.mail_server import PASSWORD, USER, MailBox, mail_server
from tests.kits.routed_notices import (
    CONSOLE,
    FINDING_LINK,
    HOSTILE,
    HOSTILE_NOTICES,
    NOTICE,
    active_in,
    hostile_notices,
    is_own,
    largest,
    routed,
)

assert HOSTILE
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TO = ["oncall@example.com", "soc@example.com"]
HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
    *("In-Reply-To", "References", "MIME-Version", "Content-Type"),
}


class Page(HTMLParser):
    """The texts and links of a page, and its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.urls: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.urls += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


@pytest.fixture(scope="module", params=["tls", "starttls"])
def security(request: pytest.FixtureRequest) -> str:
    """How the server is spoken to."""
    return str(request.param)


@pytest.fixture(scope="module")
def box(security: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailBox]:
    """A mail server that this process trusts."""
    folder = tmp_path_factory.mktemp("certificates")
    with mail_server(folder, starttls=security == "starttls") as started, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
        yield started


def people(box: MailBox, how: str, **changes: object) -> Receiver:
    """The receiver of a secret for the server."""
    fields = {"host": "127.0.0.1", "port": box.port, "security": how, "user": USER, "password": PASSWORD}
    return receiver(json.dumps({**fields, "sender": "responder@example.com", "to": TO, **changes}), lambda: NOW)


def bodies(mail: EmailMessage) -> tuple[str, Page]:
    """The plain text and the page."""
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    return plain.get_content(), Page(page.get_content())


def test_the_mails_of_a_case_are_one_thread(box: MailBox, security: str) -> None:
    """One subject, and the first one's Message-ID in those that follow; said again, a mail has the same id."""
    box.mails.clear()
    sender = people(box, security)
    receipt = sender.send(routed())
    for name in ("n2", "n1"):
        assert sender.send(routed(id=name, receipt=receipt)) == receipt
    first, second, again = box.mails
    number = receipt.partition(" ")[0]
    assert first["Message-ID"] == again["Message-ID"] == number
    assert (first["In-Reply-To"], again["In-Reply-To"]) == (None, None)
    assert second["In-Reply-To"] == second["References"] == number
    assert second["Message-ID"] != number
    assert {mail["Subject"] for mail in box.mails} == {
        "[scc-responder] case 0a0a0a0a0a0a: HIGH reverse_shell - Execution: Reverse [<]Shell>"
    }
    assert box.envelopes[-1] == ("responder@example.com", TO)
    assert first["Auto-Submitted"] == "auto-generated"


def test_a_long_subject_is_cut(box: MailBox, security: str) -> None:
    """Of an own one, and of what a first mail is said to have had: a mailbox joins by what all of them have."""
    box.mails.clear()
    sender = people(box, security)
    sender.send(largest())
    sender.send(routed(receipt=f"<{'0' * 40}@example.com> {'s' * 5_000}"))
    assert [len(mail["Subject"].encode()) <= 150 for mail in box.mails] == [True, True]
    assert box.mails[1]["Subject"].startswith("sss")


def test_the_mails_of_an_incident_are_one_thread(box: MailBox, security: str) -> None:
    """Another case of it comes under the first one's subject, and says itself which case it is."""
    box.mails.clear()
    sender = people(box, security)
    receipt = sender.send(routed())
    other = replace(NOTICE, case="0b0b0b0b0b0b", labels={**NOTICE.labels, "severity": "LOW"})
    for known in (receipt, "<old@example.com>", "no receipt"):
        assert sender.send(routed(id="n2", receipt=known, notice=other)) == known
    first, joined, old, none = box.mails
    assert joined["Subject"] == first["Subject"]
    assert joined["References"] == first["Message-ID"]
    assert "case 0b0b0b0b0b0b - incident 0a0a0a0a0a0a" in bodies(joined)[0]
    assert (old["References"], none["References"]) == ("<old@example.com>", None)
    assert (
        old["Subject"]
        == none["Subject"]
        == ("[scc-responder] case 0b0b0b0b0b0b: LOW reverse_shell - Execution: Reverse [<]Shell>")
    )


def test_a_mail_is_plain_text_and_a_page(box: MailBox, security: str) -> None:
    """Both say the same; the page loads nothing."""
    box.mails.clear()
    people(box, security).send(routed())
    plain, page = bodies(box.mails[0])
    for text in ("WARNING: a plan waits for approval", "program: /tmp/run & co", "not known: no label"):
        assert text in plain
        assert text in "".join(page.texts)
    assert page.urls == [*(f"{CONSOLE}/case/0a0a0a0a0a0a{end}" for end in ("/plan", "")), FINDING_LINK]
    assert not page.tags & {"img", "script", "link", "style", "iframe", "form"}


@HOSTILE_NOTICES
@given(hostile_notices())
def test_hostile_notices_are_text_in_a_mail(box: MailBox, security: str, made: RoutedNotice) -> None:
    """No header is added, no address but ours is written to, nothing links, mentions or hides; subjects are short."""
    box.mails.clear()
    box.raw.clear()
    people(box, security).send(made)
    (mail,) = box.mails
    assert {*mail.keys()} <= HEADERS
    assert len(mail.keys()) == len({*mail.keys()})
    assert mail["To"] == ", ".join(TO)
    assert len(mail["Subject"]) <= 200
    assert max(map(len, box.raw[0].split(b"\r\n"))) <= 998
    plain, page = bodies(mail)
    texts = [*page.texts, str(mail["Subject"])]
    own = {url for url in re.findall(r"https://\S+", plain) if is_own(url)}
    lines = [line for line in plain.splitlines() if not any(line.endswith(f": {url}") for url in own)]
    assert active_in([*texts, *lines]) == []
    assert [url for url in page.urls if not is_own(url)] == []


REPLIES = {"451 later": True, "421 busy": True, "550 no such mailbox": False, "552 too large": False}


@pytest.mark.parametrize(("reply", "may_pass"), REPLIES.items())
def test_a_refusal_says_whether_it_may_pass(box: MailBox, security: str, reply: str, *, may_pass: bool) -> None:
    """By the first digit of the reply, to the mail and to one of those whom it is for; nothing of it is said."""
    for place in ("mail", "recipient"):
        box.reply = reply if place == "mail" else "250 taken"
        box.recipient = {TO[1]: reply} if place == "recipient" else {}
        try:
            with pytest.raises(ApiError) as raised:
                people(box, security).send(routed())
        finally:
            box.reply, box.recipient = "250 taken", {}
        assert raised.value.reason == f"receiver_smtp_{reply[:3]}"
        assert raised.value.may_pass is may_pass
        for secret in (PASSWORD, *TO, reply[4:]):
            assert secret not in everything_said(raised.value)


LASTING = {"mail": 422, "some": 422, "recipient": 403}


@pytest.mark.parametrize(("place", "status"), LASTING.items())
def test_only_the_mail_itself_is_never_taken(box: MailBox, security: str, place: str, status: int) -> None:
    """An address may be set right within the day: what waits for it is not lost before.

    Where some have it, it is not said again: they would have it each time.
    """
    box.reply = "552 no" if place == "mail" else "250 taken"
    box.recipient = dict.fromkeys({"recipient": TO, "some": TO[1:]}.get(place, ()), "550 no")
    try:
        with pytest.raises(ApiError) as raised:
            people(box, security).send(routed())
    finally:
        box.reply, box.recipient = "250 taken", {}
    assert raised.value.status == status


def test_a_wrong_password_is_refused(box: MailBox, security: str) -> None:
    """And is not said."""
    sender = people(box, security, password="an0ther")
    with pytest.raises(ApiError) as raised:
        sender.send(routed())
    assert (raised.value.reason, raised.value.may_pass) == ("receiver_smtp_535", False)
    assert raised.value.status == 403
    assert "an0ther" not in everything_said(raised.value)


def test_a_certificate_of_nobody_is_refused(box: MailBox, security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No password goes to a server that is not who it says."""
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ApiError) as raised:
        people(box, security).send(routed())
    assert raised.value.reason == "receiver_unreachable"


@pytest.mark.parametrize(
    "changes",
    [
        {"security": "none", "host": "smtp.example.com"},
        {"security": "plain"},
        {"to": []},
        {"to": ["s3cr3t@example.com\r\nBcc: x@evil.example"]},
        {"to": ["a@example.com"] * 21},
        {"sender": "s3cr3t"},
        {"port": 0},
        {"host": "smtp example s3cr3t"},
        {"password": None},
        {"password": "s3cr3t\u00e4"},
    ],
)
def test_a_secret_that_is_none_stops_unsaid(box: MailBox, security: str, changes: dict[str, object]) -> None:
    """The error shows the form. Without encryption only this machine is spoken to."""
    with pytest.raises(SettingsError, match="the secret of the receiver email is not") as raised:
        people(box, security, **changes)
    assert "s3cr3t" not in everything_said(raised.value)


def test_contacts_have_the_mail_too(box: MailBox, security: str) -> None:
    """Twenty people at most, those of the secret first; what is no address is left out."""
    box.mails.clear()
    many = tuple(f"c{number}@example.com" for number in range(30))
    people(box, security).send(routed(contacts=("a@example.com\r\nBcc: b@example.com", *many)))
    everybody = [*TO, *many[:18]]
    assert box.envelopes[-1] == ("responder@example.com", everybody)
    assert box.mails[0]["To"] == ", ".join(everybody)
    assert set(box.mails[0].keys()) <= HEADERS


@pytest.mark.parametrize("reply", ["550 no such person", "450 later"])
def test_a_contact_whom_the_server_refuses_costs_nobody_the_mail(box: MailBox, security: str, reply: str) -> None:
    """The others have it, and it is not said again to them; one of the secret's own who is refused is an error."""
    sender = people(box, security)
    box.recipient = {"gone@example.com": reply}
    try:
        assert sender.send(routed(contacts=("gone@example.com", "pat@example.com")))
        assert box.envelopes[-1] == ("responder@example.com", [*TO, "pat@example.com"])
        box.recipient = {TO[0]: reply}
        with pytest.raises(ApiError):
            sender.send(routed(contacts=("pat@example.com",)))
    finally:
        box.recipient = {}
