"""A finding too large to parse is still found: its name is cut out in bounded time."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.intake.find_name import MAX_PLACES, find_name
from tests.findings import data, names, notification
from tests.strategies import FINDING_NAME, JSON

ONE = "organizations/1/sources/2/locations/global/findings/aa11"
SAME = "projects/9/sources/2/locations/global/findings/aa11"
TWO = "organizations/1/sources/2/locations/global/findings/bb22"
WRAPPED = base64.b64encode(f'{{"finding":{{"name":"{ONE}","category":"Reverse Shell"}}}}'.encode())


@pytest.mark.parametrize("name", names())
def test_the_name_of_every_golden_is_found(name: str) -> None:
    """What parsing would say, the scan says."""
    document = notification(name)
    finding = document.get("finding", document)
    assert find_name(data(document)) == finding.get("canonicalName", finding["name"])


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param({"finding": {"name": ONE}, "name": TWO}, ONE, id="under finding, not beside it"),
        pytest.param({"related": [{"name": TWO}], "finding": {"name": ONE}}, ONE, id="not in a list before it"),
        pytest.param({"finding": {"canonicalName": SAME}}, SAME, id="the canonical name where there is no other"),
        pytest.param({"finding": {"name": ONE, "canonicalName": SAME}}, SAME, id="the canonical name of the two"),
        pytest.param({"finding": {"name": ONE, "canonicalName": "x"}}, ONE, id="a canonical name that is none"),
        pytest.param({"finding": {"processes": [{"args": [f'"name":"{TWO}"']}], "name": ONE}}, ONE, id="not in text"),
        pytest.param({"findings": {"name": ONE}}, ONE, id="the only one there is"),
        pytest.param({"a": {"name": ONE}, "b": {"name": SAME}}, SAME, id="two spellings of one finding"),
        pytest.param({"a": {"name": ONE}, "b": {"name": TWO}}, None, id="two findings"),
        pytest.param({"finding": {"name": "organizations/1/sources/-/findings/x"}}, None, id="a wildcard source"),
        pytest.param({"finding": {"name": ONE + "/../x"}}, None, id="more after the name"),
        pytest.param({"finding": {"name": ONE + '" OR name="'}}, ONE, id="a quote after the name"),
        pytest.param({"finding": {"name": ONE + "\n"}}, ONE, id="a line break after the name"),
        pytest.param(
            {"finding": {"name": ONE + "\r\n", "externalUri": TWO}}, ONE, id="a line break, and another's name"
        ),
        pytest.param({"finding": {"name": f" /{ONE}/", "externalUri": TWO}}, ONE, id="slashes, and another's name"),
        pytest.param({"note": f"about {ONE}, perhaps"}, ONE, id="in text, the only one there is"),
        pytest.param({"note": f"about {ONE}", "x": {"name": TWO}}, TWO, id="in a field before in text"),
        pytest.param({"note": f"about {ONE} and {TWO}"}, None, id="two in text"),
        pytest.param({"id": f"//securitycenter.googleapis.com/{ONE}"}, ONE, id="a full resource name"),
        pytest.param({"note": json.dumps({"finding": {"name": ONE}})}, ONE, id="JSON within a text of JSON"),
        pytest.param({"id": f"{ONE} " * (MAX_PLACES + 1)}, None, id="more places than are looked at"),
        pytest.param({"finding": {"name": 3}, "x": {"name": ONE}}, ONE, id="a name that is no text"),
        pytest.param({"finding": []}, None, id="no finding"),
        pytest.param({"id": f"{ONE}/"}, ONE, id="a slash after the name"),
        pytest.param({"id": f"{ONE}/securityMarks"}, ONE, id="the marks of the finding"),
        pytest.param({"id": f"{ONE}/externalSystems/jira"}, ONE, id="a ticket of the finding"),
        pytest.param({"message": json.dumps(json.dumps({"name": ONE})).replace("/", "\\/")}, ONE, id="escaped twice"),
        pytest.param([], None, id="no object"),
    ],
)
def test_the_findings_own_name_is_preferred(content: Any, name: str | None) -> None:
    """A name in another place, or in text an attacker wrote, does not stand in for the finding's."""
    assert find_name(json.dumps(content).encode()) == name


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(b'{"finding":{"name":"%s","x":"\\ud8' % ONE.encode(), ONE, id="cut off in the middle"),
        pytest.param(b'{"x":' + b"[" * 5000 + b'{"name" : "%s"}' % ONE.encode(), ONE, id="nested too deep"),
        pytest.param(b'{"finding":{"x":"\xff\xfe","name":"%s"}}' % ONE.encode(), ONE, id="broken UTF-8"),
        pytest.param(b'\xff"name":"%s" "name":"%s"' % (ONE.encode(), TWO.encode()), None, id="two in no JSON"),
        pytest.param(b'{"name":"%s", x' % ONE.replace("/", "\\/").encode(), ONE, id="slashes that are escaped"),
        pytest.param(b'{"name":"%s", x' % ONE.replace("/", "\\u002f").encode(), ONE, id="slashes by their number"),
        pytest.param(b"name=" + quote(ONE, safe="").encode(), ONE, id="a form"),
        pytest.param(f'{{"name":"{ONE}"'.encode("utf-16"), ONE, id="UTF-16, cut off"),
        pytest.param(WRAPPED[:-20], ONE, id="base64, cut off"),
        pytest.param(b'{"data":"data:application/json;base64,%s"}' % WRAPPED, ONE, id="an address that holds it"),
        pytest.param(b"message=" + quote(b'{"data":"%s"}' % WRAPPED, safe="").encode(), ONE, id="base64 in a form"),
        pytest.param(base64.encodebytes(WRAPPED), ONE, id="base64 in base64, in lines"),
        pytest.param(WRAPPED + b" " + base64.b64encode(b'"name":"%s"' % TWO.encode()), None, id="two in base64"),
        pytest.param(WRAPPED + b" " + TWO.encode(), TWO, id="outside base64 before in it"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_what_is_no_json_is_searched_for_the_only_name(content: bytes, name: str | None) -> None:
    """Padding that breaks the parser does not hide the finding."""
    assert find_name(content) == name


@pytest.mark.parametrize(
    ("start", "padding", "end"),
    [
        pytest.param(b'{"x":"', b"A", b'"}', id="one string"),
        pytest.param(b'{"x":"', b'\\"', b'"}', id="escapes"),
        pytest.param(b'{"x":[', b"{},", b"0]}", id="small objects"),
        pytest.param(b"", b'"name"', b"", id="the key alone"),
        pytest.param(b"", b'"name"' + b" " * 16 + b":" + b" " * 17, b"", id="keys and white space"),
        pytest.param(b"", b'"name":"organizations/1/sources/1/findings/' + b"a" * 129, b"", id="almost names"),
        pytest.param(b"", b"organizations/1/sources/1/findings/" + b"a" * 129, b"", id="almost names in text"),
        pytest.param(b"", b"/findings/", b"", id="the middle of a name"),
        pytest.param(b"", b"[", b"", id="brackets"),
        pytest.param(b"", b"%2F", b"", id="slashes of a form"),
        pytest.param(b"", b"\\\\/", b"", id="slashes that are escaped"),
        pytest.param(b"", base64.b64encode(base64.b64encode(b"x" * 300)) + b" ", b"", id="base64 in base64"),
    ],
)
def test_fourteen_megabytes_take_well_under_a_second(start: bytes, padding: bytes, end: bytes) -> None:
    """No padding makes the scan slow."""
    content = start + padding * (14_000_000 // len(padding)) + end
    started = time.process_time()
    assert find_name(content) is None
    assert time.process_time() - started < 0.9


@given(FINDING_NAME, JSON, JSON)
def test_the_name_is_found_whatever_surrounds_it(name: str, before: Any, after: Any) -> None:
    """Neither order nor neighbours matter."""
    content = json.dumps({"x": before, "finding": {"a": before, "name": name, "z": after}, "y": after})
    assert find_name(content.encode()) == name


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_give_a_name_or_none(content: bytes) -> None:
    """Junk raises nothing."""
    assert find_name(content) is None
