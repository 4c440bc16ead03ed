"""Open what arrives over HTTP: a Pub/Sub push, Eventarc's CloudEvent around one, or the message unwrapped.

Pure: no input, output, clock or environment. Source: google/pubsub/v1 `PubsubMessage`, the push subscription's body and
`x-goog-pubsub-*` headers, CloudEvents 1.0 HTTP binding.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import TypeVar

import msgspec

from scc_responder.domain.errors import OversizeMessage, RejectedMessage
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FINDING_PATTERN, FindingName
from scc_responder.domain.text import visible
from scc_responder.domain.value import Value
from scc_responder.intake.fields import integer, timestamp

MAX_DATA_BYTES = 512 * 1024
"""The largest message that is parsed. Larger ones are re-read by name."""

MAX_ENVELOPE_BYTES = 10_000_000 * 4 // 3 + 64 * 1024
"""The largest body that is opened: Pub/Sub's limit of 10 MB in base64, and room for the envelope around it."""

MAX_ATTRIBUTES = 100
MAX_ATTRIBUTES_BYTES = 1024 * 1024
"""Most bytes of the attributes as JSON; Pub/Sub allows 100 of 1.3 KB each. If they are larger, none is read."""

S = TypeVar("S")

_MESSAGE_PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"
_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?", re.ASCII)
_CLOUD_TRACE = re.compile(r"([0-9a-f]{32})(?:/.*)?", re.ASCII)
_NAME_FIELD = re.compile(
    rb'"(?:name|canonicalName|canonical_name)"[ \t\r\n]{0,16}:[ \t\r\n]{0,16}"(' + FINDING_PATTERN.encode() + rb')"'
)


class Message(Value, frozen=True, kw_only=True):
    """One delivered message. `data` is what was published; `trace` is a trace id of 32 hex digits, or empty."""

    message_id: str = ""
    publish_time: datetime | None = None
    attributes: dict[str, str] = {}
    data: bytes = b""
    subscription: str = ""
    delivery_attempt: int = 0
    trace: str = ""

    @property
    def sha256(self) -> str:
        """SHA-256 of the data in hex: the name of the message in records."""
        return sha256(self.data).hexdigest()


class _PubsubMessage(msgspec.Struct):
    data: str | None = None
    message_id: str | int | None = msgspec.field(name="messageId", default=None)
    message_id_too: str | int | None = msgspec.field(name="message_id", default=None)
    publish_time: str | None = msgspec.field(name="publishTime", default=None)
    publish_time_too: str | None = msgspec.field(name="publish_time", default=None)
    attributes: msgspec.Raw = msgspec.Raw()


class _EventContext(msgspec.Struct):
    event_id: str | None = msgspec.field(name="eventId", default=None)
    timestamp: str | None = None


class _Envelope(msgspec.Struct):
    """All envelopes at once: the fields that are set tell which it is. Others are skipped unread."""

    message: _PubsubMessage | None = None
    subscription: str | None = None
    delivery_attempt: str | int | None = msgspec.field(name="deliveryAttempt", default=None)
    type: str | None = None
    id: str | None = None
    time: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    data_base64: str | None = None
    context: _EventContext | None = None
    finding: msgspec.Raw = msgspec.Raw()
    findings: msgspec.Raw = msgspec.Raw()
    list_findings_results: msgspec.Raw = msgspec.field(name="listFindingsResults", default=msgspec.Raw())
    category: msgspec.Raw = msgspec.Raw()

    @property
    def is_notification(self) -> bool:
        """Whether the body is the notification itself, without an envelope."""
        return any(map(bytes, (self.finding, self.findings, self.list_findings_results, self.category)))


class _Push(msgspec.Struct):
    message: _PubsubMessage | None = None
    subscription: str | None = None
    data: str | None = None
    attributes: msgspec.Raw = msgspec.Raw()


class _Named(msgspec.Struct):
    name: str | None = None
    canonical_name: str | None = msgspec.field(name="canonicalName", default=None)


class _Enveloped(_Named):
    finding: _Named | None = None


def find_name(data: bytes) -> str | None:
    """The finding's name in a notification too large to parse, or None if it names none or several.

    The one under `finding` is preferred, and the canonical one, by which whoever may read one project's findings may
    read it; other fields are skipped, not built, so that padding costs no memory. What is
    no JSON is searched for the only name in it. Linear in the length of data.
    """
    try:
        found: _Enveloped = msgspec.json.decode(data, type=_Enveloped)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _only_name(data)
    for named in filter(None, (found.finding, found)):
        for name in filter(None, (named.canonical_name, named.name)):
            if FindingName.parse(name):
                return name
    return _only_name(data)


def _only_name(data: bytes) -> str | None:
    names: set[str] = set()
    keys: set[str] = set()
    for match in _NAME_FIELD.finditer(data):
        name = match[1].decode("ascii")
        parsed = FindingName.parse(name)
        names.add(name)
        keys.add(parsed.key if parsed else "")
        if len(keys) > 1:
            return None
    # Of one finding's names, `projects/` is nearest to it, then `organizations/`, then `folders/`.
    return max(names, default=None)


