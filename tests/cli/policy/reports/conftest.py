"""What the reports are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.workbench.policies.threat_coverage import Coverage, coverage
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.responder import policy, write_policies


@pytest.fixture
def found(tmp_path: Path) -> Coverage:
    """What four policies cover: pods, some nodes, disabled ones, and nothing."""
    folder = write_policies(
        tmp_path,
        policy("isolate_pod", "notify", name="pods", when="surface: pod"),
        policy("notify", name="all", when='category: "*"'),
        policy("notify", name="some", when="{surface: node, node_pool: pool-1}").replace("\n  {", " {"),
        policy("notify", name="not-yet", when="surface: rbac", mode="disabled"),
        policy("notify", name="idle", when="category: Nothing Of This Name"),
    )
    return coverage(load_policies(folder).policies)
