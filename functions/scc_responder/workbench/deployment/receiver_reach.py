"""Whether a receiver can be reached, tried as far as its service lets anybody try without sending a message."""

from __future__ import annotations

from http.client import HTTPException

import msgspec

from scc_responder.adapters.messaging.secret_address import WebAddress
from scc_responder.adapters.messaging.web_post import POST_SECONDS, post_refusal, web_connection, web_post
from scc_responder.adapters.notifiers.email import MAIL_SECONDS, Email
from scc_responder.adapters.notifiers.slack import Slack
from scc_responder.domain.errors import ApiError
from scc_responder.domain.ports import Receiver
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value, read_json

_CALLER = "auth.test"
"""Slack's method that says whose token it is. It needs no scope. Source: Slack, "auth.test"."""


class _Answer(Value, frozen=True, kw_only=True):
    ok: bool
    error: str = ""


def reach(receiver: Receiver) -> str:
    """Connect to its service without sending a message: what was tried, in words.

    A receiver whose service is one of the web has its `address`. Raises ApiError, which says no address.
    """
    if isinstance(receiver, Email):
        return _mail(receiver)
    if isinstance(receiver, Slack):
        return _slack(receiver)
    address = getattr(receiver, "address", None)
    if isinstance(address, WebAddress):
        return _web(address)
    return "its address has the right form; nothing can be tried without a message"


def _mail(receiver: Email) -> str:
    from scc_responder.adapters.messaging import mail_session  # noqa: PLC0415 - not for the help of doctor

    fields = receiver.fields
    server = mail_session.MailServer(
        host=fields.host,
        port=fields.port,
        security=mail_session.MailSecurity(fields.security),
        user=fields.user,
        password=fields.password,
    )
    mail_session.send_mail(server, None, timeout_seconds=MAIL_SECONDS)
    secure = "" if server.security is mail_session.MailSecurity.NONE else ", its certificate"
    login = " and the login" if server.user else ""
    return f"tried: the mail server's greeting{secure}{login}; no mail was sent, and nobody's address was tried"


def _slack(receiver: Slack) -> str:
    address = receiver.address
    target = f"{address.target.rpartition('/')[0]}/{_CALLER}"
    where = WebAddress(host=address.host, port=address.port, target=target, is_encrypted=address.is_encrypted)
    answer = web_post(where, b"", {"Authorization": f"Bearer {receiver.token}"})
    try:
        said = read_json(answer.body, _Answer)
    except msgspec.DecodeError:
        raise ApiError(Reason.RECEIVER.of("unusable_answer"), "the service's answer makes no sense") from None
    if not said.ok:
        raise post_refusal(400, said="".join(filter(str.isidentifier, said.error))[:60])
    return "tried: its token (auth.test); nothing was sent, and the channel was not tried"


def _web(address: WebAddress) -> str:
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - loaded with the connection

    connection, trouble = web_connection(address, POST_SECONDS), ""
    try:
        connection.connect()
    except (OSError, HTTPException, HTTPError) as error:
        trouble = type(error).__name__
    finally:
        connection.close()
    if trouble:  # raised out here: the error of the library would go along, and may name the address
        raise ApiError(Reason.RECEIVER.of("unreachable"), f"no answer: {trouble}")
    secure = " and its certificate" if address.is_encrypted else ""
    return f"tried: a connection to its host{secure}; nothing was sent, and the key in it was not tried"
