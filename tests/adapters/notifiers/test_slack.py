"""Slack takes the message, joins those of a case, and reads nothing of an attacker's as markup."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from msgspec.structs import replace

from scc_responder.adapters.notifiers import slack as slack_receiver
from scc_responder.adapters.notifiers.slack import receiver
from scc_responder.domain.errors import ApiError, OutcomeUnknown, SettingsError
from scc_responder.domain.notices.routed_notice import RoutedNotice
from tests.adapters.messaging.test_secret_address import everything_said
from tests.kits.notice_services import SLACK_CHANNEL, SLACK_TOKEN, slack, slack_error
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
    unmarked,
)
from tests.kits.web_service import Posted, Says, WebService, web_service

assert HOSTILE


def secret(service: WebService, token: str = SLACK_TOKEN, channel: str = SLACK_CHANNEL) -> str:
    """A secret for the service."""
    return json.dumps({"token": token, "channel": channel, "url": f"{service.url}/api/chat.postMessage"})


def shown(posted: Posted) -> tuple[list[str], list[str]]:
    """The texts that people see, and the addresses that a click opens; markup is in sections of it alone."""
    texts, urls = [unmarked(posted.json["text"])], []
    for block in posted.json["blocks"]:
        for text in block.get("elements") or [block["text"]]:
            if text["type"] == "plain_text":
                texts.append(unmarked(text["text"]))
                continue
            for line in text["text"].split("\n"):
                match = re.fullmatch(r"<(https://[^|<>]+)\|([^<>|]+)>", line)
                assert match, line
                urls.append(unmarked(match[1]))
                texts.append(unmarked(match[2]))
    return texts, urls


def test_a_notice_is_a_message_in_the_thread_of_its_case() -> None:
    """The receipt is the first message's `ts`, and the thread of those that follow."""
    with web_service(slack) as service:
        channel = receiver(secret(service))
        receipt = channel.send(routed())
        assert channel.send(routed(id="n2", receipt=receipt)) == receipt == "1503435956.000247"
    first, second = service.posted
    texts, urls = shown(first)
    assert "thread_ts" not in first.json
    assert second.json["thread_ts"] == receipt
    assert {"WARNING: a plan waits for approval", "What ran: program: /tmp/run & co"} <= {*texts}
    assert urls == [*(f"{CONSOLE}/case/0a0a0a0a0a0a{end}" for end in ("/plan", "")), FINDING_LINK]


@pytest.mark.parametrize(("alert", "closes", "shown"), [("", 0, 0), ("0a0a0a0a0a0a", 0, 0), ("0b", 0, 1), ("0b", 1, 0)])
def test_what_pages_again_is_seen_in_the_channel(alert: str, closes: int, shown: int) -> None:
    """In its thread too. What is over, or adds to what was told, stays in the thread alone."""
    with web_service(slack) as service:
        receiver(secret(service)).send(routed(receipt="1503435956.000247", alert=alert, closes=bool(closes)))
    assert service.posted[0].json["reply_broadcast"] is bool(shown)


@HOSTILE_NOTICES
@given(hostile_notices())
def test_hostile_notices_are_text_in_a_message(made: RoutedNotice) -> None:
    """Each is taken within 50 blocks of 3,000 characters; nobody is mentioned, nothing links or hides."""
    with web_service(slack) as service:
        receiver(secret(service)).send(made)
    texts, urls = shown(service.posted[0])
    assert active_in(texts) == []
    assert [url for url in urls if not is_own(url)] == []


def test_a_card_with_much_in_it_is_taken() -> None:
    """The last lines are left out, and a line says so: a message that is too long would be refused each time."""
    much = {f"fact_{number}": "x" * 690 for number in range(20)}
    with web_service(slack) as service:
        receiver(secret(service)).send(routed(notice=replace(NOTICE, facts=much)))
    texts, _ = shown(service.posted[0])
    assert any(text.startswith("Left out: ") for text in texts)


