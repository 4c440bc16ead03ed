"""Collections are read page by page, each item judged and dropped, and never without an end."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.adapters.kubernetes import list_pages
from scc_responder.adapters.kubernetes.list_pages import LIST_SECONDS, MOST_PAGES, PAGE_SIZES, gather_pages
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason

EXPIRED = ApiError(Reason.GONE, "the cursor is too old", status=410)
TOO_LARGE = ApiError(Reason.OVERSIZE_ANSWER, "too large")


class Collection:
    """A server of `count` items, of which at most `most` fit into an answer. `errors` are raised at these calls.

    `only_before`: from this item on they are small.
    """

    def __init__(
        self, count: int, most: int = 10_000, errors: dict[int, ApiError] | None = None, only_before: int = 10_000
    ) -> None:
        self.only_before = only_before
        self.items = [{"number": number} for number in range(count)]
        self.most = most
        self.errors = errors or {}
        self.asked: list[tuple[int, str]] = []

    def read(self, limit: int, after: str) -> tuple[list[dict[str, Any]], str]:
        """One page."""
        self.asked.append((limit, after))
        if len(self.asked) in self.errors:
            raise self.errors[len(self.asked)]
        begin = int(after or 0)
        page = self.items[begin : begin + limit]
        if sum(item["number"] < self.only_before for item in page) > self.most:
            raise TOO_LARGE
        end = begin + len(page)
        return page, str(end) if end < len(self.items) else ""


def numbers(collection: Collection) -> list[int]:
    """What is gathered of it."""
    return gather_pages(collection.read, lambda item: item["number"], "/apis/x")


@pytest.mark.parametrize(
    ("count", "requests"), [(0, 1), (1, 1), (PAGE_SIZES[0], 1), (PAGE_SIZES[0] + 1, 2), (5_000, 20)]
)
def test_a_request_for_each_page(count: int, requests: int) -> None:
    """A small collection takes one request, a large one a request for each page."""
    collection = Collection(count)
    assert numbers(collection) == list(range(count))
    assert len(collection.asked) == requests


def test_what_is_judged_as_nothing_is_dropped() -> None:
    """Only what `keep` makes of an item stays."""
    assert gather_pages(Collection(9).read, lambda item: item["number"] % 4 or None, "/apis/x") == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize(("most", "requests"), [(30, 32), (7, 154), (1, 760)])
def test_large_items_are_asked_for_in_smaller_pages(most: int, requests: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a page is larger than what is read of an answer, fewer items are asked for, from the same place on."""
    monkeypatch.setattr(list_pages, "MOST_PAGES", 1_000)
    collection = Collection(600, most)
    assert numbers(collection) == list(range(600))
    assert len(collection.asked) <= requests


def test_few_large_items_do_not_cut_a_long_list() -> None:
    """Sixteen items as large as any may be, among thousands: the rest is read in full pages again."""
    collection = Collection(5_016, most=5, only_before=16)
    assert numbers(collection) == list(range(5_016))
    assert len(collection.asked) <= 32


def test_an_item_too_large_for_any_page_is_told() -> None:
    """What cannot be read by itself is an error, not a shorter list."""
    with pytest.raises(ApiError) as raised:
        numbers(Collection(600, most=0))
    assert raised.value.reason == "oversize_answer"


def test_a_forgotten_cursor_begins_anew_once() -> None:
    """Where the server forgot the cursor the list is read from its beginning, and nothing is counted twice."""
    collection = Collection(600, errors={3: EXPIRED})
    assert numbers(collection) == list(range(600))
    with pytest.raises(ApiError) as raised:
        numbers(Collection(600, errors={3: EXPIRED, 5: EXPIRED}))
    assert raised.value.status == 410


def test_a_list_without_an_end_is_cut_off() -> None:
    """A server that always has a further page is not read for ever: by count, and by the clock."""

    def endless(_limit: int, after: str) -> tuple[list[dict[str, Any]], str]:
        calls.append(after)
        return [{"number": 1}], "more"

    calls: list[str] = []
    with pytest.raises(ApiError) as raised:
        gather_pages(endless, lambda item: item, "/apis/x")
    assert (raised.value.reason, len(calls)) == ("partial_list", MOST_PAGES)

    calls.clear()
    moments = iter([0.0, 1.0, LIST_SECONDS + 1.0])
    with pytest.raises(ApiError) as raised:
        gather_pages(endless, lambda item: item, "/apis/x", lambda: next(moments))
    assert (raised.value.reason, len(calls)) == ("partial_list", 2)
