"""Where that is which comes with the package besides its modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.workbench.deployment.carried import Carried, carried


@pytest.mark.parametrize("what", Carried)
def test_a_clone_has_each(what: Carried) -> None:
    """Each is where people who cloned the repository read it."""
    assert carried(what).exists()


def test_a_wheel_has_them_beside_its_modules(tmp_path: Path) -> None:
    """What came with a wheel goes before what a clone around it may have."""
    package = tmp_path / "functions" / "scc_responder"
    for place in (package / "carried", package.parent):
        place.mkdir(parents=True, exist_ok=True)
        (place / "main.py").touch()
    assert carried(Carried.MAIN, package) == package / "carried" / "main.py"
    (package / "carried" / "main.py").unlink()
    assert carried(Carried.MAIN, package) == package.parent / "main.py"


def test_what_is_nowhere_is_named(tmp_path: Path) -> None:
    """What to do is said."""
    with pytest.raises(SettingsError, match=r"findings does not come with .*; install the wheel"):
        carried(Carried.FINDINGS, tmp_path / "a" / "b" / "scc_responder")
