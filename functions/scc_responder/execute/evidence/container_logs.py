"""One container's log: its last lines within a number of bytes, and what is no log told from one.

Each line is asked for with the node's time before it. A container cannot write a line without one, so a line without
is the node's own word: `unable to retrieve container logs for containerd://...`, with the status 200.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from time import monotonic
from typing import Any

from scc_responder.domain.errors import ApiError
from scc_responder.domain.labels import PREFIX
from scc_responder.domain.ports import KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import visible
from scc_responder.domain.value import Value
from scc_responder.execute.evidence import EvidenceItem

MOST_LINES = 20_000
"""Lines that are asked for first."""

_FEWER_LINES = 2_000
_LONGEST_LINE = 17 * 1024
"""A node keeps a longer line in parts of 16 KiB, which it counts as lines of their own, and writes a time before each.

Source: k8s.io/cri-client/pkg/logs, `ReadLogs`; containerd, `maxContainerLogLineSize`.
"""
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) ")
_OURS = PREFIX.rstrip("/") + "-"
_KINDS = ("containers", "initContainers")
_EPHEMERAL = "ephemeralContainers"
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
_TOLD_LENGTH = 300


class LogOutcome(StrEnum):
    """What was had of one log."""

    KEPT = "kept"
    EMPTY = "empty"
    NOT_STARTED = "not_started"
    NO_LOG = "no_log"
    """The node had no log, and said so in its place."""
    FAILED = "failed"


class ContainerRun(Value, frozen=True, kw_only=True):
    """One run of a container: the present one, or the one before its last restart."""

    container: str
    previous: bool = False

    def __str__(self) -> str:
        return f"{self.container} before its restart" if self.previous else self.container


class ContainerLog(Value, frozen=True, kw_only=True):
    """What was read of one run's log. `cut` says what is not in it, `error` why it was not read, or not to its end."""

    run: ContainerRun
    content: bytes = b""
    cut: str = ""
    error: ApiError | None = None

    @property
    def outcome(self) -> LogOutcome:
        """What was had of it."""
        if self.content:
            return LogOutcome.KEPT if _STAMP.match(self.content) else LogOutcome.NO_LOG
        if self.error is None:
            return LogOutcome.EMPTY
        return LogOutcome.NOT_STARTED if self.error.reason == Reason.BAD_REQUEST else LogOutcome.FAILED

    @property
    def was_answered(self) -> bool:
        """Whether the node said what there is of it, if there is anything."""
        return self.outcome is not LogOutcome.FAILED

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return self.content.count(b"\n") + (not self.content.endswith(b"\n"))

    def as_text(self, pod: str) -> EvidenceItem:
        """The log as evidence. Bytes that are no UTF-8 are written as escapes."""
        text = self.content.decode(errors="backslashreplace")
        return EvidenceItem(kind="log", title=f"{pod}/{self.run}", content=text, is_text=True)

    def told(self) -> dict[str, Any]:
        """What there is to say of it, for the index. `by_node` counts the lines that only the node can have written."""
        said: dict[str, Any] = {
            "container": self.run.container,
            "previous": self.run.previous,
            "outcome": self.outcome,
            "lines": self.lines if self.content else 0,
            "bytes": len(self.content),
        }
        unstamped = sum(not _STAMP.match(line) for line in self.content.removesuffix(b"\n").split(b"\n"))
        more = {"by_node": unstamped, "cut": self.cut, "why": self._why()}
        return {**said, **{name: value for name, value in more.items() if value}}

    def _why(self) -> str:
        if self.outcome is LogOutcome.NO_LOG:
            return visible(self.content[:_TOLD_LENGTH].decode(errors="replace"))
        return self.error.explanation if self.error else ""


def runs_of(pod: Mapping[str, Any], first: Sequence[str]) -> list[ContainerRun]:
    """The runs of a pod's containers that have logs, those that `first` names before the others. Ours are left out."""
    restarted = {item.get("name") for item in _items(pod.get("status"), _STATUSES) if item.get("restartCount")}
    spec = pod.get("spec")
    names = [str(item.get("name")) for item in _items(spec, _KINDS)]
    added = [str(item.get("name")) for item in _items(spec, [_EPHEMERAL])]
    names += [name for name in added if not name.startswith(_OURS)]
    ordered = sorted(names, key=lambda name: name not in first)
    present = [ContainerRun(container=name) for name in ordered]
    return [*present, *(ContainerRun(container=name, previous=True) for name in ordered if name in restarted)]


def _items(part: Any, fields: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    return (item for field in fields for item in (part or {}).get(field) or ())


def read_container_log(api: KubernetesApi, path: str, run: ContainerRun, *, most: int, until: float) -> ContainerLog:
    """The last lines of a log, at most so many bytes, read by so late on the monotonic clock.

    `limitBytes` keeps the first bytes of what `tailLines` chooses. Where they are cut, fewer lines are asked for, in
    the end so few that they cannot be longer.
    """
    log = ContainerLog(run=run)
    for lines in (MOST_LINES, _FEWER_LINES, max(1, most // _LONGEST_LINE)):
        pieces = api.read_log(
            path,
            container=run.container,
            previous=run.previous,
            tail_lines=lines,
            limit_bytes=most,
            timestamps=True,
            seconds=max(0.1, until - monotonic()),
        )
        content, error = _collected(pieces)
        if error and log.content:
            return log
        log = ContainerLog(run=run, content=content, cut=_cut(content, lines, most, error), error=error)
        if error or len(content) < most:
            break
    return log


def _collected(pieces: Iterator[bytes]) -> tuple[bytes, ApiError | None]:
    """What came, and why no more did."""
    content = bytearray()
    try:
        for piece in pieces:
            content += piece
    except ApiError as error:
        return bytes(content), error
    return bytes(content), None


def _cut(content: bytes, lines: int, most: int, error: ApiError | None) -> str:
    """What is not in the log, as far as it shows."""
    if error:
        return error.reason if content else ""
    if len(content) >= most:
        return f"lines after the first {most} bytes of the last {lines}"
    return f"lines before the last {lines}" if content.count(b"\n") >= lines else ""
