"""Findings from folders and exports, in the order of their event times, without holding them in memory.

The files are read twice: once for where each finding lies and when it happened, once for the findings themselves. A
file is `gcloud scc findings list --format=json`, JSON Lines, an answer of the API, or one notification. A file in a
folder may have what is known of its target beside it, in NAME.context.json.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from scc_responder.adapters.local.json_spans import Span, spans
from scc_responder.domain.errors import RejectedMessage, SettingsError
from scc_responder.domain.value import Value, resolved
from scc_responder.intake.fields import timestamp
from scc_responder.intake.notification import parse_notification

_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})


class Stamp(msgspec.Struct, frozen=True):
    """A finding's event time, wherever it stands."""

    eventTime: str | None = None  # noqa: N815 - the JSON name
    event_time: str | None = None
    finding: Stamp | None = None


_stamp = msgspec.json.Decoder(resolved(Stamp))


class ExportedFinding(Value, frozen=True, kw_only=True):
    """One finding as it stands in a file. `where` names it for a person, `fault` is why it cannot be read, else empty.

    `facts` is what stands beside it, where something does.
    """

    where: str
    content: bytes
    fault: str = ""
    facts: bytes | None = None


class FindingsExport:
    """The findings of several files and folders. Its length is how many there are."""

    def __init__(self, paths: Sequence[Path], since: datetime | None = None, until: datetime | None = None) -> None:
        """Read where the findings lie. Raises SettingsError for what is not there. `until` itself is left out."""
        self._files = [file for path in paths for file in _files(path)]
        self._file, self._number = array("I"), array("I")
        self._start, self._length = array("Q"), array("I")
        self._times = array("d")
        self._faults: dict[int, str] = {}
        self._holds = [0] * len(self._files)
        self._since = since.timestamp() if since else float("-inf")
        self._until = until.timestamp() if until else float("inf")
        for index, path in enumerate(self._files):
            self._index(index, path)

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[ExportedFinding]:
        """Every finding, the earliest first; those without a time come before all."""
        opened, stream = -1, None
        try:
            for position in sorted(range(len(self)), key=self._times.__getitem__):
                index = self._file[position]
                if index != opened or stream is None:
                    if stream is not None:
                        stream.close()
                    opened, stream = index, self._files[index].open("rb")
                stream.seek(self._start[position])
                yield self._entry(position, stream.read(self._length[position]))
        finally:
            if stream is not None:
                stream.close()

    def _index(self, index: int, path: Path) -> None:
        try:
            with path.open("rb") as stream, path.open("rb") as reader:
                for span in spans(stream):
                    self._holds[index] += 1
                    self._add(index, span, None if span.fault else _time(_part(reader, span)))
        except OSError as error:
            raise SettingsError("unreadable_file", f"{path}: {error.strerror}") from error

    def _add(self, index: int, span: Span, time: float | None) -> None:
        if time is not None and not self._since <= time < self._until:
            return
        if span.fault:
            self._faults[len(self)] = span.fault
        self._file.append(index)
        self._number.append(span.number)
        self._start.append(span.start)
        self._length.append(0 if span.fault else span.length)
        self._times.append(float("-inf") if time is None else time)

    def _entry(self, position: int, content: bytes) -> ExportedFinding:
        path, alone = self._files[self._file[position]], self._holds[self._file[position]] == 1
        beside = path.with_suffix(".context.json")
        return ExportedFinding(
            where=str(path) if alone else f"{path}, number {self._number[position]}",
            content=content,
            fault=self._faults.get(position, ""),
            facts=beside.read_bytes() if alone and beside.exists() else None,
        )


def _files(path: Path) -> Iterable[Path]:
    """A file itself; of a folder every file of findings in it, but none that stands beside one (`x.context.json`)."""
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and "." not in file.stem)
    if not path.exists():
        raise SettingsError("no_findings", f"{path}: there is no such file or folder")
    return [path]


def _part(stream: BinaryIO, span: Span) -> bytes:
    stream.seek(span.start)
    return stream.read(span.length)


def _time(content: bytes) -> float | None:
    """When the finding happened, in seconds; None where it does not say, or is none."""
    try:
        stamp = _stamp.decode(content)
        inner = stamp.finding or stamp
        time = timestamp(inner.eventTime or inner.event_time)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        time = None
    if time is None:
        try:
            time = parse_notification(content).event_time
        except RejectedMessage:
            return None
    return time.timestamp()
