"""The policies that the product comes with, and the cases beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from scc_responder.actions import actions
from scc_responder.cli.policy.reports.policy_test_report import case_difference
from scc_responder.domain.changes import Disruption
from scc_responder.domain.mode import Mode
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.explanation import read_facts
from scc_responder.workbench.policies.cases.case_file import PolicyCase
from scc_responder.workbench.policies.policy_tests import PolicyTests, orphans
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.findings import FOLDER, RUNBOOKS
from tests.findings.decisions import committed, decision
from tests.kits.responder import SHIPPED

POLICIES = load_policies(SHIPPED)
TESTS = PolicyTests(POLICIES, SHIPPED, FOLDER)


def shipped_cases() -> Iterator[Any]:
    """Every case beside a shipped policy, by its policy and its own name."""
    for one in POLICIES.policies:
        file = TESTS.read(one)
        yield from (
            pytest.param(one, read.case, id=f"{one.name}: {read.name}") for read in (file.cases if file else ())
        )


@pytest.mark.parametrize(("shipped", "case"), list(shipped_cases()))
def test_each_shipped_case_passes(shipped: Policy, case: PolicyCase) -> None:
    """Every shipped policy does what the case beside it says, and nothing else: `scc-responder policy test` says so."""
    result = TESTS.check_case(shipped, case)
    assert result.passed, "\n".join(["", *case_difference(result)])


@pytest.mark.parametrize("shipped", POLICIES.policies, ids=lambda shipped: shipped.name)
def test_shipped_cases_say_enough(shipped: Policy) -> None:
    """Every shipped policy has a case in which it acts, one in which it does not, and no step that none plans."""
    result = TESTS.check(shipped)
    assert (result.faults, result.untested) == ((), ())


def test_no_stray_cases() -> None:
    """There are no cases beside no policy."""
    assert orphans(POLICIES, SHIPPED) == ()


@pytest.mark.parametrize("shipped", POLICIES.policies, ids=lambda shipped: shipped.name)
def test_shipped_policies_are_in_dry_run(shipped: Policy) -> None:
    """Shipped policies come in dry run, and delete nothing whose evidence they have not captured.

    Those that change Cloud Run come in approve: a person reads each plan.
    """
    steps = [step.action for step in shipped.then]
    before_deletion = steps[: steps.index("delete_pod")] if "delete_pod" in steps else ["capture_evidence"]
    changes_run = any(actions()[step].disrupts is Disruption.SERVICES for step in steps)
    assert shipped.mode == (Mode.APPROVE if changes_run else Mode.DRY_RUN)
    assert "capture_evidence" in before_deletion
    assert (SHIPPED / f"{shipped.name}.test.yaml").exists()


@pytest.mark.parametrize("name", RUNBOOKS)
def test_each_runbook_keeps_its_decision(name: str) -> None:
    """Each runbook's golden leads to the committed decision: python -m tests.findings.decisions --write."""
    assert json.loads(committed(name).read_text()) == json.loads(decision(name))


@pytest.mark.parametrize("name", RUNBOOKS)
def test_each_runbook_has_a_policy(name: str) -> None:
    """For each runbook's golden exactly one shipped policy matches, and every other says why it does not.

    On Cloud Run a second one asks a person.
    """
    answers = json.loads(decision(name))["policies"]
    asking = 1 if name == "cloud_run_container_escape" else 0
    assert [answer["reason"] for answer in answers].count("matched") == 1 + asking
    assert all(answer["reason"] for answer in answers)
    assert read_facts((FOLDER / f"{name}.context.json").read_bytes(), name).related == ()
