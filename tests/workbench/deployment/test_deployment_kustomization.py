"""The generated files of the kustomization: one role for each tier, and the admission policies' lists."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scc_responder.domain.errors import SettingsError
from scc_responder.workbench.deployment.kustomization import as_yaml, generated
from scc_responder.workbench.needed_permissions import enabled, needed
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.cli.commands import ROOT
from tests.kits.responder import SHIPPED

KUSTOMIZATION = ROOT / "terraform" / "kubernetes"


def test_the_shipped_files_are_the_generated_ones() -> None:
    """Each tier has its role and binding; admission keeps what stands around its lists."""
    policies = load_policies(SHIPPED)
    files = generated(KUSTOMIZATION, needed(enabled(policies.policies)), policies.guardrails)
    assert {path: path.read_text() for path in files} == files
    observe = list(yaml.safe_load_all(files[KUSTOMIZATION / "observe.yaml"]))
    assert [item["kind"] for item in observe] == ["ClusterRole", "ClusterRoleBinding"]
    assert [subject["name"] for subject in observe[1]["subjects"]] == ["EMAIL", "UNIQUE_ID"]


@pytest.mark.parametrize("content", [None, b"\xff", b"no lists"])
def test_another_folder_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """One without the admission policies is not the kustomization."""
    if content is not None:
        (tmp_path / "admission.yaml").write_bytes(content)
    with pytest.raises(SettingsError, match="name the folder terraform/kubernetes"):
        generated(tmp_path, [], load_policies(SHIPPED).guardrails)


def test_documents_become_one_yaml_text() -> None:
    """In their order."""
    assert list(yaml.safe_load_all(as_yaml([{"b": 1, "a": 2}, {"c": [3]}]))) == [{"b": 1, "a": 2}, {"c": [3]}]
