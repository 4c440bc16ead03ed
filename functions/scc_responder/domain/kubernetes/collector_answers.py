"""The collector's documents about connections and frozen processes. Pure; unknown fields are passed over.

Source: functions/collector/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from scc_responder.domain.kubernetes.collector_stream import Frame, FrameKind, Truncated
from scc_responder.domain.status import FrozenProcess
from scc_responder.domain.text import listed, visible
from scc_responder.domain.value import Value, resolved

AnswerDocuments = Mapping[str, Mapping[str, Any]]
"""By their names."""

_T = TypeVar("_T")


class Socket(Value, frozen=True, kw_only=True):
    """A socket: `remote` is the kernel's address and port, `pids` who holds it, as far as could be read."""

    protocol: str = ""
    state: str = ""
    remote: str = ""
    pids: tuple[int, ...] = ()

    @property
    def is_bound(self) -> bool:
        """Whether it waits for others: what answers a kubelet does."""
        return self.state in {"listen", "unconnected"}

    def __str__(self) -> str:
        return f"{self.protocol} {self.remote} {self.state}"


class CutAnswer(Value, frozen=True, kw_only=True):
    """`cut`: the sockets that were ended, and what the last dump still showed.

    `complete`: that dump saw every kind of socket, and none was left. `severed_at`: when the first dump began after
    which no connection was seen, in RFC 3339. For `watched_ms` what was made again was ended too.
    """

    found: int
    destroyed: int
    complete: bool
    severed_at: str = ""
    watched_ms: int = 0
    left: tuple[Socket, ...] = ()
    left_count: int = 0
    errors: dict[str, int] = {}
    unseen: dict[str, int] = {}

    def __str__(self) -> str:
        counts = f"{self.destroyed} of {self.found} connections ended, {self.left_count} left"
        more = (listed([str(socket) for socket in self.left]), *map(_counted, (self.errors, self.unseen)))
        return visible(": ".join(filter(None, (counts, "; ".join(filter(None, more))))))


class MatchedProcess(Value, frozen=True, kw_only=True):
    """A process that the finding means."""

    pid: int


class MatchAnswer(Value, frozen=True, kw_only=True):
    """`matches`: the finding's processes. Without `complete`, or with some `unread`, there may be more."""

    seen: int
    complete: bool
    unread: int = 0
    matches: tuple[MatchedProcess, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every process was looked at."""
        return self.complete and not self.unread


class StoppedProcess(Value, frozen=True, kw_only=True):
    """What came of stopping a process. `outcome` is `frozen`, `impossible`, `denied`, `running`, `gone` ...

    `start_ticks` tells it from a later one with the same pid.
    """

    pid: int
    start_ticks: int = 0
    outcome: str = ""

    def __str__(self) -> str:
        return f"pid {self.pid} {self.outcome}"


class FreezeAnswer(Value, frozen=True, kw_only=True):
    """`freeze`: the matched processes and their children. `complete`: each was read back as stopped, or is gone."""

    frozen: int
    complete: bool
    frozen_at: str = ""
    processes: tuple[StoppedProcess, ...] = ()

    @property
    def stopped(self) -> tuple[FrozenProcess, ...]:
        """Those that stand now."""
        told = (item for item in self.processes if item.outcome == "frozen")
        return tuple(FrozenProcess(pid=item.pid, start_ticks=item.start_ticks) for item in told)

    @property
    def is_but_first(self) -> bool:
        """Whether only the first process of the container could not be stopped, which nobody can."""
        outcomes = {item.outcome for item in self.processes}
        return "impossible" in outcomes and outcomes <= {"frozen", "gone", "impossible"}

    def __str__(self) -> str:
        counts = f"{self.frozen} of {len(self.processes)} processes frozen"
        return visible(f"{counts}: {listed([str(process) for process in self.processes])}")


class ThawAnswer(Value, frozen=True, kw_only=True):
    """`thaw`: the processes that were to go on. `complete`: each does, or is gone."""

    thawed: int
    complete: bool
    processes: tuple[StoppedProcess, ...] = ()

    def __str__(self) -> str:
        counts = f"{self.thawed} of {len(self.processes)} processes go on"
        return visible(f"{counts}: {listed([str(process) for process in self.processes])}")


class RunningProcess(Value, frozen=True, kw_only=True):
    """`processes`: one of them. `exe` is the path of its program."""

    pid: int
    parent: int = 0
    started_at: str = ""
    exe: str = ""


class ProcessAnswer(Value, frozen=True, kw_only=True):
    """`processes`."""

    processes: tuple[RunningProcess, ...]


class SocketAnswer(Value, frozen=True, kw_only=True):
    """`sockets`. With something `denied` or `left_off`, who holds them is not all known."""

    sockets: tuple[Socket, ...]
    left_off: int = 0
    denied: dict[str, int] = {}


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
        return msgspec.convert(found.get(name), resolved(kind))
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
