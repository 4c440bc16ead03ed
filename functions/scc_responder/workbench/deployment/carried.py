"""What comes with the package besides its modules: in a wheel beside them, in a clone where people read it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from scc_responder.domain.errors import SettingsError

_PACKAGE = Path(__file__).parents[2]


class Carried(StrEnum):
    """A file or folder, by its name in the wheel; `pyproject.toml` puts it there."""

    MAIN = "main.py"
    LOCAL_MAIN = "local_main.py"
    REQUIREMENTS = "requirements.txt"
    KUBERNETES = "kubernetes"
    FINDINGS = "findings"


_IN_CLONE = {
    Carried.MAIN: "functions/main.py",
    Carried.LOCAL_MAIN: "functions/local_main.py",
    Carried.REQUIREMENTS: "functions/requirements.txt",
    Carried.KUBERNETES: "terraform/kubernetes",
    Carried.FINDINGS: "tests/findings",
}


def carried(what: Carried, package: Path = _PACKAGE) -> Path:
    """Where it is. Raises SettingsError `not_carried` where the package came neither as a wheel nor as a clone."""
    for path in (package / "carried" / what, package.parents[1] / _IN_CLONE[what]):
        if path.exists():
            return path
    told = f"{what} does not come with {package}; install the wheel that `make wheel` makes, or work in a clone"
    raise SettingsError("not_carried", told)
