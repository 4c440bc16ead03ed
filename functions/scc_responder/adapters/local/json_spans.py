"""Find the values in a large file of JSON without reading it whole: where each begins, and how long it is.

A file is an array, an answer with a list (`{"listFindingsResults": [...]}`), one value for each line, or one value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value

MAX_SPAN_BYTES = 8 * 1024 * 1024
"""The longest value that is read."""

_CHUNK = 1024 * 1024
_LIST = re.compile(rb'\s*(?:\[|\{\s*"(?:listFindingsResults|list_findings_results|findings)"\s*:\s*\[)')
# Everything up to the next bracket outside a string. Possessive: an attacker's text costs no backtracking.
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+([\[\]{}])', re.DOTALL)
_BETWEEN = b" \t\r\n,"


class Span(Value, frozen=True, kw_only=True):
    """Where a value lies. `number` counts lines or elements from 1; `fault` is why it cannot be read, else empty."""

    start: int
    length: int
    number: int
    fault: str = ""


def spans(stream: BinaryIO) -> Iterator[Span]:
    """The values of a file, in its order."""
    head = stream.read(_CHUNK)
    opening = _LIST.match(head.removeprefix(b"\xef\xbb\xbf"))
    if opening:
        stream.seek(opening.end() + 3 * head.startswith(b"\xef\xbb\xbf"))
        yield from map(_bounded, _elements(stream))
    elif _is_lines(head):
        stream.seek(0)
        yield from map(_bounded, _lines(stream))
    else:
        yield _bounded(Span(start=0, length=stream.seek(0, 2), number=1))


def _bounded(span: Span) -> Span:
    too_large = span.length > MAX_SPAN_BYTES
    return Span(start=span.start, length=span.length, number=span.number, fault=Reason.TOO_LARGE) if too_large else span


def _is_lines(head: bytes) -> bool:
    """Whether there are several lines, of which the first is a value of its own, however broken."""
    first, _, rest = head.lstrip().partition(b"\n")
    return bool(rest.strip()) and not (first.strip() in {b"{", b""} or first.rstrip().endswith((b",", b"{", b"[")))


def _lines(stream: BinaryIO) -> Iterator[Span]:
    start, number, length, blank = 0, 1, 0, True
    while part := stream.readline(_CHUNK):
        length += len(part)
        blank = blank and not part.strip()
        if part.endswith(b"\n"):
            if not blank:
                yield Span(start=start, length=length, number=number)
            start, number, length, blank = start + length, number + 1, 0, True
    if not blank:
        yield Span(start=start, length=length, number=number)


def _elements(stream: BinaryIO) -> Iterator[Span]:
    """The elements of a list whose opening bracket has been read."""
    depth, number, begin = 0, 0, 0
    for before, bracket, end in _brackets(stream):
        opens = bracket in b"[{"
        if depth == 0 and before.strip(_BETWEEN):
            number += 1
            yield Span(start=end - 1 - len(before.lstrip(_BETWEEN)), length=len(before.strip(_BETWEEN)), number=number)
        if depth == 0 and not opens:
            if bracket == b"":
                break
            return
        if bracket == b"":
            break
        begin = end - 1 if depth == 0 else begin
        depth += 1 if opens else -1
        if depth == 0:
            number += 1
            yield Span(start=begin, length=end - begin, number=number)
    yield Span(start=begin, length=0, number=number + 1, fault="truncated")


def _brackets(stream: BinaryIO) -> Iterator[tuple[bytes, bytes, int]]:
    """Each bracket outside a string: what stands before it, itself (empty at the end of the file), where it ends."""
    buffer, offset, position = b"", stream.tell(), 0
    while True:
        found = _TO_BRACKET.match(buffer, position)
        if found:
            yield buffer[position : found.end() - 1], found[1], offset + found.end()
            position = found.end()
            continue
        chunk = stream.read(_CHUNK)
        if not chunk:
            yield buffer[position:], b"", offset + len(buffer) + 1
            return
        buffer, offset, position = buffer[position:] + chunk, offset + position, 0
