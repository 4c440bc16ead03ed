"""Finding values in large files of JSON: all of them, wherever they lie, and without reading the file whole."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc_responder.adapters.local import json_spans
from scc_responder.adapters.local.json_spans import MAX_SPAN_BYTES, Span, spans

NASTY = {"a": '"]}\\', "b": ["{", {"c": '\\\\"[,'}], "d": "\u2028 x\n", "e": {}}


def found(content: bytes) -> list[Any]:
    """The values that the spans say, parsed; a fault where there is one."""
    return [span.fault or _parsed(content, span) for span in spans(io.BytesIO(content))]


def _parsed(content: bytes, span: Span) -> Any:
    text = content[span.start : span.start + span.length]
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


VALUES = [{"n": 1}, NASTY, {"n": []}]
SHAPES = [
    pytest.param(json.dumps(VALUES).encode(), VALUES, id="array"),
    pytest.param(json.dumps(VALUES, indent=2).encode(), VALUES, id="array-indented"),
    pytest.param(b"\xef\xbb\xbf \n" + json.dumps(VALUES).encode(), VALUES, id="byte-order-mark"),
    pytest.param(json.dumps({"listFindingsResults": VALUES, "nextPageToken": "x"}).encode(), VALUES, id="answer"),
    pytest.param("".join(f"{json.dumps(value)}\n" for value in VALUES).encode(), VALUES, id="lines"),
    pytest.param("\n\n".join(json.dumps(value) for value in VALUES).encode(), VALUES, id="lines-and-blanks"),
    pytest.param(json.dumps(NASTY).encode(), [NASTY], id="one"),
    pytest.param(json.dumps(NASTY, indent=2).encode(), [NASTY], id="one-indented"),
    pytest.param(b"[]", [], id="empty-array"),
    pytest.param(b"[ {}, {} ]", [{}, {}], id="empty-objects"),
    pytest.param(b'{"n":1}\n{"n":\n{"n":3}\n', [{"n": 1}, b'{"n":', {"n": 3}], id="broken-line"),
    pytest.param(b'[{"n":1}, 5, "x", null, {"n":2}]', [{"n": 1}, b'5, "x", null', {"n": 2}], id="no-objects"),
    pytest.param(b'[ 1, {"n":2}]', [1, {"n": 2}], id="a-number-first"),
    pytest.param(b'[{"n":1}, {"n":', [{"n": 1}, "truncated"], id="cut-off"),
    pytest.param(b'[{"n":1}, {"n":"abc', [{"n": 1}, "truncated"], id="cut-off-in-a-string"),
    pytest.param(b"[", ["truncated"], id="only-opened"),
    pytest.param(b"junk", [b"junk"], id="junk"),
    pytest.param(b"", [b""], id="nothing"),
]


@pytest.mark.parametrize(("content", "values"), SHAPES)
def test_every_shape_of_file_is_read(content: bytes, values: list[Any]) -> None:
    """Every shape of file has its values found, and a broken one costs no other."""
    assert found(content) == values


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=6)


@given(OBJECTS, st.sampled_from([None, 1]), st.booleans(), st.integers(1, 40))
@settings(max_examples=300)
def test_any_array_yields_exactly_its_objects(values: list[Any], indent: int | None, escaped: bool, chunk: int) -> None:
    """Whatever the objects hold, and wherever the file is cut into pieces, exactly they are found."""
    content = json.dumps(values, indent=indent, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    whole, json_spans._CHUNK = json_spans._CHUNK, chunk
    try:
        stream = io.BytesIO(content)
        stream.seek(content.index(b"[") + 1)
        got = [json.loads(content[span.start : span.start + span.length]) for span in json_spans._elements(stream)]
    finally:
        json_spans._CHUNK = whole
    assert got == values


@given(OBJECTS)
def test_any_line_yields_its_object_and_number(values: list[Any]) -> None:
    """One object for each line: each is found, and knows the number of its line."""
    content = "".join(f"{json.dumps(value)}\n" for value in [{"n": 0}, *values, {"n": 1}]).encode()
    got = list(spans(io.BytesIO(content)))
    assert [json.loads(content[span.start : span.start + span.length]) for span in got] == [{"n": 0}, *values, {"n": 1}]
    assert [span.number for span in got] == list(range(1, len(values) + 3))


@given(st.binary(max_size=300))
def test_any_bytes_yield_ordered_spans(content: bytes) -> None:
    """Nothing is too broken: spans lie in the file, in order, and do not overlap."""
    for start in (b"", b"[", b'{"listFindingsResults":['):
        end = 0
        for span in spans(io.BytesIO(start + content)):
            assert end <= span.start or span.fault
            assert span.start + span.length <= len(start + content)
            end = span.start + span.length


@pytest.mark.parametrize(
    "text", ['"' * 200_001, '"' + "\\" * 200_001, "[" * 100_000, '{"a":' * 50_000, '"a",' * 100_000]
)
def test_hostile_text_costs_no_more(text: str) -> None:
    """Quotes, backslashes and brackets by the hundred thousand are passed over once."""
    assert [span.fault for span in spans(io.BytesIO(f"[{text}".encode()))][-1] in {"truncated", ""}


def test_a_value_too_large_is_skipped() -> None:
    """A value that is too large is not read, in an array and on a line, and the next one is."""
    large = json.dumps({"a": "x" * MAX_SPAN_BYTES})
    assert found(f'[{large},{{"n":1}}]'.encode()) == ["too_large", {"n": 1}]
    assert found(f'{{"n":0}}\n{large}\n{{"n":1}}\n'.encode()) == [{"n": 0}, "too_large", {"n": 1}]
    assert found(large.encode()) == ["too_large"]


def test_a_large_array_needs_little_memory() -> None:
    """An array of 10 MB is passed over in the memory of a few pieces of it."""
    item = json.dumps({"finding": {"a": "x" * 2000, "b": [1, 2, {"c": "}"}]}}).encode()

    class Generated(io.RawIOBase):
        """An array that is made while it is read."""

        def __init__(self) -> None:
            self.left, self.rest, self.at = 5_000, b"[", 0

        def read(self, size: int = -1) -> bytes:
            while self.left and len(self.rest) < size:
                self.left -= 1
                self.rest += item + (b"," if self.left else b"]")
            part, self.rest = self.rest[:size], self.rest[size:]
            self.at += len(part)
            return part

        def seek(self, offset: int, whence: int = 0) -> int:
            self.left, self.rest, self.at = 5_000, b"[", 0
            return len(self.read(offset))

        def tell(self) -> int:
            return self.at

    tracemalloc.start()
    count = sum(1 for _ in spans(Generated()))  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 5_000
    assert peak < 8 * 1024 * 1024
