"""JSON is decoded whatever re-publishers, editors and attackers did to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from scc_responder.domain.errors import RejectedMessage
from scc_responder.intake.json_text import decode_json, plain_json
from tests.strategies import JSON

ODD = [
    pytest.param(b'\xef\xbb\xbf{"a": 1}', {"a": 1}, id="byte order mark"),
    pytest.param('{"a": 1}'.encode("utf-16"), {"a": 1}, id="UTF-16 with its mark"),
    pytest.param('{"a": 1}'.encode("utf-16-le"), {"a": 1}, id="UTF-16 without a mark"),
    pytest.param(b'{"a": NaN, "b": -Infinity}', {"a": None, "b": None}, id="numbers that are none"),
    pytest.param(b'{"a": 1e999, "b": NaN}', {"a": None, "b": None}, id="a number without end"),
    pytest.param(b'{"a": ' + b"9" * 5000 + b', "b": NaN}', {"a": None, "b": None}, id="5,000 digits"),
    pytest.param(b'\n\xef\xbb\xbf\xef\xbb\xbf {"a": 1}\n\x00', {"a": 1}, id="two marks, and a zero at the end"),
    pytest.param(b'{"a": "x\ty\n"}', {"a": "x\ty\n"}, id="control characters in a text"),
    pytest.param(b'{"a": "\xff"}', {"a": "\ufffd"}, id="broken UTF-8"),
]


@pytest.mark.parametrize(("content", "value"), ODD)
def test_odd_json_is_decoded_all_the_same(content: bytes, value: Any) -> None:
    """What has no value is not set."""
    assert decode_json(content) == value
    assert json.loads(plain_json(content)) == value


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    """Where the value must be strict JSON."""
    assert plain_json(b'{"a": "\\ud800"}') == b'{"a": "?"}'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "not_json", id="nothing"),
        pytest.param(b"{", "not_json", id="cut off"),
        pytest.param(b"[" * 100_000, "too_deep", id="deep"),
        pytest.param(b"\xff" + b"[" * 100_000, "not_json", id="broken before it is deep"),
    ],
)
def test_what_is_no_json_is_rejected(content: bytes, reason: str) -> None:
    """With the reason why."""
    with pytest.raises(RejectedMessage) as rejected:
        decode_json(content)
    assert rejected.value.reason == reason


def is_strict(value: Any) -> bool:
    """Whether JSON has a form for each number in it: for no infinity, and for what is no number."""
    try:
        return bool(json.dumps(value, allow_nan=False))
    except ValueError:
        return False


@given(JSON.filter(is_strict))
def test_strict_json_stays_as_it_is(value: Any) -> None:
    """Whatever stands in it."""
    assert decode_json(json.dumps(value).encode()) == value
