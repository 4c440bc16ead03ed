"""Whether policies load, and what they need of the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.policy.policy_file import load_policies
from scc_responder.settings import Settings
from scc_responder.workbench.doctor.policy_checks import consistent
from tests.kits.responder import policy, write_policies


@pytest.mark.parametrize(
    ("store", "audience", "reasons"),
    [
        ("firestore://p/journal", "", ["approval_audience_not_set"]),
        ("firestore://p/journal", "https://a.example.com", []),
        ("sqlite:///x.db", "", []),
    ],
)
def test_nobody_can_approve(tmp_path: Path, store: str, audience: str, reasons: list[str]) -> None:
    """A policy that waits for approval needs somebody who can give it."""
    folder = write_policies(tmp_path / "policies", policy("label_pod", mode="approve"))
    settings = Settings(policies=folder, clusters=(), sources=(), store=store, approval_audience=audience)
    assert [check.reason for check in consistent(settings, load_policies(folder))] == reasons
