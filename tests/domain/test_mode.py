"""How far things go: the lowest ceiling counts."""

from __future__ import annotations

from itertools import pairwise

import pytest

from scc_responder.domain.mode import Mode, capped, furthest


@pytest.mark.parametrize(("lower", "higher"), list(pairwise(Mode)))
def test_the_lower_of_two_modes_counts(lower: Mode, higher: Mode) -> None:
    """Whichever of them is the ceiling."""
    assert capped(higher, lower) == capped(lower, higher) == lower


def test_no_ceiling_changes_nothing() -> None:
    """A mode stays as it is, and among several ceilings the lowest holds."""
    assert capped(Mode.ENFORCE) == Mode.ENFORCE
    assert capped(Mode.ENFORCE, Mode.APPROVE, Mode.DISABLED, Mode.DRY_RUN) == Mode.DISABLED


def test_the_furthest_of_several_modes_counts() -> None:
    """Whatever their order."""
    assert furthest([Mode.APPROVE, Mode.ENFORCE, Mode.DRY_RUN]) == Mode.ENFORCE
    assert furthest([Mode.DISABLED]) == Mode.DISABLED
