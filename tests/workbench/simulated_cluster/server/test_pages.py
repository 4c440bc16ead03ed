"""Lists in parts, with a cursor for the next one."""

from __future__ import annotations

import pytest

from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.server.pages import paged
from scc_responder.workbench.simulated_cluster.server.refusal import Refusal

FOUND: ApiObject = {
    "metadata": {"resourceVersion": "1"},
    "items": [{"metadata": {"name": name, "namespace": "shop"}} for name in ("a", "b", "c")],
}


def test_pages_follow_each_other() -> None:
    """Each item once; the last page has no cursor."""
    first = paged(FOUND, "2", "")
    assert [item["metadata"]["name"] for item in first["items"]] == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 1
    last = paged(FOUND, "2", first["metadata"]["continue"])
    assert [item["metadata"]["name"] for item in last["items"]] == ["c"]
    assert "continue" not in last["metadata"]


@pytest.mark.parametrize("limit", ["", "0", "many", "3", "99"])
def test_without_a_limit_all_is_one_page(limit: str) -> None:
    """So it is with a limit that nothing exceeds."""
    assert paged(FOUND, limit, "") == FOUND


@pytest.mark.parametrize("cursor", ["no cursor", "%%%%", "_w=="])
def test_another_cursor_is_a_bad_request(cursor: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(Refusal) as caught:
        paged(FOUND, "2", cursor)
    assert caught.value.code == 400
