"""What services of chat and paging take, as their documents say: each judge answers a request as the service would.

A request that the service would refuse is refused here for the same reason, so a receiver that is taken here speaks
the service's form. Sources: Google Chat API, spaces.messages.create and "Cards v2"; Slack, chat.postMessage and "Block
Kit reference", and its maintainers on `msg_blocks_too_long` (github.com/slackapi/bolt-js/issues/2509: 12,000 characters
of all blocks together); PagerDuty, Events API v2.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.kits.web_service import Posted, Says

CHAT_KEY, CHAT_TOKEN = "chat-key-1", "chat-t0ken-s3cr3t"
SLACK_TOKEN, SLACK_CHANNEL = "xoxb-s3cr3t-0123456789", "C0123456789"
ROUTING_KEY = "R0123456789ABCDEFs3cr3t012345678"
_CHAT_OPTIONS = {"messageReplyOption": ["REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"]}


class UnfitError(AssertionError):
    """The service does not take it, and why."""


def _check(holds: object, why: str) -> None:
    if not holds:
        raise UnfitError(why)


def _fields(value: Any, needed: set[str], may: set[str], what: str) -> dict[str, Any]:
    _check(isinstance(value, dict), f"{what} is no object")
    _check(needed <= value.keys() <= needed | may, f"{what} has the fields {sorted(value)}")
    return dict(value)


def google_chat(posted: Posted) -> Says:
    """Google Chat's answer to a message by a webhook."""
    parts = urlsplit(posted.path)
    asked = parse_qs(parts.query)
    if asked.pop("key", []) != [CHAT_KEY] or asked.pop("token", []) != [CHAT_TOKEN]:
        return Says(401, b'{"error": {"code": 401, "status": "UNAUTHENTICATED"}}')
    try:
        _check(re.fullmatch(r"/v1/spaces/[A-Za-z0-9_-]+/messages", parts.path), "no path of messages")
        _check(asked == _CHAT_OPTIONS, f"options {asked}")
        _check(posted.headers["content-type"].startswith("application/json"), "no JSON")
        _check(len(posted.body) <= 32_000, "more than 32,000 bytes")
        thread = chat_message(posted.json)
    except UnfitError as why:
        return Says(
            400, json.dumps({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": str(why)}}).encode()
        )
    name = {"name": "spaces/A/messages/m.m", "thread": {"name": "spaces/A/threads/t", "threadKey": thread}}
    return Says(200, json.dumps(name).encode())


def chat_message(message: Any) -> str:
    """The key of the message's thread. Raises UnfitError."""
    message = _fields(message, {"cardsV2"}, {"text", "fallbackText", "thread"}, "the message")
    for item in message["cardsV2"]:
        card = _fields(_fields(item, {"card"}, {"cardId"}, "a card")["card"], {"sections"}, {"header"}, "a card")
        header = _fields(card.get("header", {"title": "x"}), {"title"}, {"subtitle"}, "a header")
        _check(header["title"], "a header without a title")
        _check(card["sections"], "a card without sections")
        widgets = 0
        for section in card["sections"]:
            allowed = {"header", "collapsible", "uncollapsibleWidgetsCount"}
            for widget in _fields(section, {"widgets"}, allowed, "a section")["widgets"]:
                _widget(widget)
                widgets += 1
        _check(widgets <= 100, "more than 100 widgets")
    key = _fields(message["thread"], {"threadKey"}, set(), "the thread")["threadKey"]
    _check(0 < len(key) <= 4_000, "the thread's key")
    return str(key)


def _widget(widget: Any) -> None:
    ((kind, value),) = widget.items()
    if kind == "textParagraph":
        _check(_fields(value, {"text"}, set(), kind)["text"], "an empty paragraph")
    elif kind == "decoratedText":
        _check(_fields(value, {"text"}, {"topLabel", "bottomLabel", "wrapText"}, kind)["text"], "an empty text")
    elif kind == "buttonList":
        for button in _fields(value, {"buttons"}, set(), kind)["buttons"]:
            opened = _fields(button, {"text", "onClick"}, set(), "a button")["onClick"]
            url = _fields(_fields(opened, {"openLink"}, set(), "a click")["openLink"], {"url"}, set(), "a link")["url"]
            _check(url.startswith("https://"), f"a button opens {url}")
    else:
        raise UnfitError(f"no widget {kind}")


def slack(posted: Posted) -> Says:
    """Slack's answer to chat.postMessage: it says in a success what it refuses."""
    if posted.headers.get("authorization") != f"Bearer {SLACK_TOKEN}":
        return slack_error("invalid_auth")
    if posted.headers["content-type"] != "application/json; charset=utf-8":
        return slack_error("invalid_post_type")
    try:
        message = posted.json
        slack_message(message)
    except UnfitError:
        return slack_error("invalid_blocks")
    if len(json.dumps(message["blocks"], ensure_ascii=False)) > 12_000:
        return slack_error("msg_blocks_too_long")
    if message["channel"] != SLACK_CHANNEL:
        return slack_error("channel_not_found")
    return Says(200, json.dumps({"ok": True, "channel": SLACK_CHANNEL, "ts": "1503435956.000247"}).encode())


def slack_caller(posted: Posted) -> Says:
    """Slack's answer to auth.test: whose the token is."""
    if posted.path != "/api/auth.test" or posted.body:
        return Says(404)
    if posted.headers.get("authorization") != f"Bearer {SLACK_TOKEN}":
        return slack_error("invalid_auth")
    return Says(200, json.dumps({"ok": True, "team_id": "T0123456789", "bot_id": "B0123456789"}).encode())


def slack_error(word: str) -> Says:
    """A refusal by Slack."""
    return Says(200, json.dumps({"ok": False, "error": word}).encode())


def slack_message(message: Any) -> None:
    """Check a message. Raises UnfitError."""
    options = {"thread_ts", "reply_broadcast", "mrkdwn", "parse", "link_names", "unfurl_links", "unfurl_media"}
    message = _fields(message, {"channel", "text", "blocks"}, options, "the message")
    _check(0 < len(message["text"]) <= 40_000, "the text")
    _check(re.fullmatch(r"\d+\.\d+", message.get("thread_ts", "1.1"), re.ASCII), "thread_ts")
    _check(message.get("reply_broadcast", False) in ({True, False} if "thread_ts" in message else {False}), "broadcast")
    _check(message["unfurl_links"] is False and message["unfurl_media"] is False, "links are unfurled")
    _check(0 < len(message["blocks"]) <= 50, "the number of blocks")
    for block in message["blocks"]:
        if block["type"] == "context":
            elements = _fields(block, {"type", "elements"}, set(), "a context")["elements"]
            _check(0 < len(elements) <= 10, "the elements of a context")
            for element in elements:
                _slack_text(element, 3_000)
        else:
            _check(block["type"] in {"header", "section"}, f"a block {block['type']}")
            text = _fields(block, {"type", "text"}, set(), "a block")["text"]
            _slack_text(text, 150 if block["type"] == "header" else 3_000)
            _check(block["type"] == "section" or text["type"] == "plain_text", "a header of markup")


def _slack_text(text: Any, most: int) -> None:
    other = {"plain_text": "emoji", "mrkdwn": "verbatim"}[text["type"]]
    _check(0 < len(_fields(text, {"type", "text"}, {other}, "a text")["text"]) <= most, "the length of a text")


def pagerduty(posted: Posted) -> Says:
    """PagerDuty's answer to an event."""
    try:
        _check(posted.path == "/v2/enqueue", "another path")
        _check(posted.headers["content-type"] == "application/json", "no JSON")
        if len(posted.body) > 512 * 1024:
            return Says(413, b"{}")
        key = event(posted.json)
    except UnfitError as why:
        return Says(400, json.dumps({"status": "invalid event", "errors": [str(why)]}).encode())
    return Says(202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": key}).encode())


def event(given: Any) -> str:
    """The event's key. Raises UnfitError."""
    may = {"dedup_key", "payload", "links", "images", "client", "client_url"}
    given = _fields(given, {"routing_key", "event_action"}, may, "the event")
    _check(given["routing_key"] == ROUTING_KEY, "the routing key")
    _check(given["event_action"] in {"trigger", "acknowledge", "resolve"}, "the action")
    _check(0 < len(given.get("dedup_key", "")) <= 255, "the dedup_key")
    more = {"timestamp", "component", "group", "class", "custom_details"}
    payload = _fields(given["payload"], {"summary", "source", "severity"}, more, "the payload")
    _check(0 < len(payload["summary"]) <= 1_024, "the summary")
    _check(payload["severity"] in {"critical", "error", "warning", "info"}, "the severity")
    for link in given.get("links", ()):
        _check(_fields(link, {"href"}, {"text"}, "a link")["href"].startswith("https://"), "a link")
    return str(given["dedup_key"])
