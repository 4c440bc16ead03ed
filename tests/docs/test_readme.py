"""What the README shows is run as it stands."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scc_responder.action import actions
from scc_responder.adapters.clusters_file import ClustersFile
from scc_responder.cli.main import main
from scc_responder.condition_check import condition_mistakes
from scc_responder.condition_types import variables
from scc_responder.errors import SettingsError
from scc_responder.policy import load_policies
from tests.pipeline.deployment import write_policies

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    shlex.split(line, comments=True)
    for kind, text in BLOCKS
    if kind == "sh"
    for line in text.replace("\\\n", " ").splitlines()
    if line.strip()
]
YAML = [text for kind, text in BLOCKS if kind == "yaml"]


def make_targets() -> dict[str, str]:
    """Every documented target of the Makefile and its help."""
    lines = (ROOT / "Makefile").read_text().splitlines()
    return dict(re.findall(r"^([a-z]+):.*## (.*)$", "\n".join(lines), re.MULTILINE))


def test_make_targets_exist() -> None:
    """Every `make TARGET` of the README is a target with a help text."""
    named = set(re.findall(r"make ([a-z]+)", README)) | {words[1] for words in COMMANDS if words[0] == "make"}

    assert named - {"help"} <= make_targets().keys()


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[:2] == ["scc-responder", "explain"]])
def test_explain(words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The README's `explain` prints what each shipped policy would do, and why the others would not."""
    done = subprocess.run(
        [sys.executable, "-m", "scc_responder.cli.main", *words[1:]],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "functions")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "contain-malicious-library" in done.stdout
    assert "when_threat_differs" in done.stdout


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[:2] == ["scc-responder", "serve"]])
def test_serve_options(words: list[str]) -> None:
    """The README's `serve` has only options that there are."""
    with pytest.raises(SystemExit) as stopped:
        main([*words[1:], "--help"])

    assert stopped.value.code == 0


def test_policy_example(tmp_path: Path) -> None:
    """The README's policy is one that loads."""
    loaded = load_policies(write_policies(tmp_path / "policies", YAML[0])).policies[0]

    assert [step.action for step in loaded.then] == [
        "label_pod",
        "isolate_pod",
        "capture_evidence",
        "delete_pod",
        "notify",
    ]


def test_condition_example() -> None:
    """The README's condition is one that lint takes, and it names every fact that there is."""
    paragraph = README.split("What `when` and `unless` cannot say")[1].split("\n\n")[0]
    *facts, example = re.findall(r"`([^`]+)`", paragraph)[1:]

    assert list(condition_mistakes(example, ())) == []
    assert set(facts) == set(variables())


def test_clusters_example(tmp_path: Path) -> None:
    """The README's clusters.yaml is read; only the kubeconfig that it names is missing here."""
    entry = next(iter(yaml.safe_load(YAML[1]).values()))
    (tmp_path / "clusters.yaml").write_text(YAML[1].replace("context:", f"kubeconfig: {tmp_path}/none\n  context:"))

    with pytest.raises(SettingsError, match="none"):
        ClustersFile(tmp_path / "clusters.yaml")
    assert entry["context"] == "kind-prod-1"


def test_action_table() -> None:
    """The README's table of actions names every action, and no other."""
    table = README.split("| action |")[1].split("\n\n")[0]
    named = {name for cell in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)}

    assert named == set(actions())
