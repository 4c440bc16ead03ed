"""Text in Markdown stays text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.cli.terminal.markdown import escaped, markdown_table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("*a* _b_ [c](d)", "\\*a\\* \\_b\\_ \\[c\\]\\(d\\)"),
        ("<b>&@x", "&#60;b&#62;&#38;&#64;x"),
        ("www.example.com", "www&#46;example.com"),
        ("https://x", "https&#58;//x"),
    ],
)
def test_markup_stays_text(text: str, expected: str) -> None:
    """Links, mentions, tags and emphasis."""
    assert escaped(text) == expected


@given(st.text(max_size=50))
def test_no_text_makes_a_tag_or_link(text: str) -> None:
    """Whatever the text."""
    assert not re.search(r"[<>@:\n]", escaped(text))


def test_a_table_has_one_row_for_each_line() -> None:
    """A bar in a cell is no new cell."""
    assert markdown_table(["a", "b"], [["1", "x|y"]]) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |\n"
