"""Deliveries as Pub/Sub makes them: so many at a time, and what is not settled comes again after a pause."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self


@dataclass
class Pushed:
    """One message: when it was pushed for the first time, when it was settled, and how each push was answered."""

    document: Mapping[str, Any]
    first: float = 0.0
    settled: float = 0.0
    statuses: list[int] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def seconds(self, patience: float = 60.0) -> float:
        """From its first push to its last one's answer. Raises AssertionError where it is not settled in time."""
        assert self.is_over.wait(patience), self.statuses
        return self.settled - self.first


class PushQueue:
    """Pushes until the end of `with`. `deliver` gives the status of one push; with 204 the message is settled."""

    def __init__(self, deliver: Callable[[Mapping[str, Any]], int], at_a_time: int, *, pause: float = 0.1) -> None:
        self._deliver = deliver
        self._pause = pause
        self._due: list[tuple[float, int, Pushed]] = []
        self._numbers = itertools.count()
        self._change = threading.Condition()
        self._over = False
        self._threads = [threading.Thread(target=self._push, daemon=True) for _ in range(at_a_time)]

    def add(self, document: Mapping[str, Any], *, now: bool = False) -> Pushed:
        """Push it after what waits already; `now`: before that."""
        pushed = Pushed(document)
        self._put(0.0 if now else time.monotonic(), pushed)
        return pushed

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._change:
            self._over = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join(60)

    def _put(self, due: float, pushed: Pushed) -> None:
        with self._change:
            heapq.heappush(self._due, (due, next(self._numbers), pushed))
            self._change.notify_all()

    def _next(self) -> Pushed | None:
        with self._change:
            while not self._over:
                left = self._due[0][0] - time.monotonic() if self._due else 60.0
                if left <= 0:
                    return heapq.heappop(self._due)[2]
                self._change.wait(left)
        return None

    def _push(self) -> None:
        while pushed := self._next():
            pushed.first = pushed.first or time.monotonic()
            pushed.statuses.append(self._deliver(pushed.document))
            pushed.settled = time.monotonic()
            if pushed.statuses[-1] == 204:
                pushed.is_over.set()
            else:
                self._put(pushed.settled + self._pause, pushed)
