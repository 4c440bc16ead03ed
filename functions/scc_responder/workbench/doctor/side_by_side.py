"""Run jobs in parallel before one deadline: a job that hangs delays nothing beyond it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

_T = TypeVar("_T")

PROBE_WORKERS = 16


class JobResult(Generic[_T]):
    """The result of one job: a value, or an error. Neither: it did not end in time."""

    def __init__(self, number: int, value: _T | None = None, error: Exception | None = None) -> None:
        self.number = number
        self.value = value
        self.error = error


def side_by_side(
    jobs: Sequence[Callable[[], _T]], seconds: float, workers: int = PROBE_WORKERS
) -> Iterator[JobResult[_T]]:
    """Each job's result as it ends; at the deadline the missing ones, with neither value nor error."""
    waiting: SimpleQueue[int] = SimpleQueue()
    answers: SimpleQueue[JobResult[_T]] = SimpleQueue()
    for number in range(len(jobs)):
        waiting.put(number)
    for _ in range(min(workers, len(jobs))):
        # Daemons: Python would wait for other threads before it ends.
        threading.Thread(target=_work, args=(jobs, waiting, answers), name="probe", daemon=True).start()
    missing = set(range(len(jobs)))
    end = time.monotonic() + seconds
    while missing:
        try:
            answer = answers.get(timeout=max(0.0, end - time.monotonic()))
        except Empty:
            break
        missing.discard(answer.number)
        yield answer
    yield from (JobResult(number) for number in sorted(missing))


def _work(jobs: Sequence[Callable[[], _T]], waiting: SimpleQueue[int], answers: SimpleQueue[JobResult[_T]]) -> None:
    while True:
        try:
            number = waiting.get_nowait()
        except Empty:
            return
        try:
            answers.put(JobResult(number, jobs[number]()))
        except Exception as error:  # noqa: BLE001 - whatever ends a job is its answer
            answers.put(JobResult(number, error=error))