def open_envelope(body: bytes, headers: Mapping[str, str]) -> Message:
    """The message in an HTTP request.

    Raises RejectedMessage (`not_json`, `too_deep`, `not_an_envelope`, `foreign_json`, `foreign_event`, `no_data`,
    `bad_base64`) and OversizeMessage (`oversize`, `oversize_body`); both carry the SHA-256 of what arrived.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    if len(body) > MAX_ENVELOPE_BYTES:
        raise OversizeMessage(Reason.OVERSIZE_BODY, sha256=sha256(body).hexdigest())
    try:
        message = _open(body, lowered)
    except RejectedMessage as rejected:
        rejected.sha256 = rejected.sha256 or sha256(body).hexdigest()
        raise
    if not message.data:
        raise RejectedMessage(Reason.NO_DATA, sha256=sha256(body).hexdigest(), message_id=message.message_id)
    if len(message.data) > MAX_DATA_BYTES:
        raise OversizeMessage(
            Reason.OVERSIZE, sha256=message.sha256, message_id=message.message_id, finding_name=find_name(message.data)
        )
    return message


def _open(body: bytes, headers: Mapping[str, str]) -> Message:
    """The message, by the fields that distinguish the envelopes."""
    if headers.get("ce-type", _MESSAGE_PUBLISHED) != _MESSAGE_PUBLISHED:
        raise RejectedMessage(Reason.FOREIGN_EVENT)
    trace = _trace(headers)
    if "x-goog-pubsub-message-id" in headers or "x-goog-pubsub-subscription-name" in headers:
        return _unwrapped(body, headers, trace)
    envelope = _decode(body, _Envelope)
    if envelope.type and envelope.type != _MESSAGE_PUBLISHED:
        raise RejectedMessage(Reason.FOREIGN_EVENT)
    if envelope.message is not None:
        return _wrapped(envelope.message, envelope, headers, trace)
    if envelope.data or envelope.data_base64:
        return _event(envelope, headers, trace)
    if envelope.is_notification:
        return _unwrapped(body, headers, trace)
    raise RejectedMessage(Reason.FOREIGN_JSON)


def _decode(body: bytes, shape: type[S]) -> S:
    try:
        return msgspec.json.decode(body, type=shape)
    except RecursionError as error:
        raise RejectedMessage(Reason.TOO_DEEP) from error
    except msgspec.ValidationError as error:
        raise RejectedMessage(Reason.NOT_AN_ENVELOPE) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedMessage(Reason.NOT_JSON) from error


def _wrapped(wire: _PubsubMessage, envelope: _Envelope, headers: Mapping[str, str], trace: str) -> Message:
    """The message of a push body; what the body does not say is taken from a CloudEvent's headers."""
    message_id = visible(str(wire.message_id or wire.message_id_too or headers.get("ce-id", "")), 128)
    attributes = islice(_attributes(wire.attributes).items(), MAX_ATTRIBUTES)
    return Message(
        message_id=message_id,
        publish_time=timestamp(wire.publish_time or wire.publish_time_too or headers.get("ce-time")),
        attributes={visible(name): visible(value) for name, value in attributes},
        data=_unbase64(wire.data or "", message_id),
        subscription=visible(envelope.subscription or ""),
        delivery_attempt=integer(envelope.delivery_attempt) or 0,
        trace=trace,
    )


def _attributes(raw: msgspec.Raw) -> dict[str, str]:
    if not raw or len(bytes(raw)) > MAX_ATTRIBUTES_BYTES:
        return {}
    try:
        return msgspec.json.decode(raw, type=dict[str, str] | None) or {}
    except msgspec.ValidationError as error:
        raise RejectedMessage(Reason.NOT_AN_ENVELOPE) from error


def _event(envelope: _Envelope, headers: Mapping[str, str], trace: str) -> Message:
    """The message in a structured CloudEvent (`{type, data: {message}}`) or a legacy event (`{data, context}`)."""
    inner = bytes(envelope.data) if envelope.data else _unbase64(envelope.data_base64 or "", "")
    context = envelope.context or _EventContext()
    stamps = {"ce-id": envelope.id or context.event_id or "", "ce-time": envelope.time or context.timestamp or ""}
    known = {**headers, **{name: value for name, value in stamps.items() if value}}
    pushed = _decode(inner, _Push)
    if pushed.message is not None:
        return _wrapped(pushed.message, _Envelope(pushed.message, pushed.subscription), known, trace)
    if pushed.data is None:
        raise RejectedMessage(Reason.FOREIGN_JSON)
    return _wrapped(_PubsubMessage(data=pushed.data, attributes=pushed.attributes), _Envelope(), known, trace)


def _unwrapped(body: bytes, headers: Mapping[str, str], trace: str) -> Message:
    return Message(
        message_id=visible(headers.get("x-goog-pubsub-message-id", ""), 128),
        publish_time=timestamp(headers.get("x-goog-pubsub-publish-time")),
        data=body,
        subscription=visible(headers.get("x-goog-pubsub-subscription-name", "")),
        delivery_attempt=integer(headers.get("x-goog-pubsub-delivery-attempt")) or 0,
        trace=trace,
    )


def _unbase64(data: str, message_id: str) -> bytes:
    try:
        return base64.b64decode(data, altchars=b"-_" if "-" in data or "_" in data else None, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RejectedMessage(Reason.BAD_BASE64, message_id=message_id) from error


def _trace(headers: Mapping[str, str]) -> str:
    found = _TRACE_PARENT.fullmatch(headers.get("traceparent", "")[:200]) or _CLOUD_TRACE.fullmatch(
        headers.get("x-cloud-trace-context", "")[:200]
    )
    return found[1] if found and found[1].strip("0") else ""
