"""The zip that Terraform would upload, and the same with every policy raised to `enforce`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from pathlib import Path
from zipfile import ZipFile

from tests.e2e.served import ROOT, unzip

_MODE = re.compile(r"^mode: dry_run$", re.MULTILINE)


def raised(folder: Path, guardrails: str = "", at_once: Collection[str] = ()) -> Path:
    """The function's folder, unpacked from the zip of a copy of this repository in which every policy enforces.

    `guardrails`: others than the shipped ones. `at_once`: policies that ask a person as they are shipped, and not here.
    """
    copy = folder / "repository"
    for part in ("functions", "policies"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (copy / "policies").glob("*.yaml"):
        path.write_text(_MODE.sub("mode: enforce", path.read_text()))
    for name in at_once:
        path = copy / "policies" / f"{name}.yaml"
        path.write_text(path.read_text().replace("\nmode: approve\n", "\nmode: enforce\n"))
    if guardrails:
        (copy / "policies" / "guardrails.yaml").write_text(guardrails)
    return unzip(folder, copy)


def entries(zip_: Path) -> dict[str, bytes]:
    """Every file of a zip."""
    with ZipFile(zip_) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
