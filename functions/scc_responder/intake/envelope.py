"""Open what arrives over HTTP: a Pub/Sub push, Eventarc's CloudEvent around one, or the message unwrapped.

Only what carries the data is needed; every other field may have any type, and is left out where it cannot be read.
Pure: no input, output, clock or environment. Source: google/pubsub/v1 `PubsubMessage`, the push subscription's body and
`x-goog-pubsub-*` headers, CloudEvents 1.0 HTTP binding.
"""

from __future__ import annotations

import base64
import binascii
import string
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import OversizeMessage, RejectedMessage
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import LatePattern, visible
from scc_responder.domain.value import Value, resolved
from scc_responder.intake.fields import integer
from scc_responder.intake.find_name import find_name, name_unparsed
from scc_responder.intake.json_text import plain_json

MAX_DATA_BYTES = 512 * 1024
"""The largest message that is parsed. Larger ones are re-read by name."""

MAX_ENVELOPE_BYTES = 10_000_000 * 4 // 3 + 64 * 1024
"""The largest body that is opened: Pub/Sub's limit of 10 MB in base64, and room for the envelope around it."""

_MAX_ENVELOPES = 4
"""Envelopes in one another, as a CloudEvent around a push around a forwarded message."""

_MESSAGE_PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"
_TRACE_PARENT = LatePattern(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_FOREIGN = bytes(set(range(256)) - set(f"{string.ascii_letters}{string.digits}+/".encode()))
"""What base64 has not."""
_CLOUD_TRACE = LatePattern(r"([0-9a-f]{32})(?:/.*)?")


class Message(Value, frozen=True, kw_only=True):
    """One delivered message. `data` is what was published; `trace` is a trace id of 32 hex digits, or empty."""

    message_id: str = ""
    data: bytes = b""
    delivery_attempt: int = 0
    trace: str = ""

    @property
    def sha256(self) -> str:
        """SHA-256 of the data in hex: the name of the message in records."""
        return sha256(self.data).hexdigest()


NOTIFICATION_FIELDS = frozenset({"finding", "findings", "listFindingsResults"})
"""A JSON object with any of them is the notification itself, without an envelope."""


class _Envelope(msgspec.Struct):
    """All envelopes and messages at once, as they came: the fields that are set tell which it is."""

    message: msgspec.Raw = msgspec.Raw()
    delivery_attempt: msgspec.Raw = msgspec.field(name="deliveryAttempt", default=msgspec.Raw())
    type: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()
    data_base64: msgspec.Raw = msgspec.Raw()
    message_id: msgspec.Raw = msgspec.field(name="messageId", default=msgspec.Raw())
    message_id_too: msgspec.Raw = msgspec.field(name="message_id", default=msgspec.Raw())
    id: msgspec.Raw = msgspec.Raw()
    event_id: msgspec.Raw = msgspec.field(name="eventId", default=msgspec.Raw())
    context: msgspec.Raw = msgspec.Raw()
    finding: msgspec.Raw = msgspec.Raw()
    findings: msgspec.Raw = msgspec.Raw()
    list_findings_results: msgspec.Raw = msgspec.field(name="listFindingsResults", default=msgspec.Raw())
    category: msgspec.Raw = msgspec.Raw()

    @property
    def is_notification(self) -> bool:
        """Whether it is the notification itself, without an envelope."""
        return any(map(bytes, (self.finding, self.findings, self.list_findings_results)))


def open_envelope(body: bytes, headers: Mapping[str, str]) -> Message:
    """The message in an HTTP request.

    Raises RejectedMessage (`not_json`, `too_deep`, `not_an_envelope`, `foreign_json`, `foreign_event`, `no_data`,
    `bad_base64`) and OversizeMessage (`oversize`, `oversize_body`); both carry the SHA-256 of what arrived, and the
    finding's name where it names one.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    if len(body) > MAX_ENVELOPE_BYTES:
        raise OversizeMessage(Reason.OVERSIZE_BODY, sha256=sha256(body).hexdigest())
    try:
        message = _open(body, lowered)
    except RejectedMessage as rejected:
        rejected.sha256 = sha256(body).hexdigest()
        raise name_unparsed(rejected, body) from rejected.__cause__
    if len(message.data) > MAX_DATA_BYTES:
        raise OversizeMessage(
            Reason.OVERSIZE, sha256=message.sha256, message_id=message.message_id, finding_name=find_name(message.data)
        )
    return message


def published(content: bytes) -> bytes:
    """What the envelope carries that a file, a dead letter or a message's data may be; the content where it is none."""
    for _ in range(_MAX_ENVELOPES):
        try:
            data = _message_in(content).data
        except RejectedMessage:
            return content
        if data in {b"", content}:
            return content
        content = data
    return content


def _open(body: bytes, headers: Mapping[str, str]) -> Message:
    if headers.get("ce-type", _MESSAGE_PUBLISHED) != _MESSAGE_PUBLISHED:
        raise RejectedMessage(Reason.FOREIGN_EVENT)
    if "x-goog-pubsub-message-id" in headers or "x-goog-pubsub-subscription-name" in headers:
        message = Message(
            message_id=visible(headers.get("x-goog-pubsub-message-id", ""), 128),
            data=body,
            delivery_attempt=integer(headers.get("x-goog-pubsub-delivery-attempt")) or 0,
        )
    else:
        message = _message_in(body)
    message_id = message.message_id or visible(headers.get("ce-id", ""), 128)
    if not message.data:
        raise RejectedMessage(Reason.NO_DATA, message_id=message_id)
    return replace(message, message_id=message_id, trace=_trace(headers))


def _message_in(content: bytes, depth: int = 1) -> Message:
    """The message, by the fields that distinguish the envelopes: a push, a CloudEvent or a legacy event around one.

    A message without envelope is its own, and so is a notification.
    """
    content = _only(content)
    envelope = _decode(content)
    if envelope.is_notification:
        return Message(data=content)
    if _is(envelope.message, b"{"):
        return _message(_decode(bytes(envelope.message)), envelope)
    kind = _value(envelope.type)
    if isinstance(kind, str) and kind not in {"", _MESSAGE_PUBLISHED}:
        raise RejectedMessage(Reason.FOREIGN_EVENT)
    inner = _event_data(envelope)
    if inner and depth < _MAX_ENVELOPES:
        message = _message_in(inner, depth + 1)
        return replace(message, message_id=message.message_id or _identifier(envelope))
    if _is(envelope.data, b'"'):
        return _message(envelope, envelope)
    if envelope.category:
        return Message(data=content)
    raise RejectedMessage(
        Reason.NOT_AN_ENVELOPE if bytes(envelope.message) not in {b"", b"null"} else Reason.FOREIGN_JSON
    )


def _only(content: bytes) -> bytes:
    """The only element of a list; anything else as it is. Raises RejectedMessage for what is no JSON."""
    try:
        return bytes(*msgspec.json.decode(content, type=tuple[msgspec.Raw]))
    except (msgspec.ValidationError, RecursionError):
        return content
    except (msgspec.DecodeError, UnicodeError):
        plain = plain_json(content)
        return _only(plain) if _is(plain, b"[") else content


def _decode(content: bytes) -> _Envelope:
    try:
        return _decode_strictly(content)
    except (msgspec.DecodeError, UnicodeError):
        return _decode_strictly(plain_json(content))


def _decode_strictly(content: bytes) -> _Envelope:
    try:
        return msgspec.json.decode(content, type=resolved(_Envelope))
    except RecursionError as error:
        raise RejectedMessage(Reason.TOO_DEEP) from error
    except msgspec.ValidationError as error:
        raise RejectedMessage(Reason.NOT_AN_ENVELOPE) from error


def _is(raw: bytes | msgspec.Raw, bracket: bytes) -> bool:
    """Whether the JSON value begins so: with a brace an object, with a quote text."""
    return bytes(raw).lstrip(b" \t\r\n")[:1] == bracket


def _value(raw: msgspec.Raw) -> Any:
    """The value of a field that is not needed; None where it cannot be read."""
    with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
        return msgspec.json.decode(raw)
    return None


def _identifier(envelope: _Envelope) -> str:
    """The id of the message or event, or empty."""
    ids = [envelope.message_id, envelope.message_id_too, envelope.id, envelope.event_id]
    if _is(envelope.context, b"{"):
        ids.append(_decode(bytes(envelope.context)).event_id)
    values = (value if isinstance(value, str) else integer(value) for value in map(_value, ids))
    return next((visible(str(value), 128) for value in values if value), "")


def _message(wire: _Envelope, envelope: _Envelope) -> Message:
    message_id = _identifier(wire) or _identifier(envelope)
    attempt = integer(_value(envelope.delivery_attempt)) or integer(_value(wire.delivery_attempt)) or 0
    return Message(message_id=message_id, data=_data(wire.data, message_id), delivery_attempt=attempt)


def _event_data(envelope: _Envelope) -> bytes:
    """What an event carries, as JSON or in base64; empty where it carries no object."""
    if _is(envelope.data_base64, b'"'):
        return _data(envelope.data_base64, _identifier(envelope))
    return bytes(envelope.data) if _is(envelope.data, b"{") else b""


def _data(raw: msgspec.Raw, message_id: str) -> bytes:
    """The data of a message: base64, but also JSON that was not encoded, and the numbers of its bytes."""
    if _is(raw, b"{"):
        inner = _decode(bytes(raw))
        return _data(inner.data, message_id) if _value(inner.type) == "Buffer" else bytes(raw)
    value = _value(raw)
    if isinstance(value, str):
        text = value.strip("\ufeff \t\r\n")
        return text.encode() if text.startswith(("{", "[")) else _decode_base64(text, message_id)
    try:
        return bytes(value if isinstance(value, list) else {None: b""}[value])
    except (KeyError, TypeError, ValueError) as error:
        raise RejectedMessage(Reason.NOT_AN_ENVELOPE, message_id=message_id) from error


def _decode_base64(text: str, message_id: str) -> bytes:
    """Base64 of either alphabet, in lines or one, with its padding or without."""
    plain = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        rejected = RejectedMessage(Reason.BAD_BASE64, message_id=message_id)
        raise name_unparsed(rejected, _legible(plain)) from error


def _legible(text: str) -> bytes:
    """What can be read of broken base64, with the wrong letters left out, and with others in their place."""
    letters = text.encode("ascii", "replace")
    parts = letters.translate(None, _FOREIGN), letters.translate(bytes.maketrans(_FOREIGN, b"A" * len(_FOREIGN)))
    return b"\n".join(base64.b64decode(part[: len(part) // 4 * 4]) for part in parts)


def _trace(headers: Mapping[str, str]) -> str:
    found = _TRACE_PARENT.fullmatch(headers.get("traceparent", "")[:200]) or _CLOUD_TRACE.fullmatch(
        headers.get("x-cloud-trace-context", "")[:200]
    )
    return found[1] if found and found[1].strip("0") else ""