def test_a_bar_in_a_title_ends_no_address() -> None:
    """Slack takes what stands before it for the address."""
    link = {"title": "a|b", "url": FINDING_LINK}
    with web_service(slack) as service:
        receiver(secret(service)).send(routed(notice=replace(NOTICE, facts={"links": [link]})))
    texts, urls = shown(service.posted[0])
    assert ("a/b" in texts, urls[-1]) == (True, FINDING_LINK)


ERRORS = {
    "ratelimited": (True, 429),
    "internal_error": (True, 500),
    "channel_not_found": (False, 403),
    "token_revoked": (False, 403),
    "msg_too_long": (False, 422),
}


@pytest.mark.parametrize(("word", "ends"), ERRORS.items())
def test_a_refusal_in_a_success_is_no_success(word: str, ends: tuple[bool, int]) -> None:
    """Its word is the reason, and says whether the same may be taken later: 422 says never, whatever is mended."""
    with web_service(lambda _: slack_error(word)) as service, pytest.raises(ApiError) as raised:
        receiver(secret(service)).send(routed())
    assert (raised.value.reason, raised.value.may_pass, raised.value.status) == (f"receiver_{word}", *ends)
    assert SLACK_TOKEN not in everything_said(raised.value)


LASTING = {
    "invalid_blocks": 422,
    "msg_too_long": 422,
    "token_revoked": 403,
    "not_in_channel": 403,
    "of_a_later_time": 403,
}


@pytest.mark.parametrize(("word", "status"), LASTING.items())
def test_only_what_no_try_ends_is_given_up(word: str, status: int) -> None:
    """A token or a channel may be set right within the day: what waits for it is not lost before."""
    with web_service(lambda _: slack_error(word)) as service, pytest.raises(ApiError) as raised:
        receiver(secret(service)).send(routed())
    assert raised.value.status == status


def test_a_wrong_token_is_refused_by_the_service() -> None:
    """And another channel, each by its word."""
    with web_service(slack) as service:
        for given_secret, word in (
            (secret(service, token="xoxb-another-one"), "invalid_auth"),
            (secret(service, channel="C999"), "channel_not_found"),
        ):
            with pytest.raises(ApiError, match=word):
                receiver(given_secret).send(routed())


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"ok": true}', b'{"ok": true, "ts": "x"}', b"[]"])
def test_an_answer_without_sense_is_none(body: bytes) -> None:
    """Whether the message was taken is not known then."""
    with web_service(lambda _: Says(200, body)) as service, pytest.raises(OutcomeUnknown, match="makes no sense"):
        receiver(secret(service)).send(routed())


def test_a_foreign_word_is_not_repeated() -> None:
    """What is no word of Slack's form could be anything."""
    with web_service(lambda _: slack_error("<!channel> s3cr3t")) as service, pytest.raises(ApiError) as raised:
        receiver(secret(service)).send(routed())
    assert raised.value.reason == "receiver_status_422"
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        "xoxb-s3cr3t",
        '{"token": "xoxb-s3cr3t-0123"}',
        '{"token": "s3cr3t", "channel": "C0123"}',
        '{"token": "xoxb-s3cr3t-0123", "channel": "#general"}',
        '{"token": "xoxb-s3cr3t-0123", "channel": "C0123", "url": "http://slack.com/"}',
    ],
)
def test_a_secret_that_is_none_stops_unsaid(content: str) -> None:
    """The error shows the form."""
    with pytest.raises(SettingsError, match="the secret of the receiver slack is not") as raised:
        receiver(content)
    assert "s3cr3t" not in everything_said(raised.value)


def test_the_largest_notice_is_taken() -> None:
    """Of what is left out a line says how much."""
    with web_service(slack) as service:
        receiver(secret(service)).send(largest())
    body = service.posted[0].body
    assert len(body) <= slack_receiver.MOST_SLACK_BYTES
    assert b"Left out" in body
