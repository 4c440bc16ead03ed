"""Read evidence sources in parallel, each under its deadline: a failed one hides no result of another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from enum import StrEnum
from time import monotonic

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.execute.evidence import EvidenceItem, Moment, NotPossible, Source, SourceInput

RENEW_SECONDS = 30.0
"""How long a capture runs before it renews the case's lease, which is four times as long."""

_LASTING = frozenset({403, 404})
"""HTTP statuses that a later delivery would meet again."""


class SourceOutcome(StrEnum):
    """What a source gave."""

    KEPT = "kept"
    EMPTY = "empty"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    NOT_POSSIBLE = "not_possible"


class Reading(Value, frozen=True, kw_only=True):
    """One source, read.

    `why` is a reason word, `detail` says more, for people. `is_failed`: there was something to read, and it could not
    be. `passing` is the error after which a later delivery may read it.
    """

    source: Source
    outcome: SourceOutcome
    items: tuple[EvidenceItem, ...] = ()
    why: str = ""
    detail: str = ""
    permission: str = ""
    is_failed: bool = False
    passing: Exception | None = None

    @property
    def is_withheld(self) -> bool:
        """Whether a required source said itself that it may not be read: that is no failure, and nothing is read."""
        return self.source.required and bool(self.permission) and not self.is_failed


def read_sources(
    sources: Iterable[Source],
    given: SourceInput,
    pool: Executor,
    renew: Callable[[], None],
    renew_seconds: float = RENEW_SECONDS,
) -> tuple[Reading, ...]:
    """Read the sources, those of one moment side by side. Raises only what `renew` raises (LostLease)."""
    asked = list(sources)
    return tuple(
        reading
        for moment in Moment
        for reading in _side_by_side(
            [each for each in asked if each.moment is moment], given, pool, renew, renew_seconds
        )
    )


def _side_by_side(
    sources: list[Source], given: SourceInput, pool: Executor, renew: Callable[[], None], renew_seconds: float
) -> list[Reading]:
    began = monotonic()
    started = {pool.submit(each.read, given): each for each in sources}
    try:
        _await(started, began, renew, renew_seconds)
    except BaseException:
        for future in started:
            future.cancel()
        raise
    return [_reading(each, future) for future, each in started.items()]


def _await(
    started: Mapping[Future[Sequence[EvidenceItem]], Source],
    began: float,
    renew: Callable[[], None],
    renew_seconds: float,
) -> None:
    """Wait until each has answered, or its deadline is over. Raises what `renew` raises."""
    renewed, waiting = began, set(started)
    while waiting:
        until = min(renewed + renew_seconds, *(began + started[future].deadline_seconds for future in waiting))
        _, waiting = wait(waiting, max(0.0, until - monotonic()), FIRST_COMPLETED)
        now = monotonic()
        waiting = {future for future in waiting if now < began + started[future].deadline_seconds}
        if waiting and now >= renewed + renew_seconds:
            renew()
            renewed = now


def begin_reading(source: Source, given: SourceInput, pool: Executor) -> Callable[[], Reading]:
    """Begin to read a source beside something else. What is returned waits for it until its deadline, from now."""
    began, future = monotonic(), pool.submit(source.read, given)

    def finish() -> Reading:
        wait([future], max(0.0, began + source.deadline_seconds - monotonic()))
        return _reading(source, future)

    return finish


def _reading(source: Source, future: Future[Sequence[EvidenceItem]]) -> Reading:
    if not future.done():
        future.cancel()
        detail = f"no answer within {source.deadline_seconds:g} s"
        return Reading(
            source=source, outcome=SourceOutcome.TIMED_OUT, why=Reason.DEADLINE, detail=detail, is_failed=True
        )
    try:
        items = tuple(future.result())
    except NotPossible as answer:
        outcome = SourceOutcome.REFUSED if answer.permission else SourceOutcome.NOT_POSSIBLE
        detail = f"missing permission: {answer.permission}" if answer.permission else ""
        return Reading(source=source, outcome=outcome, why=answer.reason, detail=detail, permission=answer.permission)
    except ApiError as error:
        return _failed(source, error, error.reason, error.explanation)
    except Exception as error:  # noqa: BLE001 - a mistake in one source must not cost what the others read
        return _failed(source, error, Reason.INTERNAL_ERROR, f"internal_error: {type(error).__name__}")
    outcome = SourceOutcome.EMPTY if all(item.is_empty for item in items) else SourceOutcome.KEPT
    return Reading(source=source, outcome=outcome, items=items)


def _failed(source: Source, error: Exception, why: str, detail: str) -> Reading:
    permission = getattr(error, "permission", "")
    return Reading(
        source=source,
        outcome=SourceOutcome.REFUSED if permission else SourceOutcome.NOT_POSSIBLE,
        why=why,
        detail=detail,
        permission=permission,
        is_failed=True,
        passing=None if getattr(error, "status", 0) in _LASTING else error,
    )
