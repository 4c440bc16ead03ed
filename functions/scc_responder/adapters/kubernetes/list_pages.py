"""Read a collection page by page: each item is judged and dropped, so that a large cluster takes little memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from scc_responder.domain.errors import ApiError
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason

PAGE_SIZES = (250, 25, 5)
"""Items asked for at once; fewer where an answer is larger than what is read of one."""

MOST_PAGES = 400
"""Pages of one collection: a server that never comes to an end is one that lies."""

LIST_SECONDS = 20.0
"""No page of a collection is asked for later."""

_T = TypeVar("_T")
ReadPage = Callable[[int, str], tuple[list[ApiObject], str]]


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

    def reading(limit: int, after: str) -> tuple[list[ApiObject], str]:
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
    sizes, after = list(PAGE_SIZES), ""
    for _ in range(MOST_PAGES):
        items, after = _page(read, sizes, after)
        kept += [made for made in map(keep, items) if made is not None]
        if not after:
            return kept
        if is_late():
            break
    raise ApiError(Reason.PARTIAL_LIST, f"GET {path}: the list does not come to an end in time")


def _page(read: ReadPage, sizes: list[int], after: str) -> tuple[list[ApiObject], str]:
    """One page, asked for in smaller parts (`sizes` is shortened) where the answer is too large to be read."""
    while True:
        try:
            return read(sizes[0], after)
        except ApiError as error:
            if error.reason != Reason.OVERSIZE_ANSWER or len(sizes) == 1:
                raise
            del sizes[0]
