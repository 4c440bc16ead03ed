"""The switch: an annotation that a person sets by hand, and without which nothing is written."""

from __future__ import annotations

import pytest

from tests.admission.installed import Installed


@pytest.mark.parametrize("mode", [None, "disabled", "dry_run", "enforce", "Enforce", "approve", ""])
def test_only_known_modes_admit_requests(shipped: Installed, mode: str | None) -> None:
    """Only `enforce` lets anything be written, only it and `dry_run` a rehearsal; no other word is a mode."""
    shipped.switch(mode)
