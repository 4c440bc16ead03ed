"""Text that an attacker chose is shown, not obeyed."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.text import MAX_TEXT_BYTES, TRUNCATED, LatePattern, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("/usr/bin/gcc -o x", "/usr/bin/gcc -o x", id="plain text stays"),
        pytest.param("", "", id="nothing stays nothing"),
        pytest.param("Zürich — 東京 🙂", "Zürich — 東京 🙂", id="other scripts stay"),
        pytest.param("a\nb\tc", "a\\u000ab\\u0009c", id="a line break starts no log line"),
        pytest.param("\x1b[31mred", "\\u001b[31mred", id="a terminal escape paints nothing"),
        pytest.param("a\x00b\x7fc\x9fd", "a\\u0000b\\u007fc\\u009fd", id="C0, delete and C1 controls"),
        pytest.param("user\u202etxt.exe", "user\\u202etxt.exe", id="right-to-left override"),
        pytest.param("\u2066x\u2069\u200e\u061c", "\\u2066x\\u2069\\u200e\\u061c", id="all bidirectional controls"),
        pytest.param("ad\u200bmin\ufeff", "ad\\u200bmin\\ufeff", id="zero width"),
        pytest.param("a\u2028b\u2029c", "a\\u2028b\\u2029c", id="line and paragraph separators"),
        pytest.param("a\ud800b", "a\\ud800b", id="a lone surrogate can be encoded afterwards"),
        pytest.param("\ufffe\ufdd0", "\\ufffe\\ufdd0", id="noncharacters"),
        pytest.param("\U0001ffff\U0010fffe", "\\U0001ffff\\U0010fffe", id="noncharacters of other planes"),
        pytest.param("ok\U000e0041", "ok\\U000e0041", id="a tag character smuggles no text"),
    ],
)
def test_what_hides_or_reorders_text_is_escaped(text: str, shown: str) -> None:
    """An operator sees every character that an attacker put there."""
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a" * 4096, "a" * 4096, id="as long as allowed"),
        pytest.param("a" * 4097, "a" * (4096 - len(TRUNCATED)) + TRUNCATED, id="one more"),
        pytest.param("é" * 2049, "é" * ((4096 - len(TRUNCATED)) // 2) + TRUNCATED, id="bytes count, not characters"),
    ],
)
def test_long_text_is_cut_and_says_so(text: str, shown: str) -> None:
    """A megabyte of argument takes four kilobytes."""
    assert visible(text) == shown


@given(st.text(alphabet=st.characters(), max_size=200), st.integers(20, 100))
def test_any_text_ends_up_bounded_encodable_and_without_controls(text: str, limit: int) -> None:
    """Whatever comes in, nothing invisible and nothing too long comes out; a second pass changes nothing."""
    shown = visible(text, limit)
    assert limit >= len(shown.encode())
    assert [char for char in shown if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}] == []
    assert shown == visible(shown, limit)


def test_a_finding_string_is_bounded_by_four_kibibytes() -> None:
    """The bound is what the documents say."""
    assert MAX_TEXT_BYTES == 4096


@given(st.text(max_size=20), st.booleans())
def test_a_late_pattern_matches_what_the_expression_does(text: str, ignores_case: bool) -> None:
    """It differs in when it is compiled, and in nothing else."""
    flags = re.IGNORECASE if ignores_case else re.NOFLAG
    late, plain = LatePattern(r"[a-m]*", flags), re.compile(r"[a-m]*", flags)
    assert LatePattern(r"\w").compiled.flags & re.ASCII
    assert (late.pattern, late.compiled.flags) == (plain.pattern, plain.flags)
    assert bool(late.fullmatch(text)) == bool(plain.fullmatch(text))
    assert [match.span() for match in late.compiled.finditer(text)] == [match.span() for match in plain.finditer(text)]


def test_a_pattern_that_is_wrong_says_so_at_its_first_use() -> None:
    """A test of the module that has it finds it: a start does not."""
    with pytest.raises(re.error):
        LatePattern("(").fullmatch("")
