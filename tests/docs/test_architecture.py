"""docs/architecture.md: the picture, the folders and the layers are the package's, and its words are explained once."""

from __future__ import annotations

import re

import pytest

from tests.docs import architecture
from tests.docs.examples import ROOT, fenced

PAGE = architecture.PAGE.read_text()
AROUND = {"adapters", "cli", "domain", "settings", "workbench"}
"""What the picture leaves out: what the stages use, and what is never deployed."""


def picture(page: str) -> str:
    """The picture on a page: its first block without a language."""
    return next(block.text for block in fenced() if block.where.startswith(f"{page}:") and not block.kind)


def drawn(text: str) -> list[str]:
    """The folders and modules that the picture names, from top to bottom."""
    return re.findall(r"(?:──>|├─|└─|^ +)\s*([a-z]+)  ", text, re.MULTILINE)


def stem(entry: str) -> str:
    """`guard/` and `settings.py` as modules."""
    return entry.removesuffix("/").removesuffix(".py")


def test_the_tables_are_what_the_package_says() -> None:
    """Folders, faces and layers are those of the package; python -m tests.docs.architecture writes them again."""
    assert architecture.written(PAGE) == PAGE, architecture.COMMAND
    assert [entry for entry in architecture.entries() if f"| `{entry}` |" not in PAGE] == []


def test_another_face_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With another folder or another first sentence, the page would differ."""
    for name, other in (("entries", ["cli/"]), ("face", "Another.")):
        with monkeypatch.context() as patched:
            patched.setattr(architecture, name, lambda *_, other=other: other)
            assert architecture.written(PAGE) != PAGE


def test_every_entry_has_a_row_in_the_layers() -> None:
    """The ten rows name the entries of the package, each once."""
    named = [name for row in architecture.layers() for name in row]
    assert sorted(named) == sorted(stem(entry) for entry in architecture.entries())
    assert len(architecture.layers()) == 10


@pytest.mark.parametrize("entry", architecture.entries())
def test_the_file_to_read_first_exists(entry: str) -> None:
    """What a face calls the file to read first is there."""
    named = re.findall(r"`([\w/]+\.py)`", architecture._read_first(architecture.face(entry)))
    assert [name for name in named if not (architecture.PACKAGE / entry / name).exists()] == []


def test_the_picture_is_the_folder_listing() -> None:
    """Each name in the picture is a folder or a module, and those it leaves out are the ones around it."""
    names = drawn(picture("docs/architecture.md"))
    assert names[:3] == ["entrypoint", "pipeline", "intake"]
    assert set(names) | AROUND == {stem(entry) for entry in architecture.entries()}
    assert not set(names) & AROUND


def test_the_readme_shows_the_same_picture() -> None:
    """There is one picture, on both pages."""
    assert picture("README.md") == picture("docs/architecture.md")


def test_the_glossary_explains_each_word_once() -> None:
    """Each word has one row, and a newcomer finds at least 25."""
    rows = re.findall(r"^\| ([a-z, ]+) \| (.+) \|$", PAGE.partition("\n## Glossary\n")[2], re.MULTILINE)
    words = [word for words, _ in rows if words != "word" for word in words.split(", ")]
    assert len(words) == len(set(words)) >= 25
    assert [row for row in rows if len(row[1]) > 160] == []


def test_modules_named_on_the_page_exist() -> None:
    """Each module or file of the package that a sentence names is there."""
    prose = PAGE.partition("\n## The folders\n")[0] + PAGE.partition("\n## The layers\n")[2].partition("\n## Add ")[0]
    named = re.findall(r"`((?:functions/scc_responder/)?[\w/]+\.(?:py|json|yaml))`", prose)
    assert len(named) >= 3
    roots = (architecture.PACKAGE, ROOT)
    assert [name for name in named if not any((root / name).exists() for root in roots)] == []
