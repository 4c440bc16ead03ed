"""The collector's documents about connections. Pure; unknown fields are passed over.

Source: functions/collector/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from scc_responder.domain.kubernetes.collector_stream import Frame, FrameKind, Truncated
from scc_responder.domain.text import listed, visible
from scc_responder.domain.value import Value

AnswerDocuments = Mapping[str, Mapping[str, Any]]
"""By their names."""

_T = TypeVar("_T")


class Socket(Value, frozen=True, kw_only=True):
    """A socket: `remote` is the kernel's address and port."""

    protocol: str = ""
    state: str = ""
    remote: str = ""

    def __str__(self) -> str:
        return f"{self.protocol} {self.remote} {self.state}"


class CutAnswer(Value, frozen=True, kw_only=True):
    """`cut`: the sockets that were ended, and what the last dump still showed.

    `complete`: that dump saw every kind of socket, and none was left. `severed_at`: when it began, in RFC 3339.
    """

    found: int
    destroyed: int
    complete: bool
    severed_at: str = ""
    left: tuple[Socket, ...] = ()
    left_count: int = 0
    errors: dict[str, int] = {}
    unseen: dict[str, int] = {}

    def __str__(self) -> str:
        counts = f"{self.destroyed} of {self.found} connections ended, {self.left_count} left"
        more = (listed([str(socket) for socket in self.left]), *map(_counted, (self.errors, self.unseen)))
        return visible(": ".join(filter(None, (counts, "; ".join(filter(None, more))))))


def documents(frames: Iterable[Frame], last: str = "") -> AnswerDocuments:
    """The documents up to the one that is named so, without which they end; all of them where none is named.

    Raises Truncated.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for frame in frames:
        if frame.kind is FrameKind.DOCUMENT:
            told = frame.json()
            found.setdefault(str(told.get("name")), told)
            if last in found:
                break
    return found


def document(found: AnswerDocuments, name: str, kind: type[_T]) -> _T:
    """One of them. Raises Truncated where it is not there, or not of its form."""
    try:
        return msgspec.convert(found.get(name), kind)
    except msgspec.ValidationError as error:
        raise Truncated(f"the answer has no document {name} of its form") from error


def told_time(text: str) -> datetime | None:
    """A time as documents tell it; None for none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())
