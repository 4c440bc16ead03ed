"""Which `terraform` is run: the machine's own if it is new enough, else one that was built from its module."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cluster import binaries
from tests.terraform import program


def fake(folder: Path, version: str) -> Path:
    """A `terraform` that knows only its version."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "terraform"
    path.write_text(f'#!/bin/sh\necho \'{{"terraform_version": "{version}"}}\'\n')
    path.chmod(0o755)
    return path


def built(cache: Path) -> Path:
    """Where a terraform built here is kept, with one in it."""
    environment = {"XDG_CACHE_HOME": str(cache)}
    return fake(binaries.cache_folder(environment, [program.MODULE], "terraform"), "1.11.4")


VERSIONS = [
    pytest.param("1.9.0", True, id="oldest"),
    pytest.param("1.14.2", True, id="newer"),
    pytest.param("2.0.0-alpha1", True, id="next"),
    pytest.param("1.8.5", False, id="too-old"),
    pytest.param("0.12.31", False, id="much-too-old"),
    pytest.param("unknown", False, id="unknown"),
]


@pytest.mark.parametrize(("version", "used"), VERSIONS)
def test_machine_s_own(tmp_path: Path, version: str, used: bool) -> None:
    """The machine's own is used if it knows what the module needs, else the one that was built."""
    own, kept = fake(tmp_path / "bin", version), built(tmp_path / "cache")
    environment = {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path / "cache")}

    assert program.find(environment) == (own if used else kept)


def test_without_terraform_the_built_one_is_used(tmp_path: Path) -> None:
    """Where there is none, the one that was built is used."""
    kept = built(tmp_path / "cache")

    assert program.find({"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}) == kept


def test_the_built_release_is_pinned() -> None:
    """What is built is one release, with every module of that release's own commit."""
    text = (Path(program.__file__).parent / "cli" / "go.mod").read_text()
    replaced = re.findall(r"^\s*(?:replace )?(github.com/hashicorp/terraform/\S+) => (\S+) (\S+)$", text, re.MULTILINE)

    assert "github.com/hashicorp/terraform v1.11.4" in text
    assert {version for _, _, version in replaced} == {"v0.0.0-20250409131005-35645b8fca68"}
    assert [old for old, new, _ in replaced if old != new] == []
