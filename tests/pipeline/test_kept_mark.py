"""A person's mark from the console: it counts as `case mark` counts it, and for what was shown alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scc_responder.cli.main import main
from scc_responder.domain.resource_names import ASSERTION_HEADER
from scc_responder.guard.trust.error_budget import ERROR_BUDGETS
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.later.left_notices import LEFT_NOTICES
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE, answered
from tests.kits.google.iap import IAP_AUDIENCE, LocalIap, forged
from tests.kits.google.issuer import AUDIENCE, Issuer
from tests.kits.responder import CLUSTER, RAILS, Deployment, deployed, policy
from tests.pipeline.test_first_shots import pods, told_of

Object = dict[str, Any]
CONSOLE = "scc-responder-console@example-project.iam.gserviceaccount.com"
RULES = RAILS + "approval: {approvers: [ann@example.com], needed: 1}\n"
LOWERED = "mode_lowered_by:error_budget"


class Marking(NamedTuple):
    """A deployment with a console, whose policy deletes pods, and who proves who asks."""

    deployment: Deployment
    issuer: Issuer
    iap: LocalIap

    def contain(self, document: Object) -> Object:
        """Answer a finding."""
        self.deployment.list_finding(document, f"finding-{document['finding']['name'][-4:]}")
        assert self.deployment.deliver(document).status == 204
        return document

    def mark(self, document: Object, verb: str, assertion: str = "", **body: str) -> Ending:
        """What the console hands on."""
        headers = {**HERE, ASSERTION_HEADER: assertion or self.iap.assertion()}
        token = self.issuer.token(CONSOLE)
        return answered(self.deployment, document, verb, token=token, headers=headers, **body)

    def budgets(self) -> list[bytes]:
        """What is kept of verdicts."""
        return [entry.value for entry in self.deployment.services.store.scan(ERROR_BUDGETS).entries]

    def mode(self, document: Object) -> tuple[str, str]:
        """How far the policy goes with a further finding, and what lowered it."""
        self.contain(document)
        (item,) = self.deployment.case(document).decision["policies"]
        return item["mode"], item["mode_reason"]


@pytest.fixture
def marking(tmp_path: Path, cluster: SimulatedCluster) -> Iterator[Marking]:
    """The same."""
    with Issuer() as issuer, LocalIap() as iap:
        given = {"console": CONSOLE, "iap_audience": IAP_AUDIENCE, "iap_keys": iap.address}
        tokens = {"approval_audience": AUDIENCE, "approval_certs": issuer.certs}
        acts = policy("label_pod", "delete_pod")
        yield Marking(deployed(tmp_path, cluster, acts, guardrails=RULES, **tokens, **given), issuer, iap)


def test_a_wrong_deletion_lowers_its_policy(marking: Marking, cluster: SimulatedCluster) -> None:
    """The case keeps who said so and why, the policy asks a person first, the person is told, and people are."""
    first, second = told_of(pods(cluster, 2))
    marking.contain(first)
    ending = marking.mark(first, "mark_wrong", reason="a load\u202e test")
    mark, told = marking.deployment.case(first).mark, json.loads(ending.body)

    assert (ending.status, ending.reason, told["answer"]) == (204, "marked", "mark_wrong")
    assert told["lines"] == f"policy contain asks a person first in {CLUSTER} now"
    assert mark is not None
    assert (mark.is_wrong, mark.by) == (True, "ann@example.com")
    assert "\u202e" not in mark.said
    assert marking.mode(second) == ("approve", LOWERED)
    assert len(marking.deployment.services.store.scan(LEFT_NOTICES).entries) == 1
    (line,) = [one for one in marking.deployment.lines if "approver" in one]
    assert (line["approver"], line["through"], line["status"]) == ("ann@example.com", "console", 204)


def test_it_is_what_the_command_does(marking: Marking, cluster: SimulatedCluster, tmp_path: Path) -> None:
    """A right one lowers nothing. The last word counts, from wherever it comes: one verdict is kept of a case."""
    first, second = told_of(pods(cluster, 2))
    marking.contain(first)
    assert "lines" not in json.loads(marking.mark(first, "mark_right").body)
    (kept,) = marking.budgets()
    case = parse_notification(first).key[:12]
    assert main(["case", "mark", case, "right", "--by", "ben", "--store", str(tmp_path / "journal.db")]) == 0
    assert marking.budgets() == [kept]
    assert marking.mode(second) == ("enforce", "")


def test_a_replay_counts_once(marking: Marking, cluster: SimulatedCluster) -> None:
    """The same hand-over again, or a double click: one verdict, one ceiling, one notice."""
    first, _ = told_of(pods(cluster, 2))
    marking.contain(first)
    assertion = marking.iap.assertion()
    endings = [marking.mark(first, "mark_wrong", assertion) for _ in range(3)]
    assert {(ending.status, ending.reason) for ending in endings} == {(204, "marked")}
    assert [json.loads(ending.body).get("lines", "") != "" for ending in endings] == [True, False, False]
    assert len(marking.deployment.services.store.scan(LEFT_NOTICES).entries) == 1


@pytest.mark.parametrize("verb", ["mark_right", "mark_wrong"])
def test_a_mark_that_is_not_taken_says_why(marking: Marking, cluster: SimulatedCluster, verb: str) -> None:
    """Nobody who is not listed, no forged or foreign proof, no stale page, no unknown case: nothing is kept."""
    (document,) = told_of(pods(cluster, 1))
    marking.contain(document)
    before = marking.deployment.case(document)
    asked = {
        "approver_not_listed": marking.mark(document, verb, marking.iap.assertion("eve@example.com")),
        "token_wrong_audience": marking.mark(document, verb, marking.iap.assertion(aud="/projects/1/services/other")),
        "token_expired": marking.mark(document, verb, marking.iap.assertion(iat=1, exp=2)),
        "plan_digest_differs": marking.mark(document, verb, plan="f" * 64),
        "no_such_case": marking.mark(document, verb, case="f" * 12),
    }
    assert {reason: ending.reason for reason, ending in asked.items()} == {reason: reason for reason in asked}
    assert {ending.status for ending in asked.values()} == {403, 409}
    told = [json.loads(ending.body) for ending in asked.values()]
    assert told == [{"refused": verb, "reason": reason} for reason in asked]
    assert {marking.mark(document, verb, assertion).status for assertion in forged(marking.iap).values()} == {403}
    alone = answered(marking.deployment, document, verb, token=marking.issuer.token(CONSOLE))
    assert (alone.status, alone.reason) == (403, "no_assertion")
    assert (marking.deployment.case(document), marking.budgets()) == (before, [])


def test_a_case_that_is_worked_on_takes_no_mark(marking: Marking, cluster: SimulatedCluster) -> None:
    """What it does is still to come."""
    (document,) = told_of(pods(cluster, 1))
    assert marking.deployment.services.journal.claim(parse_notification(document)).case is not None
    ending = marking.mark(document, "mark_right")
    assert (ending.status, ending.reason) == (409, "case_in_progress")
    assert marking.deployment.case(document).mark is None
