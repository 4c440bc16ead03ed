"""Read a collection page by page: each item is judged and dropped, so that a large cluster takes little memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from scc_responder.domain.errors import ApiError
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason

PAGE_SIZES = (250, 25, 5, 1)
"""Items asked for at once: fewer where an answer is larger than what is read of one."""

MORE_AFTER = 4
"""Answers that were not too large, after which more items are asked for again: a few large ones stand among small."""

MOST_PAGES = 400
"""Pages of one collection: a server that never comes to an end is one that lies."""

LIST_SECONDS = 20.0
"""No page of a collection is asked for later."""

_T = TypeVar("_T")
ReadPage = Callable[[int, str], tuple[Iterable[ApiObject], str]]


def gather_pages(
    read: ReadPage,
    keep: Callable[[ApiObject], _T | None],
    path: str,
    clock: Callable[[], float] = time.monotonic,
) -> list[_T]:
    """What `keep` makes of each item, without those of which it makes None.

    `read` reads a page of so many items after a cursor. Begins again once where the server has forgotten the cursor.
    Raises what `read` raises; ApiError `partial_list` where the list does not come to an end.
    """
    until = clock() + LIST_SECONDS
    continued: list[str] = []

    def reading(limit: int, after: str) -> tuple[Iterable[ApiObject], str]:
        continued.extend([after] if after else [])
        return read(limit, after)

    try:
        return _gathered(reading, keep, path, lambda: clock() > until)
    except ApiError as error:
        if error.status != 410 or not continued:
            raise
    return _gathered(read, keep, path, lambda: clock() > until)


def _gathered(
    read: ReadPage, keep: Callable[[ApiObject], _T | None], path: str, is_late: Callable[[], bool]
) -> list[_T]:
    kept: list[_T] = []
    size, after = _PageSize(), ""
    for _ in range(MOST_PAGES):
        items, after = _page(read, size, after)
        kept += [made for made in map(keep, items) if made is not None]
        if not after:
            return kept
        if is_late():
            break
    raise ApiError(Reason.PARTIAL_LIST, f"GET {path}: the list does not come to an end in time")


class _PageSize:
    """How many items to ask for next."""

    def __init__(self) -> None:
        self._step = 0
        self._passed = 0

    @property
    def limit(self) -> int:
        return PAGE_SIZES[self._step]

    def shrink(self) -> None:
        self._step, self._passed = self._step + 1, 0

    def note_passed(self) -> None:
        self._passed += 1
        if self._passed == MORE_AFTER:
            self._step, self._passed = max(0, self._step - 1), 0


def _page(read: ReadPage, size: _PageSize, after: str) -> tuple[Iterable[ApiObject], str]:
    """One page, asked for in smaller parts where the answer is too large to be read."""
    while True:
        try:
            page = read(size.limit, after)
        except ApiError as error:
            if error.reason != Reason.OVERSIZE_ANSWER or size.limit == PAGE_SIZES[-1]:
                raise
            size.shrink()
        else:
            size.note_passed()
            return page
