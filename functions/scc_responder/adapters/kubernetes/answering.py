"""Whether a server answers: by the requests that wait for it now, and by the last one that ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SLOW_SECONDS = 3.0
"""How long a request waits before the server counts as one that does not answer: the slowest ones take a second."""

PROMPT_SECONDS = 1.0
"""How long one waits before it no longer counts that others were answered meanwhile."""


class Answering:
    """The requests to one server. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[object, float] = {}
        self._answered: bool | None = None
        self._answered_at = float("-inf")

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Around one request, until its answer has come."""
        request = object()
        self._waiting[request] = self._clock()
        try:
            yield
            self._answered, self._answered_at = True, self._clock()
        except BaseException:
            self._answered = False
            raise
        finally:
            del self._waiting[request]

    @property
    def goes_on(self) -> bool | None:
        """Whether the last request was answered, and none waits for long. None where none was answered yet."""
        late = self._clock() - SLOW_SECONDS
        return self._answered if all(began > late for began in [*self._waiting.values()]) else False

    def has_answered(self, since: float) -> bool:
        """Whether it has answered since that moment of the clock, and keeps no request waiting."""
        late = self._clock() - PROMPT_SECONDS
        return bool(self.goes_on) and self._answered_at >= since and all(at > late for at in [*self._waiting.values()])
