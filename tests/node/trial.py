"""What the product said of a pod, what was true of it, and which words were false."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.domain.value import Value

ENFORCED_WITHIN = 1000
"""Milliseconds that a policy engine may take to make a policy that the API server holds a rule of the node."""
CLOCK = 1000
"""Milliseconds: the API tells a container's end in whole seconds, rounded down."""


class Said(Value, frozen=True, kw_only=True):
    """What the product said at the end of its delivery. Times are milliseconds after the push.

    `contained`: when the threat was contained, by `contained_seconds`. `containments`: the words of the steps that are
    done.
    """

    at: int
    state: str
    reasons: tuple[str, ...]
    contained_seconds: float | None
    contained: int | None = None
    containments: tuple[str, ...] = ()

    @property
    def words(self) -> set[str]:
        """What it says of the threat, in any field."""
        return {*self.reasons, *self.containments}

    @property
    def end(self) -> str:
        """How the case ended: its state, and the reason of the last step that is no message."""
        acts = [reason for reason in self.reasons if reason != "published"]
        return f"{self.state}: {acts[-1] if acts else ''}"


class Truth(Value, frozen=True, kw_only=True):
    """What happened, in milliseconds after the push; None is never, as long as it was looked at (`until`).

    `frozen`: since when every process of the threat has been stopped without a break. `owned`, `sent_to`: in the end,
    by a controller, by a Service.
    """

    last_new: int | None
    last_beat: int | None
    dead: int | None
    terminated: int | None
    gone: int | None
    until: int
    frozen: int | None = None
    restarts: int = 0
    owned: bool = False
    sent_to: bool = False

    @property
    def silent(self) -> int | None:
        """When the last heartbeat came: None while they come."""
        return None if self.last_beat is not None and self.last_beat > self.until - 500 else self.last_beat


class Trial(Value, frozen=True, kw_only=True):
    """What was said of a pod, and what was true of it. `later`: what a sweep said, where the delivery left it open.

    `kept`: the threat's program is in the evidence. `requests`: what the API server was asked in the delivery.
    """

    said: Said
    true: Truth
    later: Said | None = None
    kept: bool = False
    requests: int | None = None

    @property
    def end(self) -> str:
        """How the case ended."""
        return (self.later or self.said).end

    @property
    def false_words(self) -> Sequence[str]:
        """The words that were false at the moment they were said."""
        return [word for said in (self.said, self.later) if said for word in self._false(said)]

    def _false(self, said: Said) -> Sequence[str]:
        true = self.true
        words = said.words
        alive = true.dead is None or true.dead > said.at
        connected = alive and (true.last_beat or 0) > said.at
        stopped = not alive or (true.frozen is not None and true.frozen <= said.at)
        told = {
            "`isolated`, yet new connections come": "isolated" in words
            and (true.last_new or 0) > said.at + ENFORCED_WITHIN,
            "`contained_seconds`, yet the process is connected": said.contained_seconds is not None and connected,
            "`contained_seconds` ends before the threat did": said.contained is not None
            and said.contained + CLOCK < self._threat_ended,
            "`severed`, yet heartbeats come": "severed" in words and connected,
            "`severed`, yet new connections come": "severed" in words and (true.last_new or 0) > said.at,
            "`frozen`, yet the process runs": "frozen" in words and not stopped,
            "`processes_ended`, yet the process lives": "processes_ended" in words and alive,
            "`deleted`, yet the process lives": "deleted" in words and alive,
            "`deleted`, yet the object is there": "deleted" in words and true.gone is None,
            "`detached`, yet a controller has the pod": "detached" in words and true.owned,
            "`detached`, yet a Service sends to it": "detached" in words and true.sent_to,
            "`inspected`, yet the program is not kept": "inspected" in words and not self.kept,
            "a container of the workload was restarted": true.restarts > 0,
        }
        return [word for word, false in told.items() if false]

    @property
    def _threat_ended(self) -> int:
        """When the threat could do nothing outside any more: its process dead or stopped, or its connection silent."""
        true = self.true
        ends = [end for end in (true.dead, true.frozen, true.last_beat) if end is not None]
        return min(ends, default=0)
