"""What the README promises of its own examples, beyond their being true (test_examples.py)."""

from __future__ import annotations

import re
from pathlib import Path

from scc_responder.intake.threats import catalogue
from scc_responder.policy.cel_mistakes import condition_mistakes
from scc_responder.policy.cel_types import variables
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


def test_the_readme_shows_policy_and_clusters(tmp_path: Path) -> None:
    """The README shows a policy and how clusters are listed."""
    shown = [example.text for example in BLOCKS if example.kind == "yaml"]
    assert [load(text, tmp_path / str(number)) for number, text in enumerate(shown)] == ["policy", "clusters"]


def test_the_number_of_threats_is_right() -> None:
    """The number of threats that it names is the catalogue's."""
    assert f"the {len(catalogue())} threats" in README


def test_the_condition_example_passes_lint() -> None:
    """The README's condition is one that lint takes, and it names every fact that there is."""
    paragraph = README.split("What `when` and `unless` cannot say")[1].split("\n\n")[0]
    *facts, example = re.findall(r"`([^`]+)`", paragraph)[1:]

    assert list(condition_mistakes(example, ())) == []
    assert set(facts) == set(variables())
