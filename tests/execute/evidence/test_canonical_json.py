"""Equal content has equal bytes, harmless to whoever looks at them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scc_responder.execute.evidence.canonical_json import canonical_json


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_data_is_kept_in_one_ascii_line_and_comes_back(data: Any) -> None:
    """No control character reaches a terminal, and nothing but secrets is changed."""
    kept = canonical_json(data)
    assert all(0x20 <= byte < 0x7F for byte in kept)
    assert json.loads(kept) == data


def test_the_order_of_keys_does_not_matter() -> None:
    """Two reads of one object may order its fields otherwise."""
    assert canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == b'{"a":{"c":3,"d":2},"b":1}'
