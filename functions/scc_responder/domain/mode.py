"""How far things go: one vocabulary for policies, ceilings and the kill switch."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Mode(StrEnum):
    """Not at all, everything but the write, what a person approved, or all of it; the least first."""

    DISABLED = "disabled"
    DRY_RUN = "dry_run"
    APPROVE = "approve"
    ENFORCE = "enforce"


_ORDER = tuple(Mode)


def capped(mode: Mode, *ceilings: Mode) -> Mode:
    """How far one may go in this mode under these ceilings."""
    return min((mode, *ceilings), key=_ORDER.index)


def furthest(modes: Iterable[Mode]) -> Mode:
    """The mode that goes furthest of some, of which there is at least one."""
    return max(modes, key=_ORDER.index)
