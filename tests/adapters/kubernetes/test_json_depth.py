"""How deep an object is."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.adapters.kubernetes.json_depth import MOST_LEVELS, is_too_deep


def nested(levels: int, last: Any = 1) -> Any:
    """So many objects, one in the other."""
    document = last
    for _ in range(levels):
        document = {"a": document}
    return document


DOCUMENTS = [
    pytest.param({}, False, id="empty"),
    pytest.param(nested(MOST_LEVELS), False, id="as-deep-as-allowed"),
    pytest.param(nested(MOST_LEVELS + 1), True, id="one-level-more"),
    pytest.param(nested(MOST_LEVELS, []), True, id="a-list-below"),
    pytest.param({"items": [{}] * 10_000}, False, id="wide"),
    pytest.param({"first": [1, nested(10)], "second": nested(MOST_LEVELS)}, True, id="one-part-of-several"),
    pytest.param({"a": "[" * 10_000}, False, id="brackets-in-a-text"),
]


@pytest.mark.parametrize(("document", "is_deep"), DOCUMENTS)
def test_the_deepest_part_counts(document: Any, *, is_deep: bool) -> None:
    """Wherever it is, and of lists and objects alike."""
    assert is_too_deep(document) is is_deep
