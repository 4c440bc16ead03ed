"""No message holds the function up: time and size are bounded, wherever a message is large."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from scc_responder.domain.errors import OversizeMessage, RejectedMessage
from scc_responder.intake.envelope import MAX_DATA_BYTES, open_envelope
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import classify
from tests.findings import data, notification, push_body
from tests.fuzz.large import MEGABYTE, large_messages, nested
from tests.fuzz.property import delivered, examined

LARGE = large_messages()
PARSED_SECONDS = 0.05
OPENED_SECONDS = 1.0
STORED_BYTES = 1_500_000


def seconds(call: Callable[[], object], rounds: int = 3) -> float:
    """The least processor time that it takes."""
    spent = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        spent.append(time.process_time() - started)
    return min(spent)


def classified(content: bytes) -> Any:
    """The finding and its threat, or why there is none."""
    try:
        finding = parse_notification(content)
    except RejectedMessage as error:
        return error.reason
    return finding, classify(finding)


@pytest.mark.parametrize("name", LARGE)
def test_half_a_megabyte_takes_under_fifty_milliseconds(name: str) -> None:
    """Parsing and classifying the largest message that is parsed is quick, wherever it is large."""
    content = LARGE[name]()
    assert 4_000 < len(content) <= MAX_DATA_BYTES
    assert seconds(lambda: classified(content)) < PARSED_SECONDS


@pytest.mark.parametrize("name", LARGE)
def test_half_a_megabyte_is_decided_upon(name: str) -> None:
    """It comes to a named reason or a threat, and what is kept of it is bounded."""
    assert examined(LARGE[name]())


@pytest.mark.parametrize("name", LARGE)
def test_what_is_kept_is_bounded(name: str) -> None:
    """Whatever arrived, a finding is small enough to be stored and sent."""
    found = classified(LARGE[name]())
    assert isinstance(found, str) or len(msgspec.json.encode(found[0])) < STORED_BYTES


PADDED = {
    "in front": lambda text: b'{"padding": "' + b"x" * (10 * MEGABYTE - 8000) + b'", ' + text[1:],
    "behind": lambda text: text[:-1] + b', "padding": "' + b"x" * (10 * MEGABYTE - 8000) + b'"}',
    "many small": lambda text: text[:-1] + b', "p": [' + b",".join([b"[{}]"] * 1_900_000) + b"]}",
    "escapes": lambda text: text[:-1] + b', "p": "' + b"\\u202e" * 1_600_000 + b'"}',
    "names everywhere": lambda text: text[:-1] + b', "p": [' + b",".join([b'{"name": "a"}'] * 700_000) + b"]}",
    "cut off": lambda text: text[:-1] + b', "padding": "' + b"x" * (10 * MEGABYTE - 8000),
    "broken UTF-8": lambda text: text[:-1] + b', "padding": "' + b"\xff" * (10 * MEGABYTE - 8000) + b'"}',
}


@pytest.mark.parametrize("name", PADDED)
def test_ten_megabytes_take_under_a_second(name: str) -> None:
    """A message of Pub/Sub's limit is told to be too large, and its finding named, in under a second."""
    document = notification("reverse_shell")
    body = push_body(PADDED[name](data(document)))
    found: list[str | None] = []

    def opened() -> None:
        with pytest.raises(OversizeMessage) as raised:
            open_envelope(body, {})
        found.append(raised.value.finding_name)

    assert seconds(opened, rounds=1) < OPENED_SECONDS
    assert found == [document["finding"]["canonicalName"]]


BODIES = {
    "more than Pub/Sub's limit": b"x" * (15 * MEGABYTE),
    "attributes": b'{"message": {"attributes": {%s}}}' % b",".join(b'"a%d": "b"' % number for number in range(700_000)),
    "bad base64": b'{"message": {"data": "%s"}}' % (b"!" * 13 * MEGABYTE),
    "brackets": b"[" * (13 * MEGABYTE),
    "data in data": json.dumps({"data": {"data": {"data": base64.b64encode(b"x" * 6 * MEGABYTE).decode()}}}).encode(),
}


@pytest.mark.parametrize("name", BODIES)
def test_envelopes_of_ten_megabytes_take_under_a_second(name: str) -> None:
    """What is large around a message does not hold it up either."""
    reasons: list[str] = []
    assert seconds(lambda: reasons.append(delivered(BODIES[name])), rounds=1) < OPENED_SECONDS
    assert reasons[0] in {
        "oversize",
        "oversize_body",
        "no_data",
        "bad_base64",
        "not_json",
        "too_deep",
        "not_an_envelope",
    }


