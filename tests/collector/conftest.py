"""The collector, compiled once for all tests of this folder."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from collector_image import SOURCES, build_program
from tests.cluster.binaries import BinariesUnavailable, Module, find_go
from tests.requirements import missing

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "amd64")


@pytest.fixture(scope="session")
def go() -> str:
    """A Go that is new enough."""
    try:
        return find_go(Module(folder=str(SOURCES), linker_flags="", packages={}), os.environ)
    except BinariesUnavailable as error:
        missing("the collector", error.reason, error.remedy)


@pytest.fixture(scope="session")
def program(go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, as the image holds it."""
    if platform.system() != "Linux" or os.geteuid() != 0:
        missing(
            "the collector beside real processes", "namespaces need root and Linux", "run the tests as root on Linux"
        )
    folder = tmp_path_factory.mktemp("collector")
    target = folder / "collector"
    build_program(target, go, ARCHITECTURE)
    for place in (target, folder, *folder.parents[:3]):
        place.chmod(0o755)  # another user starts it, too
    return target
