"""The tests mirror the package: a file for each module, no file's name twice, and names that say something."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.shape.mirror import EXCEPTIONS, TESTS, candidates, functions, modules, own_test_file

FILES = sorted(TESTS.rglob("*.py"))


def short_names(path: Path) -> list[str]:
    """The tests of a file whose names have fewer than three words."""
    return [name for name in functions(path) if name.startswith("test_") and len(name.split("_")) < 4]


@pytest.mark.parametrize("module", modules())
def test_each_module_has_its_test_file(module: str) -> None:
    """A module with a function has a test file of its name in the same folder of the tests, or a reason for none."""
    assert (own_test_file(module) is None) == (module in EXCEPTIONS), candidates(module)[0]


def test_each_exception_is_a_module() -> None:
    """A module that was moved, or lost its functions, is no exception any more."""
    assert set(EXCEPTIONS) <= set(modules())


def test_no_two_test_files_share_a_name() -> None:
    """In a list of failures the file's name alone says what failed."""
    names = Counter(path.name for path in FILES if path.name.startswith("test_"))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_each_test_name_has_three_words(path: Path) -> None:
    """After `test_` come three words or more, which say what the product does."""
    assert short_names(path) == []


@pytest.mark.parametrize(
    ("module", "paths"),
    [
        ("settings.py", ["test_settings.py", "test__settings.py"]),
        ("guard/ledger.py", ["guard/test_ledger.py", "guard/test_guard_ledger.py"]),
        ("cli/case/__init__.py", ["cli/case/test_case.py", "cli/case/test_cli_case.py"]),
    ],
)
def test_a_module_has_two_places_for_its_tests(module: str, paths: list[str]) -> None:
    """By its own name, or with its folder before it."""
    assert candidates(module) == [TESTS / path for path in paths]


def test_a_short_name_is_noticed(tmp_path: Path) -> None:
    """One or two words are too few, in a class too."""
    path = tmp_path / "test_sample.py"
    path.write_text(
        "def test_json(): ...\n"
        "class TestAll:\n"
        "    def test_no_store(self): ...\n"
        "    def test_a_store_is_named(self): ...\n"
    )
    assert short_names(path) == ["test_json", "test_no_store"]
