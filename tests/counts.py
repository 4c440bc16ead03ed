"""Parts of the tests that run in full in `make soak` alone: `make test` runs a fixed sample of each.

A test file keeps its parts in variables of its own, and the end of the run says of each, in a line, how much of it ran.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import pytest

from tests.requirements import NOTE

T = TypeVar("T")
SOAK = bool(os.environ.get("SCC_RESPONDER_SOAK"))


@dataclass(frozen=True)
class Count:
    """How often something is done: `few` times in `make test`, `full` times in `make soak`."""

    what: str
    few: int
    full: int

    @property
    def number(self) -> int:
        """How often it is done in this run."""
        return self.full if SOAK else self.few

    @property
    def notes(self) -> list[str]:
        """What the summary says of it: nothing, where nothing is left out."""
        return [str(self)] if self.number < self.full else []

    def __str__(self) -> str:
        return f"Reduced: {self.number:,} of {self.full:,} {self.what} (make soak runs all)."


class Cases(Generic[T]):
    """The cases of a test: `few` of them in `make test`, `full`, which holds these, in `make soak`."""

    def __init__(self, what: str, few: Sequence[T], full: Sequence[T]) -> None:
        self.count = Count(what, len(few), len(full))
        self.chosen = full if SOAK else few


def told(names: dict[str, object]) -> list[str]:
    """What is to be said of a test file with these names."""
    counts = [value.count if isinstance(value, Cases) else value for value in names.values()]
    return [note for count in counts if isinstance(count, Count) for note in count.notes]


class CountsReport:
    """The pytest plugin by which the end of a run says what ran at a reduced count."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the lines to the report of each test that ran, which is what crosses from worker to controller."""
        report = yield
        if report.when == "call" and not report.skipped and isinstance(item, pytest.Function):
            report.user_properties.extend((NOTE, line) for line in told(vars(item.module)))
        return report
