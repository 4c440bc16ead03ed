"""A policy without cases is told what a file of them may begin with: what it does today."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scc_responder.policy.policy_set import Policy, PolicySet
from scc_responder.workbench.policies.policy_lint import SCHEMA_LINE
from scc_responder.workbench.policies.policy_tests import PolicyTests
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.findings import FOLDER
from tests.kits.responder import SHIPPED

PACK = load_policies(SHIPPED)
OF_NO_PLAIN_FINDING = {
    "close-cloud-run-invokers",
    "contain-confirmed-miner",
    "isolate-raised-suspicion",
    "report-unknown-pod-threat",
    "report-unknown-threat",
}
"""They ask for related findings, for something that happened before, or for a threat that no catalogue has."""


@pytest.mark.parametrize("policy", PACK.policies, ids=[policy.name for policy in PACK.policies])
def test_what_is_suggested_is_what_the_policy_does(tmp_path: Path, policy: Policy) -> None:
    """Written down as it stands, it is read, and each of its cases passes: one that acts, and one that does not."""
    shutil.copy(SHIPPED / f"{policy.name}.yaml", tmp_path)
    alone = PolicySet(policies=(policy,), guardrails=PACK.guardrails, digest="")
    told = PolicyTests(alone, tmp_path, FOLDER).check(policy)
    if not told.begin:
        assert policy.name in OF_NO_PLAIN_FINDING
        return
    assert told.begin[0] == SCHEMA_LINE.format(kind="test")
    (tmp_path / f"{policy.name}.test.yaml").write_text("\n".join(told.begin) + "\n")
    found = PolicyTests(alone, tmp_path, FOLDER).check(policy)
    has_held_steps = ": " in told.begin[5].partition("then: ")[2]
    assert (found.unusable, found.begin) == ((), ())
    assert found.faults == (("no case in which every step is planned",) if has_held_steps else ())
    assert [case.passed for case in found.cases] == [True, True]
