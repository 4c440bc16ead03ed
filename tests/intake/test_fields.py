"""Single values of a notification, in every way in which serialisers write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from scc_responder.intake import fields
from tests.strategies import JSON

NOON = datetime(2026, 3, 2, 12, 0, 0, 123000, UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1}, {"a": 1}),
        ([{"key": "a", "value": 1}, {"key": 2}, "x", {"key": "b"}], {"a": 1, "b": None}),
        ([], {}),
        (None, {}),
        ("text", {}),
    ],
)
def test_an_object_is_read_in_both_forms(value: Any, expected: dict[str, Any]) -> None:
    """An object, or a list of its pairs."""
    assert fields.mapping(value) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"eventTime": 1, "event_time": 2}, 1),
        ({"event_time": 2}, 2),
        ({"eventTime": None, "event_time": 2}, 2),
        ({}, None),
    ],
)
def test_a_field_has_two_names(record: dict[str, Any], expected: Any) -> None:
    """The JSON name goes before the proto's."""
    assert fields.field(record, "eventTime") == expected


def test_only_strings_are_texts() -> None:
    """Null, in both spellings, and other types are empty; what cannot be printed is made visible."""
    assert [fields.string(value) for value in ("a", None, 3, "NULL_VALUE", "a\nb")] == ["a", "", "", "", "a\\u000ab"]
    assert fields.strings(["b", "a", 1, "", "b", "c"], 2) == ("b", "a")
    assert fields.strings("text", 2) == ()
    assert fields.records([{"a": 1}, "x"]) == [{"a": 1}]
    assert fields.records({"a": 1}) == []
    assert fields.part({"sourceProperties": None, "source_properties": {"a": 1}}, "sourceProperties") == {"a": 1}


def test_unspecified_enums_are_not_set() -> None:
    """A value that says that nothing is said is empty."""
    assert fields.enum({"mute": "MUTED"}, "mute") == "MUTED"
    assert fields.enum({"mute": "MUTE_UNSPECIFIED"}, "mute") == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"/tmp/a"', "/tmp/a"),
        ("/tmp/a", "/tmp/a"),
        ('"a\\u003db"', "a=b"),
        ("a\\u003Db\\u0026", "a=b&"),
        ('"broken\\"', '"broken\\"'),
        (7, ""),
    ],
)
def test_encoded_text_is_decoded_once(value: Any, expected: str) -> None:
    """JSON within JSON, Gson's escapes, and text as it stands."""
    assert fields.json_decoded(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://example.com/?a\\u003d1", "https://example.com/?a=1"),
        ("http://example.com", ""),
        ("javascript:alert(1)", ""),
        (None, ""),
    ],
)
def test_only_https_is_a_link(value: Any, expected: str) -> None:
    """Nothing else is ever shown as one."""
    assert fields.link(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (3.0, 3),
        ("3", 3),
        ("-3.0", -3),
        (3.5, None),
        ("3.5", None),
        (True, None),
        (float("inf"), None),
        (2**63, None),
        ("9" * 30, None),
        (None, None),
    ],
)
def test_whole_numbers_are_read_in_all_spellings(value: Any, expected: int | None) -> None:
    """What is no whole number of 64 bits is none."""
    assert fields.integer(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), ("True", True), ("yes", False), (1, False), (None, False)]
)
def test_only_true_is_a_flag(value: Any, expected: bool) -> None:
    """JSON's `true`, and its text."""
    assert fields.flag(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-02T12:00:00.123Z", NOON),
        ("2026-03-02T12:00:00.123456789Z", NOON),
        ("2026-03-02T13:30:00.123+01:30", NOON),
        ({"seconds": int(NOON.timestamp()), "nanos": 123_999_999}, NOON),
        ({"seconds": "1772452800", "nanos": 123000000}, NOON),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
        ({"seconds": 253402300799}, None),
        ("2026-13-02T12:00:00Z", None),
        ("yesterday", None),
        ({"seconds": 0}, None),
        ({"seconds": 10, "nanos": -1}, None),
        ({"seconds": 2**62}, None),
        (None, None),
    ],
)
def test_times_are_read_to_the_millisecond(value: Any, expected: datetime | None) -> None:
    """Text or seconds; times that are not set, and nonsense, are none."""
    assert fields.timestamp(value) == expected


@given(JSON)
def test_no_json_value_raises(value: Any) -> None:
    """Whatever stands in a notification, reading it never fails."""
    for read in (fields.mapping, fields.records, fields.string, fields.json_decoded, fields.link, fields.integer):
        read(value)
    fields.flag(value)
    fields.timestamp(value)
