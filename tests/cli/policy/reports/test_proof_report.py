"""What a proof found, as people and pipelines read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.cli.policy.reports.proof_report import (
    proof_json,
    proof_summary,
    proof_text,
    write_counterexamples,
)
from scc_responder.domain.errors import SettingsError
from scc_responder.intake.notification import parse_notification
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.explanation import explain, read_facts
from scc_responder.workbench.proof.proof import Proof, prove
from tests.workbench.proof.small_pack import NOW, loaded

EDITS = (
    ("guardrails.yaml", "kube-public, ", ""),
    ("guardrails.yaml", "most: 3, within: 10m", "most: 9, within: 10m"),
    ("mark-binary.yaml", "then:", "condition: pod.ready\nthen:"),
)


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> tuple[PolicySet, PolicySet]:
    """A pack with a fault, and as it was."""
    folder = tmp_path_factory.mktemp("packs")
    return loaded(folder / "edited", *EDITS), loaded(folder / "small")


@pytest.fixture(scope="module")
def proof(packs: tuple[PolicySet, PolicySet]) -> Proof:
    """Of both."""
    return prove(packs[0], NOW, packs[1])


def test_people_read_what_where_and_of_which_threats(proof: Proof) -> None:
    """What fails first, then what is only held, edits of limits, and what is not proved."""
    lines = proof_text(proof, Path("policies")).split("\n")
    reached = "contain-shell: reaches_protected: changes a pod of Kubernetes itself or of Google"
    assert any(line.startswith(reached) for line in lines)
    assert "reaches_protected" in lines[0]
    assert "  delete_pod" in lines
    assert any(line.startswith("  as in Reverse Shell (") and "kube-public/" in line for line in lines)
    assert "  of 1 threats: reverse_shell" in lines
    assert any(line.startswith("warning: held_by_guardrails: namespace_protected alone keeps ") for line in lines)
    assert any(line.startswith("WIDENS   guardrails limits.namespace  ") for line in lines)
    assert "mark-binary: not proved: its condition is taken to hold, and not to hold" in lines
    assert lines[-1] == proof_summary(proof)


def test_pipelines_get_each_claim_with_its_finding(packs: tuple[PolicySet, PolicySet], proof: Proof) -> None:
    """Each is explained by the product as the claim says."""
    told = json.loads(proof_json(proof))
    assert (told["fails"], told["unproved"]) == (True, ["mark-binary"])
    (claim,) = [
        item for item in told["claims"] if (item["kind"], item["action"]) == ("reaches_protected", "delete_pod")
    ]
    facts = read_facts(json.dumps(claim["context"]).encode(), "context.json")
    explained = explain(json.dumps(claim["finding"]).encode(), facts, packs[0], NOW)
    (policy,) = [item for item in explained["policies"] if item["matched"]]
    assert (policy["name"], policy["mode"]) == (claim["policy"], "approve")
    assert {item["action"]: item["result"] for item in policy["actions"]}["delete_pod"] == "waiting"


def test_counterexamples_are_files_that_explain_reads(tmp_path: Path, proof: Proof) -> None:
    """A finding and a context for each that fails."""
    write_counterexamples(proof, tmp_path / "found")
    names = sorted(path.name for path in (tmp_path / "found").iterdir())
    assert any(name.endswith("-reaches_protected-contain-shell.context.json") for name in names)
    assert any(name.endswith("-reaches_protected-contain-shell.json") for name in names)
    for name in names:
        content = (tmp_path / "found" / name).read_bytes()
        assert read_facts(content, name) if ".context" in name else parse_notification(content)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, proof: Proof) -> None:
    """By its name."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="file"):
        write_counterexamples(proof, tmp_path / "file")
