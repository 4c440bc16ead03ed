"""YAML that people write is read strictly, and every mistake has its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import PolicyError
from scc_responder.domain.value import StrictValue
from scc_responder.workbench.policy_files.mistakes import Mistake
from scc_responder.workbench.policy_files.strict_yaml import (
    MAX_DEPTH,
    MAX_FILE_BYTES,
    Document,
    load_yaml,
    open_document,
    read_document,
)


class Sample(StrictValue, frozen=True, kw_only=True):
    name: str
    count: int = 0


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: 1\nb: [x, 2.5, true, null]\n", {"a": 1, "b": ["x", 2.5, True, None]}),
        ("a: '1'\nb: \"yes\"\n", {"a": "1", "b": "yes"}),
        ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
        ("<<: {a: 1}\n", {"<<": {"a": 1}}),
        ("a: =\n", {"a": "="}),
        ("1: one\n", {"1": "one"}),
        ("", None),
        ("# nothing\n", None),
    ],
)
def test_plain_yaml_becomes_plain_data(text: str, data: Any) -> None:
    """As written; keys are always words."""
    assert load_yaml(text, "a.yaml") == data


@pytest.mark.parametrize(
    ("text", "reason", "told"),
    [
        ("a: &x 1\n", "yaml_anchor", "a.yaml:1"),
        ("a: 1\nb: *x\n", "yaml_anchor", "a.yaml:2"),
        ("a: *-prod\n", "yaml_anchor", "put a text that begins with * or & in quotes"),
        ("a: !!python/object 1\n", "yaml_tag", "a.yaml:1"),
        ("a: 1\na: 2\n", "duplicate_key", "'a' stands here twice"),
        ("[a]: 1\n", "yaml_key", "a key must be a word"),
        ("a: 2026-99-99\n", "invalid_yaml", "is no timestamp"),
        ("a: b: c\n", "invalid_yaml", "in quotes"),
        ("a: [1\n", "invalid_yaml", "close the list"),
        ("a: 1\n---\nb: 2\n", "invalid_yaml", "a second document"),
        ("a: \x00\n", "invalid_yaml", "a.yaml:1: the control character U+0000 is not allowed; remove it"),
        ("a: 1\nb: x\x1by\n", "invalid_yaml", "a.yaml:2: the control character U+001B"),
        ("a: 1\n\n\nb: \ufffe\n", "invalid_yaml", "a.yaml:4: the control character U+FFFE"),
        ("[" * (MAX_DEPTH + 2), "yaml_too_deep", "nested deeper"),
    ],
)
def test_anything_else_is_refused_with_its_line(text: str, reason: str, told: str) -> None:
    """The reason is a word, and the message says what to do."""
    with pytest.raises(PolicyError) as caught:
        load_yaml(text, "a.yaml")
    assert caught.value.reason == reason
    assert told in str(caught.value)


def document(text: str) -> Document:
    return Document("a.yaml", text)


def checked(sample: Sample) -> list[Mistake]:
    return [Mistake(path=("name",), text="too short")] if len(sample.name) < 2 else []


def test_a_document_becomes_what_is_wanted() -> None:
    """Types and the further check both hold."""
    assert document("name: web\n").converted(Sample, checked) == Sample(name="web")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("name: 7\n", [(1, "name")]),
        ("name: x\ncount: many\n", [(1, "name"), (2, "count")]),
        ("name: x\nnme: y\n", [(1, "name"), (2, "nme")]),
        ("count: 1\n", [(1, "name")]),
        ("name: web\ncount:\n", [(2, "count")]),
    ],
)
def test_all_mistakes_are_told_at_once(text: str, places: list[tuple[int, str]]) -> None:
    """Those of types and those of the check, in the order of their lines; a key without a value is one."""
    with pytest.raises(PolicyError) as caught:
        document(text).converted(Sample, checked)
    assert [(fault.line, fault.path) for fault in caught.value.faults] == places


def test_a_row_of_a_text_has_its_own_line() -> None:
    """A mistake in a kept text stands where its row is; one of what is absent, at what should hold it."""
    read = document("a: 1\nb: |\n  one\n  two\nc: [x]\n")
    assert read.fault(Mistake(path=("b",), text="t", row=2)).line == 4
    assert read.fault(Mistake(path=("c", 0), text="t")).line == 5
    assert read.fault(Mistake(path=("c", "x", "y"), text="t")).line == 5
    assert document("").fault(Mistake(path=("a",), text="t")).line == 1


def test_a_file_is_read_as_wanted(tmp_path: Path) -> None:
    """Its name stands in its mistakes."""
    path = tmp_path / "a.yaml"
    path.write_text("name: web\n")
    assert read_document(path, Sample) == Sample(name="web")
    assert open_document(path).name == "a.yaml"


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    """Some editors put one before the first line, where it hides what stands there."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbf# first\nname: web\n")
    assert open_document(path).text.startswith("# first")


def test_a_file_is_named_as_wanted(tmp_path: Path) -> None:
    """By its path in a folder, where two files may have one name."""
    path = tmp_path / "a.yaml"
    path.write_text("nam: web\n")
    with pytest.raises(PolicyError, match=r"^team-a/a\.yaml:1"):
        read_document(path, Sample, name="team-a/a.yaml")
    with pytest.raises(PolicyError, match=r"^team-a/b\.yaml: No such file"):
        open_document(path.with_name("b.yaml"), "team-a/b.yaml")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "unreadable_file"), (b"a" * (MAX_FILE_BYTES + 1), "file_too_large"), (b"a: 1\nb: \xff\n", "not_utf8")],
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """One that is absent, too large or in another encoding."""
    path = tmp_path / "a.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PolicyError, match=r"^a\.yaml") as caught:
        open_document(path)
    assert caught.value.reason == reason
