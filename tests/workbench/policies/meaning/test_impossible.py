"""Whatever makes a line of the shipped pack impossible is an error with that line."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

from scc_responder.workbench.policies.policy_lint import lint
from tests.counts import Count
from tests.workbench.policies.meaning.impossible import broken, written_to

TODAY = date(2026, 3, 2)
BROKEN = Count("lines of the shipped policies that can never hold", 500, 5000)


def test_every_impossible_line_is_named(tmp_path: Path) -> None:
    """By a seed, so that each can be looked at again: wrong forms, words, letters and constants."""
    missed, kinds = [], Counter[str]()
    for seed in range(BROKEN.number):
        case = broken(seed)
        kinds[case.kind] += 1
        errors = lint(written_to(tmp_path, case), TODAY).errors
        if (case.file, case.line) not in {(fault.file, fault.line) for fault in errors}:
            missed.append((seed, case.kind, case.text.splitlines()[case.line - 1]))
    assert missed == []
    assert min(kinds.values()) > BROKEN.number // 12


def test_the_same_seed_breaks_the_same_line() -> None:
    """And other seeds break others."""
    assert broken(7) == broken(7)
    assert len({broken(seed).text for seed in range(100)}) > 90


def test_what_is_not_broken_is_not_named(tmp_path: Path) -> None:
    """The files around the broken line are right."""
    for seed in range(40):
        case = broken(seed)
        assert {fault.file for fault in lint(written_to(tmp_path, case), TODAY).errors} == {case.file}
