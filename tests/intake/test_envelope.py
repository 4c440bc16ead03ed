"""What arrives over HTTP is opened, or refused with a named reason and a hash."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.errors import OversizeMessage, RejectedMessage
from scc_responder.intake.envelope import (
    MAX_DATA_BYTES,
    MAX_ENVELOPE_BYTES,
    NOTIFICATION_FIELDS,
    Message,
    open_envelope,
    published,
)
from scc_responder.intake.find_name import find_name
from scc_responder.intake.notification import parse_notification
from tests.findings import TOPIC_SUBSCRIPTION, data, notification, push_body
from tests.strategies import JSON

NOTICE = data(notification("reverse_shell"))
PUSH = json.loads(push_body(NOTICE))
EVENT_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"
EVENT_HEADERS = {
    "ce-type": EVENT_TYPE,
    "ce-specversion": "1.0",
    "ce-source": "//pubsub.googleapis.com/projects/example-project/topics/scc",
    "ce-id": "22",
    "ce-time": "2026-03-02T09:38:17.113Z",
    "content-type": "application/json",
}


def body(**message: Any) -> bytes:
    return json.dumps({"message": message, "subscription": TOPIC_SUBSCRIPTION}).encode()


B64 = base64.b64encode(NOTICE).decode()


@pytest.mark.parametrize(
    ("request_body", "headers", "expected"),
    [
        pytest.param(
            push_body(NOTICE, delivery_attempt=3),
            {"Content-Type": "application/json"},
            Message(
                message_id="11111111111111",
                data=NOTICE,
                delivery_attempt=3,
            ),
            id="Pub/Sub push",
        ),
        pytest.param(
            body(data=B64, message_id="5", publish_time="2026-03-02T09:38:17.113Z", attributes={"team": "shop"}),
            {},
            Message(
                message_id="5",
                data=NOTICE,
            ),
            id="proto spelling and attributes",
        ),
        pytest.param(
            body(data=B64, attributes=None),
            EVENT_HEADERS,
            Message(message_id="22", data=NOTICE),
            id="Eventarc, binary mode",
        ),
        pytest.param(
            json.dumps({"specversion": "1.0", "type": EVENT_TYPE, "id": "22", "data": PUSH}).encode(),
            {"Content-Type": "application/cloudevents+json"},
            Message(message_id="11111111111111", data=NOTICE),
            id="Eventarc, structured mode",
        ),
        pytest.param(
            json.dumps(
                {"data": {"data": B64}, "context": {"eventId": "7", "timestamp": "2026-03-02T09:38:17.113Z"}}
            ).encode(),
            {},
            Message(message_id="7", data=NOTICE),
            id="legacy background event",
        ),
        pytest.param(
            NOTICE,
            {
                "X-Goog-Pubsub-Message-Id": "9",
                "X-Goog-Pubsub-Publish-Time": "2026-03-02T09:38:17.113Z",
                "X-Goog-Pubsub-Subscription-Name": TOPIC_SUBSCRIPTION,
            },
            Message(message_id="9", data=NOTICE),
            id="unwrapped, with metadata",
        ),
        pytest.param(NOTICE, {}, Message(data=NOTICE), id="unwrapped, without metadata"),
        pytest.param(
            data(notification("bare_finding")), {}, Message(data=data(notification("bare_finding"))), id="bare finding"
        ),
        pytest.param(body(data=base64.urlsafe_b64encode(b"\xfb\xff" * 9).decode()), {}, None, id="URL-safe base64"),
    ],
)
def test_every_envelope_is_opened(request_body: bytes, headers: Mapping[str, str], expected: Message | None) -> None:
    """Push, Eventarc in both modes, legacy events and unwrapped messages all give the published bytes."""
    opened = open_envelope(request_body, headers)
    assert opened == (expected or Message(data=b"\xfb\xff" * 9))


MARK = b"\xef\xbb\xbf"
LINES = "\r\n".join(B64[at : at + 76] for at in range(0, len(B64), 76)) + "\n"
BARE = json.loads(NOTICE)
EVENT = {"specversion": "1.0", "type": EVENT_TYPE, "id": "22"}


@pytest.mark.parametrize(
    ("request_body", "message_id", "attempt"),
    [
        pytest.param(json.dumps({**PUSH, "deliveryAttempt": 2.0}).encode(), "11111111111111", 2, id="attempt 2.0"),
        pytest.param(json.dumps({**PUSH, "deliveryAttempt": "3"}).encode(), "11111111111111", 3, id="attempt as text"),
        pytest.param(
            json.dumps({**PUSH, "deliveryAttempt": {}}).encode(), "11111111111111", 0, id="attempt, an object"
        ),
        pytest.param(
            json.dumps({**PUSH, "deliveryAttempt": math.nan}).encode(), "11111111111111", 0, id="attempt, NaN"
        ),
        pytest.param(
            json.dumps({**PUSH, "subscription": [1]}).encode(), "11111111111111", 0, id="subscription, a list"
        ),
        pytest.param(json.dumps({**PUSH, "type": 5}).encode(), "11111111111111", 0, id="type as a number"),
        pytest.param(
            json.dumps({**PUSH, "type": "team.event"}).encode(), "11111111111111", 0, id="type of a forwarder"
        ),
        pytest.param(body(data=B64, messageId=5.0), "5", 0, id="message id 5.0"),
        pytest.param(body(data=B64, messageId={"id": 5}), "", 0, id="message id, an object"),
        pytest.param(b'{"messageId": "\xff", %s' % body(data=B64)[1:], "", 0, id="message id of broken UTF-8"),
        pytest.param(b'{"deliveryAttempt": 1e999, %s' % body(data=B64)[1:], "", 0, id="attempt beyond all numbers"),
        pytest.param(body(data=B64, attributes={"rank": 1}), "", 0, id="attribute as a number"),
        pytest.param(body(data=B64, attributes="x"), "", 0, id="attributes as text"),
        pytest.param(body(data=B64, attributes={"x": "\ud800"}), "", 0, id="lone surrogate in an attribute"),
        pytest.param(body(data=B64, publishTime={"seconds": 1}), "", 0, id="time as an object"),
        pytest.param(MARK + body(data=B64), "", 0, id="byte order mark"),
        pytest.param(body(data=B64).decode().encode("utf-16"), "", 0, id="UTF-16"),
        pytest.param(MARK + b"[" + body(data=B64) + b"]", "", 0, id="mark before the only one of a list"),
        pytest.param(b"[%s]\0" % body(data=B64), "", 0, id="zero after it"),
        pytest.param(body(data=LINES), "", 0, id="base64 in lines"),
        pytest.param(body(data=B64.rstrip("=")), "", 0, id="base64 without padding"),
        pytest.param(body(data=NOTICE.decode()), "", 0, id="data that was not encoded"),
        pytest.param(body(data=BARE), "", 0, id="data as an object"),
        pytest.param(body(data=list(NOTICE)), "", 0, id="data as numbers"),
        pytest.param(body(data={"type": "Buffer", "data": list(NOTICE)}), "", 0, id="data as Node.js writes it"),
        pytest.param(json.dumps({"data": B64, "messageId": "4"}).encode(), "4", 0, id="a message alone"),
        pytest.param(json.dumps([{"ackId": "a", "message": {"data": B64}}]).encode(), "", 0, id="as gcloud pulls it"),
        pytest.param(
            json.dumps({**EVENT, "data_base64": base64.b64encode(push_body(NOTICE)).decode()}).encode(),
            "11111111111111",
            0,
            id="CloudEvent with binary data",
        ),
        pytest.param(
            json.dumps({"data": {"data": B64}, "context": "prod"}).encode(),
            "",
            0,
            id="a legacy event's context as text",
        ),
        pytest.param(json.dumps({**EVENT, "data": BARE}).encode(), "22", 0, id="CloudEvent around a notification"),
        pytest.param(json.dumps({**EVENT, "data": {"data": B64}}).encode(), "22", 0, id="CloudEvent around a message"),
    ],
)
def test_only_the_data_of_an_envelope_is_needed(request_body: bytes, message_id: str, attempt: int) -> None:
    """Decoration of any type is left out, and the data is read however it was encoded."""
    opened = open_envelope(request_body, {})
    assert json.loads(opened.data) == BARE
    assert (opened.message_id, opened.delivery_attempt) == (message_id, attempt)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(body(data=base64.b64encode(MARK + NOTICE).decode()), id="mark within the data"),
        pytest.param(body(data=base64.b64encode(push_body(NOTICE)).decode()), id="an envelope within the data"),
        pytest.param(MARK + NOTICE, id="a file with a mark"),
        pytest.param(NOTICE, id="no envelope"),
        pytest.param(json.dumps([json.loads(NOTICE)]).encode(), id="the only one of a list"),
    ],
)
def test_files_and_messages_are_opened_by_one_reader(content: bytes) -> None:
    """What a delivery can be, a file, a dead letter and an export can be."""
    assert parse_notification(open_envelope(content, {}).data) == parse_notification(content)
    assert parse_notification(content) == parse_notification(NOTICE)


def test_what_is_no_envelope_stands_for_itself() -> None:
    """As junk, and as a notification."""
    assert [published(content) for content in (b"junk", b"{}", NOTICE)] == [b"junk", b"{}", NOTICE]


def test_envelopes_in_one_another_come_to_an_end() -> None:
    """However deeply somebody nests them."""
    nested = b'{"data":' * 5000 + b'"' + B64.encode() + b'"' + b"}" * 5000
    began = time.process_time()
    assert isinstance(opened_or_refused(nested, {}), RejectedMessage)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("request_body", "is_about_finding", "names"),
    [
        pytest.param(body(data=B64[:400] + "*" + B64[400:]), True, True, id="a letter too many in base64"),
        pytest.param(body(data=B64[:400] + "*" + B64[401:]), True, True, id="a wrong letter in base64"),
        pytest.param(NOTICE[:-1], True, True, id="JSON cut off"),
        pytest.param(json.dumps([BARE, BARE]).encode(), True, True, id="one finding twice"),
        pytest.param(b'["folders/1/sources/2/findings/a", "folders/1/sources/2/findings/b"]', True, False, id="two"),
        pytest.param(b"hello", False, False, id="junk"),
    ],
)
def test_what_is_refused_says_which_finding_it_names(request_body: bytes, is_about_finding: bool, names: bool) -> None:
    """So that it can be read again by its name, or told."""
    with pytest.raises(RejectedMessage) as refused:
        open_envelope(request_body, {})
    assert (refused.value.is_about_finding, refused.value.finding_name is not None) == (is_about_finding, names)


@pytest.mark.parametrize(
    ("request_body", "headers", "reason"),
    [
        pytest.param(b"", {}, "not_json", id="nothing"),
        pytest.param(b"hello", {}, "not_json", id="text"),
        pytest.param(b"\xff\xfe", {}, "not_json", id="bytes"),
        pytest.param(b'{"message":', {}, "not_json", id="cut off"),
        pytest.param(b"[]", {}, "not_an_envelope", id="a list"),
        pytest.param(b"17", {}, "not_an_envelope", id="a number"),
        pytest.param(b'{"message": "hi"}', {}, "not_an_envelope", id="a message that is text"),
        pytest.param(b'{"message": {"data": 5}}', {}, "not_an_envelope", id="data that is a number"),
        pytest.param(b'{"message": {}}', {}, "no_data", id="no data"),
        pytest.param(b'{"message": {"data": ""}}', {}, "no_data", id="empty data"),
        pytest.param(b'{"message": {"data": "&&&&"}}', {}, "bad_base64", id="no base64"),
        pytest.param(b'{"message": {"data": "abcde"}}', {}, "bad_base64", id="base64 cut off"),
        pytest.param('{"message": {"data": "é==="}}'.encode(), {}, "bad_base64", id="base64 that is no ASCII"),
        pytest.param(b'{"temperature": 21}', {}, "foreign_json", id="JSON of somebody else"),
        pytest.param(b'{"receivedMessages": []}', {}, "foreign_json", id="a pull answer"),
        pytest.param(b'{"data": {"x": 1}}', {}, "foreign_json", id="another event's data"),
        pytest.param(NOTICE, {"Ce-Type": "google.cloud.storage.object.v1.finalized"}, "foreign_event", id="an event"),
        pytest.param(b'{"type": "com.example.x", "data": {"message": {}}}', {}, "foreign_event", id="structured event"),
        pytest.param(b'{"data": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", {}, "too_deep", id="nested too deep"),
    ],
)
def test_junk_is_refused_with_a_named_reason_and_a_hash(
    request_body: bytes, headers: Mapping[str, str], reason: str
) -> None:
    """Every message that is settled unread can be told apart in the records."""
    with pytest.raises(RejectedMessage) as refused:
        open_envelope(request_body, headers)
    assert refused.value.reason == reason
    assert refused.value.sha256 == sha256(request_body).hexdigest()


@pytest.mark.parametrize(
    ("headers", "trace"),
    [
        pytest.param({"Traceparent": f"00-{'a1' * 16}-{'b2' * 8}-01"}, "a1" * 16, id="W3C"),
        pytest.param({"X-Cloud-Trace-Context": f"{'c3' * 16}/123;o=1"}, "c3" * 16, id="Google's"),
        pytest.param(
            {"traceparent": f"00-{'a1' * 16}-{'b2' * 8}-01", "x-cloud-trace-context": "c3" * 16}, "a1" * 16, id="both"
        ),
        pytest.param({"traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-00"}, "", id="all zero"),
        pytest.param({"traceparent": 'x","severity":"DEBUG'}, "", id="an attempt at the log's own fields"),
        pytest.param({}, "", id="none"),
    ],
)
def test_the_trace_is_taken_from_the_request(headers: Mapping[str, str], trace: str) -> None:
    """Log lines can be joined with the request that caused them, and by nothing that is no trace id."""
    assert open_envelope(push_body(NOTICE), headers).trace == trace


def padded(size: int) -> bytes:
    """A genuine notification padded by its attacker to exactly `size` bytes."""
    document = notification("reverse_shell")
    document["finding"]["processes"][0]["args"] = [""]
    document["finding"]["processes"][0]["args"] = ["A" * (size - len(data(document)))]
    return data(document)


def test_a_message_of_the_largest_size_is_opened() -> None:
    """512 KiB are read in full."""
    assert len(open_envelope(push_body(padded(MAX_DATA_BYTES)), {}).data) == MAX_DATA_BYTES


@pytest.mark.parametrize(
    "size", [pytest.param(MAX_DATA_BYTES + 1, id="512 KiB + 1"), pytest.param(10_000_000, id="10 MB")]
)
def test_a_padded_finding_is_named_and_not_parsed(size: int) -> None:
    """An attacker who pads a finding gains a second look, not silence."""
    content = padded(size)
    with pytest.raises(OversizeMessage) as oversize:
        open_envelope(push_body(content), {})
    told = oversize.value
    assert (told.reason, told.message_id, told.sha256) == ("oversize", "11111111111111", sha256(content).hexdigest())
    assert told.finding_name == notification("reverse_shell")["finding"]["canonicalName"]


def test_oversize_junk_has_no_name() -> None:
    """What names no finding is for a person to look at."""
    with pytest.raises(OversizeMessage) as oversize:
        open_envelope(push_body(b"A" * (MAX_DATA_BYTES + 1)), {})
    assert oversize.value.finding_name is None


def test_a_body_beyond_what_pubsub_can_send_is_not_opened() -> None:
    """Memory is bounded whatever a caller sends."""
    with pytest.raises(OversizeMessage) as oversize:
        open_envelope(b" " * (MAX_ENVELOPE_BYTES + 1), {})
    assert (oversize.value.reason, oversize.value.finding_name) == ("oversize_body", None)


def test_a_message_is_known_by_the_hash_of_its_data() -> None:
    """Two deliveries of one publication have one hash, whatever their envelope."""
    pushed, bare = open_envelope(push_body(NOTICE), {}), open_envelope(NOTICE, {})
    assert pushed.sha256 == bare.sha256 == sha256(NOTICE).hexdigest()


def test_control_characters_in_metadata_are_made_visible() -> None:
    """A message id forges no log line."""
    assert open_envelope(body(data=B64, messageId="1\n2"), {}).message_id == "1\\u000a2"


def opened_or_refused(request_body: bytes, headers: Mapping[str, str]) -> Message | RejectedMessage:
    try:
        return open_envelope(request_body, headers)
    except RejectedMessage as refused:
        return refused


@given(
    st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()), st.dictionaries(st.text(), st.text())
)
def test_any_request_is_opened_or_refused(request_body: bytes, headers: dict[str, str]) -> None:
    """Nothing that arrives ends in an unhandled error, and everything has a hash."""
    assert len(opened_or_refused(request_body, headers).sha256) == 64


@given(JSON, JSON, JSON)
def test_any_fields_of_a_message_are_opened_or_refused(message_data: Any, attributes: Any, attempt: Any) -> None:
    """Only the data can be wrong: whatever else there is makes no difference."""
    message = {"data": message_data, "attributes": attributes, "messageId": attempt, "publishTime": attributes}
    outcome = opened_or_refused(json.dumps({"message": message, "deliveryAttempt": attempt}).encode(), {})
    alone = opened_or_refused(json.dumps({"message": {"data": message_data}}).encode(), {})
    assert type(outcome) is type(alone)
    if isinstance(outcome, RejectedMessage):
        assert outcome.reason in {"not_an_envelope", "not_json", "no_data", "bad_base64"}


def test_the_scan_agrees_with_the_envelope() -> None:
    """What is cut out of an oversize message is what parsing a small one gives."""
    assert (
        find_name(open_envelope(push_body(NOTICE), {}).data)
        == notification("reverse_shell")["finding"]["canonicalName"]
    )


@pytest.mark.parametrize("field", sorted(NOTIFICATION_FIELDS))
def test_what_has_a_field_of_a_notification_has_no_envelope(field: str) -> None:
    """Whatever else stands beside it, so that it is decoded once."""
    content = json.dumps({field: {}, "message": {"data": "e30="}}).encode()
    assert published(content) == content
