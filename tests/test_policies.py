"""The policies that the product comes with, the cases beside them, and what checks them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.decide import PolicyDecision
from scc_responder.errors import PolicyError
from scc_responder.explanation import read_facts
from scc_responder.mode import Mode
from scc_responder.policy import Policy, load_policies
from scc_responder.policy_cases import Expected, check_policies, differences, gaps
from tests.findings import FOLDER, RUNBOOKS
from tests.findings.decisions import committed, decision
from tests.pipeline.deployment import SHIPPED, policy, write_policies

POLICIES = load_policies(SHIPPED)


def test_shipped_cases() -> None:
    """Every shipped policy does what the cases beside it say, and nothing else."""
    assert check_policies(POLICIES, SHIPPED, FOLDER) == ()


@pytest.mark.parametrize("shipped", POLICIES.policies, ids=lambda shipped: shipped.name)
def test_shipped_policies(shipped: Policy) -> None:
    """Shipped policies come in dry run, and delete nothing whose evidence they have not captured."""
    steps = [step.action for step in shipped.then]
    before_deletion = steps[: steps.index("delete_pod")] if "delete_pod" in steps else ["capture_evidence"]
    assert shipped.mode == Mode.DRY_RUN
    assert "capture_evidence" in before_deletion
    assert (SHIPPED / f"{shipped.name}.test.yaml").exists()


@pytest.mark.parametrize("name", RUNBOOKS)
def test_runbooks(name: str) -> None:
    """Each runbook's golden leads to the committed decision: python -m tests.findings.decisions --write."""
    assert json.loads(committed(name).read_text()) == json.loads(decision(name))


@pytest.mark.parametrize("name", RUNBOOKS)
def test_each_runbook_has_a_policy(name: str) -> None:
    """For each runbook's golden exactly one shipped policy matches, and every other says why it does not."""
    answers = json.loads(decision(name))["policies"]
    assert [answer["reason"] for answer in answers].count("matched") == 1
    assert all(answer["reason"] for answer in answers)
    assert read_facts((FOLDER / f"{name}.context.json").read_bytes(), name).related == ()


CASES = """\
policy: contain
cases:
  - name: acts
    finding: reverse_shell
    expect: {then: [capture_evidence, notify]}
  - name: does not
    finding: added_binary_executed
    expect: {reason: when_threat_differs}
"""
FAULTS = [
    pytest.param(CASES, (), id="right"),
    pytest.param(None, ("contain: no contain.test.yaml stands beside it",), id="no-file"),
    pytest.param(
        CASES.replace("policy: contain", "policy: other"), ("policy: 'other' must be 'contain'",), id="other-policy"
    ),
    pytest.param(
        CASES.replace("then: [capture_evidence, notify]", "then: [capture_evidence]"),
        ("acts: expected then: capture_evidence; came capture_evidence, notify", "no case plans notify"),
        id="more-happened",
    ),
    pytest.param(
        CASES.replace("when_threat_differs", "when_kind_differs"),
        ("does not: expected when_kind_differs, came when_threat_differs",),
        id="other-reason",
    ),
    pytest.param(CASES[: CASES.index("  - name: does not")], ("no case in which the policy does not match",), id="one"),
    pytest.param(
        CASES[: CASES.index("  - name: acts")] + CASES[CASES.index("  - name: does not") :],
        (
            "no case in which every step is planned",
            "no case plans capture_evidence",
            "no case plans notify",
        ),
        id="never-acts",
    ),
]


@pytest.mark.parametrize(("cases", "faults"), FAULTS)
def test_faults_are_named(tmp_path: Path, cases: str | None, faults: tuple[str, ...]) -> None:
    """A policy without cases, or whose cases miss what it does, is told by sentences that name file and case."""
    folder = write_policies(tmp_path / "policies", policy("capture_evidence", "notify"))
    if cases is not None:
        (folder / "contain.test.yaml").write_text(cases)
    found = check_policies(load_policies(folder), folder, FOLDER)
    assert len(found) == len(faults)
    assert [fault in text for fault, text in zip(faults, found, strict=True)] == [True] * len(faults)


BROKEN = [
    pytest.param("finding: reverse_shell", "finding: ../reverse", "unreadable_file", id="no-such-finding"),
    pytest.param("expect: {then", "given: {pdo: {}}\n    expect: {then", "invalid_context", id="misspelt-fact"),
    pytest.param("expect: {then", "expct: {then", "invalid_policy", id="misspelt-field"),
]


@pytest.mark.parametrize(("right", "wrong", "reason"), BROKEN)
def test_unusable_cases(tmp_path: Path, right: str, wrong: str, reason: str) -> None:
    """A case that cannot be run stops the check with the name of what is wrong."""
    folder = write_policies(tmp_path / "policies", policy("capture_evidence", "notify"))
    (folder / "contain.test.yaml").write_text(CASES.replace(right, wrong))
    with pytest.raises(PolicyError) as caught:
        check_policies(load_policies(folder), folder, FOLDER)
    assert caught.value.reason == reason


def test_pure_parts() -> None:
    """The comparison itself needs no files: what was expected and came not, and what came and was not expected."""
    one = POLICIES.policies[0]
    wanted = Expected(then=tuple(step.action for step in one.then))
    assert list(gaps(one, [wanted, Expected(reason="when_threat_differs")])) == []
    came = PolicyDecision(name="x", mode=Mode.DISABLED, matched=False, reason="mode_disabled")
    assert list(differences(Expected(reason="mode_disabled"), came)) == []
