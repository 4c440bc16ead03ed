"""Doctor reaches each receiver without a message, says what it tried, and says no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.notifiers import open_receiver
from scc_responder.domain.errors import ApiError
from scc_responder.policy.routes import ReceiverKind
from scc_responder.workbench.deployment.receiver_reach import reach
from tests.adapters.messaging.test_secret_address import everything_said
from tests.kits.dribbling_server import dribbling
from tests.kits.mail_server import PASSWORD, USER, MailBox, mail_server
from tests.kits.notice_services import ROUTING_KEY, SLACK_CHANNEL, SLACK_TOKEN, slack_caller
from tests.kits.notices import KEY
from tests.kits.web_service import Says, web_service

SECRET = "s3cr3t"


def addresses(url: str, token: str = SLACK_TOKEN) -> dict[ReceiverKind, str]:
    """A secret for each receiver whose service is one of the web."""
    return {
        ReceiverKind.GOOGLE_CHAT: f"{url}/v1/spaces/A/messages?key={SECRET}&token={SECRET}",
        ReceiverKind.SLACK: json.dumps(
            {"token": token, "channel": SLACK_CHANNEL, "url": f"{url}/api/chat.postMessage"}
        ),
        ReceiverKind.PAGERDUTY: json.dumps({"routing_key": ROUTING_KEY, "url": f"{url}/v2/enqueue"}),
        ReceiverKind.SIGNED_WEBHOOK: json.dumps({"url": f"{url}/{SECRET}", "secret": KEY}),
        ReceiverKind.APPRISE: f"jsons://127.0.0.1/{SECRET}",
    }


def mail(box: MailBox, how: str, **changes: Any) -> str:
    fields = {"host": "127.0.0.1", "port": box.port, "security": how, "user": USER, "password": PASSWORD}
    return json.dumps({**fields, "sender": "responder@example.com", "to": ["oncall@example.com"], **changes})


def test_no_receiver_gets_a_message() -> None:
    """Slack is asked whose its token is; to the others a connection is made. What was tried is told."""
    with web_service(slack_caller) as service:
        told = {kind: reach(open_receiver(kind, address)) for kind, address in addresses(service.url).items()}
    assert [posted.path for posted in service.posted] == ["/api/auth.test"]
    assert (
        told.pop(ReceiverKind.SLACK) == "tried: its token (auth.test); nothing was sent, and the channel was not tried"
    )
    assert told.pop(ReceiverKind.APPRISE).endswith("nothing can be tried without a message")
    assert set(told.values()) == {"tried: a connection to its host; nothing was sent, and the key in it was not tried"}
    assert {*told, ReceiverKind.SLACK, ReceiverKind.APPRISE, ReceiverKind.EMAIL} == {*ReceiverKind}


@pytest.mark.parametrize("kind", [kind for kind in addresses("") if kind is not ReceiverKind.APPRISE])
def test_nobody_there_is_told(kind: ReceiverKind) -> None:
    """With a word, and without the address."""
    with web_service() as service:
        address = addresses(service.url)[kind]
    with pytest.raises(ApiError) as raised:
        reach(open_receiver(kind, address))
    assert raised.value.reason == "receiver_unreachable"
    assert SECRET not in everything_said(raised.value)


def test_a_token_that_slack_does_not_know_is_told() -> None:
    """In Slack's own word; an answer that is none is told as one."""
    with web_service(slack_caller) as service, pytest.raises(ApiError) as raised:
        reach(open_receiver(ReceiverKind.SLACK, addresses(service.url, "xoxb-other-0123456789")[ReceiverKind.SLACK]))
    assert raised.value.reason == "receiver_invalid_auth"
    with web_service(lambda _: Says(200, b"<html>")) as service, pytest.raises(ApiError) as raised:
        reach(open_receiver(ReceiverKind.SLACK, addresses(service.url)[ReceiverKind.SLACK]))
    assert raised.value.reason == "receiver_unusable_answer"


@pytest.mark.parametrize("how", ["tls", "starttls"])
def test_a_mail_server_is_greeted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Its certificate and the login are tried, and no mail goes out; a wrong password is told by SMTP's number."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with mail_server(tmp_path, starttls=how == "starttls") as box:
        told = reach(open_receiver(ReceiverKind.EMAIL, mail(box, how)))
        without = reach(open_receiver(ReceiverKind.EMAIL, mail(box, how, user="")))
        with pytest.raises(ApiError) as raised:
            reach(open_receiver(ReceiverKind.EMAIL, mail(box, how, password=SECRET)))
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(ApiError) as foreign:
            reach(open_receiver(ReceiverKind.EMAIL, mail(box, how)))
    assert "greeting, its certificate and the login; no mail was sent" in told
    assert "login" not in without
    assert (raised.value.reason, foreign.value.reason) == ("receiver_smtp_535", "receiver_unreachable")
    assert SECRET not in everything_said(raised.value)
    assert box.mails == []


def test_a_certificate_of_nobody_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is made over TLS, and its certificate is looked at."""
    with dribbling(b"", certificates=tmp_path) as url:
        hook = open_receiver(ReceiverKind.SIGNED_WEBHOOK, addresses(url)[ReceiverKind.SIGNED_WEBHOOK])
        with pytest.raises(ApiError) as raised:
            reach(hook)
        assert raised.value.reason == "receiver_unreachable"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert "and its certificate" in reach(hook)