@pytest.mark.parametrize("levels", [100, 1_000, 10_000])
@pytest.mark.parametrize("name", nested(1))
def test_levels_of_nesting(name: str, levels: int) -> None:
    """Ten thousand levels of nesting end in a named reason, or are left out of the finding."""
    content = nested(levels)[name]
    assert examined(content) in {"too_deep", "reverse_shell", "not_a_finding", "malformed_finding_name"}
    assert seconds(lambda: examined(content)) < PARSED_SECONDS


def test_a_million_levels() -> None:
    """What is nothing but depth is refused as such."""
    assert delivered(push_body(b"[" * 400_000)) == "too_deep"
    assert delivered(b'{"message":' * MEGABYTE) == "too_deep"


def test_five_thousand_processes() -> None:
    """Five thousand processes are cut to a bound that is named, quickly."""
    document = notification("reverse_shell")
    document["finding"]["processes"] *= 5000
    content = data(document)

    finding, threat = classified(content)

    assert (len(finding.processes), finding.truncated, threat.name) == (100, ("processes",), "reverse_shell")
    assert seconds(lambda: classified(content)) < PARSED_SECONDS


@pytest.mark.parametrize(("copies", "contradictions"), [(512, ()), (513, ("too_many_pods",))])
def test_more_records_of_pods_than_there_can_be(copies: int, contradictions: tuple[str, ...]) -> None:
    """A pod may repeat; of more records than are read the rest could name another, so that nothing is done."""
    document = notification("reverse_shell")
    document["finding"]["kubernetes"]["pods"] *= copies
    finding, _threat = classified(data(document))
    assert (len(finding.pods), finding.contradictions) == (1, contradictions)


@pytest.mark.parametrize("text", ["x", "\u202e", '"', "\\u003d", "\ud800"])
def test_an_argument_of_a_megabyte(text: str) -> None:
    """A megabyte of one argument is cut to a bound that is marked, quickly."""
    document = notification("reverse_shell")
    document["finding"]["processes"][0]["args"] = [text * (MEGABYTE // len(text))]
    content = data(document)

    finding, _threat = classified(content)

    argument = finding.processes[0].args[0]
    assert len(argument.encode()) <= 4096
    assert argument.endswith("[truncated]")
    assert seconds(lambda: classified(content)) < PARSED_SECONDS


@pytest.mark.parametrize(
    "number", ["9" * 400, "9" * 4400, "-" + "9" * 310, "1e400", "0." + "1" * 400, "NaN", "-Infinity"]
)
@pytest.mark.parametrize("field", ["pid", "size", "sourcePort", "Pid", "eventTime", "category", "severity"])
def test_numbers_that_no_field_can_hold(field: str, number: str) -> None:
    """A number that is too large, too long or none is as if it were not there, or refused by name."""
    text = json.dumps(notification("v1_shape" if field == "Pid" else "reverse_shell"))
    changed = re.sub(rf'"{field}": ("[^"]*"|[0-9.]+)', f'"{field}": {number}', text)
    assert number in changed
    assert examined(changed.encode()) in {"reverse_shell", "unknown", "no_event_time", "not_json"}


def _rule(finding: Any, text: str) -> None:
    finding["sourceProperties"]["detectionCategory"] = {"ruleName": text, "subRuleName": text}


def _review(finding: Any, text: str) -> None:
    finding["kubernetes"]["accessReviews"] = [{"verb": text, "resource": text, "subresource": text, "ns": text}]


def _subject(finding: Any, text: str) -> None:
    subjects = [{"kind": text, "ns": text, "name": text}]
    finding["kubernetes"]["bindings"] = [{"name": text, "role": {"name": text}, "subjects": subjects}]


def _hash(finding: Any, text: str) -> None:
    finding["files"] = [{"path": text, "sha256": text}]


@pytest.mark.parametrize(
    "text", ["x" * 4096, "\u0130" * 2048, "\u202e" * 600], ids=["plain", "grows in lower case", "hidden"]
)
@pytest.mark.parametrize("change", [_rule, _review, _subject, _hash])
def test_texts_made_of_several_are_bounded_too(change: Callable[[Any, str], None], text: str) -> None:
    """What is put together from several long texts, or written in another case, is no longer than one may be."""
    document = notification("reverse_shell")
    change(document["finding"], text)
    assert examined(data(document)) == "reverse_shell"
