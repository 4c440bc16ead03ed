"""The collector's sources: formatted, vetted, small, tested by their own tests, and briefly fuzzed."""

from __future__ import annotations

import re
import statistics
import subprocess

import pytest

from collector_image import SOURCES
from tests.counts import Count

LIBRARY = re.compile(r'^\s*(?:import )?"([^"]+)"$', re.MULTILINE)
FUZZED = Count("inputs of each fuzzing of the collector", few=2_000, full=300_000)


def in_sources(*command: str) -> str:
    """What a command prints in the folder of the sources. Raises AssertionError where it fails."""
    done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_sources_are_formatted_and_vetted(go: str) -> None:
    """`gofmt` has nothing to change, `go vet` nothing to say: for both architectures."""
    assert in_sources("gofmt", "-l", ".") == ""
    in_sources(go, "vet", "./...")


def test_its_own_tests_pass(go: str) -> None:
    """`go test`."""
    in_sources(go, "test", "./...")


@pytest.mark.parametrize("name", ["FuzzRequest", "FuzzLines"])
def test_what_an_attacker_writes_breaks_nothing(go: str, name: str) -> None:
    """A short fuzzing of all that reads an attacker's words."""
    in_sources(go, "test", "-run=^$", f"-fuzz=^{name}$", f"-fuzztime={FUZZED.number}x", "-parallel=1")


def test_the_standard_library_is_all_it_needs() -> None:
    """No other module, no other program, no shell."""
    assert "require" not in (SOURCES / "go.mod").read_text()
    named = {
        name
        for path in SOURCES.glob("*.go")
        if not path.stem.endswith("_test")
        for name in LIBRARY.findall(path.read_text())
    }
    assert [name for name in named if "." in name.split("/")[0]] == []
    assert not named & {"os/exec", "net/http", "plugin", "C"}


def test_the_sources_are_small() -> None:
    """Functions: 10 lines in the middle, 50 at most. Files: less than 300."""
    lengths, files = [], {}
    for path in SOURCES.glob("*.go"):
        text = path.read_text()
        files[path.name] = len(text.splitlines())
        if not path.stem.endswith("_test"):
            lengths += [1 for _ in re.findall(r"^func .*\}$", text, re.MULTILINE)]
            lengths += [body.count("\n") + 1 for body in re.findall(r"^func .*\{\n(?:.*\n)*?\}$", text, re.MULTILINE)]
    assert [name for name, lines in files.items() if lines >= 300] == []
    assert max(lengths) <= 50
    assert statistics.median(lengths) <= 10
