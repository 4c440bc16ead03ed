"""What the README promises of its own examples, beyond their being true (test_examples.py)."""

from __future__ import annotations

import re
from pathlib import Path

from scc_responder.cli.main import COMMANDS as ALL_COMMANDS
from tests.docs.examples import ROOT, commands, fenced, load, run

README = (ROOT / "README.md").read_text()
BLOCKS = [example for example in fenced() if example.where.startswith("README.md:")]
COMMANDS = [line for example in BLOCKS if example.kind == "sh" for line in commands(example.text)]


def test_the_two_commands() -> None:
    """What a newcomer types first comes first."""
    assert [line.split("#")[0].split() for line in COMMANDS[:2]] == [["make", "demo"], ["make", "test"]]


def test_the_explain_example_prints_the_match(tmp_path: Path) -> None:
    """The README's `explain` prints what the policy that matches would do, and why the others would not."""
    (line,) = (line for line in COMMANDS if line.startswith("scc-responder explain"))
    done = run(line, tmp_path / "shown")
    assert (done.returncode, done.stderr) == (0, "")
    assert "contain-malicious-library (dry_run): matched" in done.stdout
    assert "when_threat_differs" in done.stdout


def test_the_pages_show_policy_and_clusters(tmp_path: Path) -> None:
    """The README shows a policy, the page for one's own machine how clusters are listed and what bounds a folder."""
    shown = [*BLOCKS, *(example for example in fenced() if example.where.startswith("docs/local.md:"))]
    texts = [example.text for example in shown if example.kind == "yaml"]
    assert [load(text, tmp_path / str(number)) for number, text in enumerate(texts)] == ["policy", "clusters", "scope"]


def test_it_fits_a_newcomer() -> None:
    """The README is short, and leads to every page of docs/."""
    assert len(README.splitlines()) <= 150
    assert [path.name for path in (ROOT / "docs").glob("*.md") if f"](docs/{path.name})" not in README] == []


def test_each_command_of_the_table_exists() -> None:
    """The table names commands that there are, and every one that a policy author needs."""
    named = {words.split()[0] for words in re.findall(r"^\| `scc-responder ([a-z ]+)` \|", README, re.MULTILINE)}
    assert named < set(ALL_COMMANDS)
    assert {"explain", "policy", "simulate", "threats"} <= named
