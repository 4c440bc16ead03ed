"""The policies that the product comes with, as a whole: every threat answered, by one ladder, and no rung too high."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.changes import Disruption
from scc_responder.domain.context import Context, RelatedFinding
from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import Mode
from scc_responder.guard.guard import guard
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import CONFIDENCES, UNKNOWN, Row, catalogue
from scc_responder.policy.decide import PolicyDecision, decide
from scc_responder.policy.guardrails import Ceiling
from scc_responder.policy.match import as_tuple
from scc_responder.policy.policy_set import OnFailure, Policy
from scc_responder.workbench.explanation import ContextFacts, context_of, read_facts
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.findings import FOLDER
from tests.kits.responder import SHIPPED

PACK = load_policies(SHIPPED)
SCHEMA_LINE = "# yaml-language-server: $schema=./.schema/{}.json"
LADDER = (
    "label_pod",
    "annotate_pod",
    "isolate_pod",
    "capture_logs",
    "capture_evidence",
    "sever_connections",
    "freeze_process",
    "cordon_node",
    "inspect_container",
    "delete_pod",
    "capture_cloud_logs",
    "notify",
)
"""The order of docs/evidence.md. Cloud Logging keeps its entries: no deletion waits for them."""
RUN_LADDER = (
    "capture_evidence",
    "roll_back_service",
    "restart_service",
    "cut_ingress",
    "remove_invokers",
    "scale_to_zero",
    "cancel_execution",
    "delete_revision",
    "capture_cloud_logs",
    "notify",
)
"""The order on Cloud Run: safe revisions serve before the way in is cut; what can be undone comes first."""
_MARK = {"label_pod", "annotate_pod", "capture_logs", "capture_evidence", "notify"}
_LOOK = _MARK | {"isolate_pod", "inspect_container"}
_ISOLATE = _LOOK | {"sever_connections", "freeze_process", "capture_cloud_logs"}
TIERS = {
    "report": {"capture_evidence", "notify"},
    "mark": _MARK,
    "look": _LOOK,
    "isolate": _ISOLATE,
    "contain": _ISOLATE | {"delete_pod"},
}
"""What a policy does at least, by the verb that its name begins with."""
MAY = {
    "report": {"capture_logs", "capture_cloud_logs"},
    "isolate": {"cordon_node"},
    "contain": {"cordon_node"},
}
"""What it may do besides."""
_OBSERVE = {"capture_evidence", "capture_cloud_logs", "notify"}
ON_CLOUD_RUN = {
    "isolate-cloud-run-attack": _OBSERVE | {"roll_back_service", "cut_ingress", "scale_to_zero"},
    "contain-cloud-run-malware": _OBSERVE | {"roll_back_service"},
    "cut-off-cloud-run-malware": _OBSERVE | {"cut_ingress", "scale_to_zero", "delete_revision"},
    "close-cloud-run-invokers": _OBSERVE | {"remove_invokers"},
    "cancel-cloud-run-execution": _OBSERVE | {"cancel_execution"},
}
"""What the policies do that change Cloud Run, and no other."""
RUNBOOKS = {"respond-to-added-binary": "look", "respond-to-compiler": "mark"}
"""Policies that are named after their runbooks, and the tier of each."""

each_policy = pytest.mark.parametrize("policy", PACK.policies, ids=lambda policy: policy.name)
each_row = pytest.mark.parametrize("row", catalogue(), ids=lambda row: row.name)


def tier(policy: Policy) -> str:
    """The verb that says how far a policy goes."""
    return RUNBOOKS.get(policy.name) or policy.name.partition("-")[0]


def steps(policy: Policy) -> list[str]:
    """The policy's actions in order."""
    return [step.action for step in policy.then]


def golden(row: Row) -> tuple[Finding, ContextFacts]:
    """The row's golden, and what is known of its target, which is there."""
    path = FOLDER / "catalogue" / row.detector / row.name
    facts = read_facts(path.with_suffix(".context.json").read_bytes(), row.name)
    return parse_notification(path.with_suffix(".json").read_bytes()), facts


def plain(row: Row) -> Context:
    """The row's golden by itself."""
    return context_of(*golden(row))


def beside(row: Row, category: str) -> Context:
    """The row's golden with another finding on the same container a minute earlier."""
    finding, facts = golden(row)
    name = finding.name.rpartition("/")[0] + "/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    related = RelatedFinding(name=name, category=category, event_time=finding.event_time - timedelta(minutes=1))
    return context_of(finding, replace(facts, related=(related,)))


def matched(context: Context) -> Iterator[PolicyDecision]:
    """The shipped policies that match, under the shipped guardrails."""
    now = context.finding.event_time
    decision = guard(context, decide(context, PACK.policies), PACK.guardrails, now, reach=EVERYWHERE_IN_RUN)
    return (policy for policy in decision.policies if policy.matched)


def planned(context: Context) -> set[str]:
    """Every action that is planned by any of them."""
    return {item.action for policy in matched(context) for item in policy.actions if item.result == "planned"}


@each_row
def test_every_threat_is_answered(row: Row) -> None:
    """A plain finding of each threat is met by exactly one policy, which keeps the evidence and tells a person.

    What changes Cloud Run comes besides.
    """
    (answer,) = (policy for policy in matched(plain(row)) if policy.name not in ON_CLOUD_RUN)
    assert {"capture_evidence", "notify"} <= planned(plain(row))
    assert answer.mode == Mode.DRY_RUN


COMPANY = {
    "nothing": "",
    "a bad practice": "Added Binary Executed",
    "an attack": "Reverse Shell",
    "known malware": "Execution: Added Malicious Binary Executed",
}


@pytest.mark.parametrize("category", COMPANY.values(), ids=COMPANY)
@each_row
def test_only_what_is_confirmed_deletes(row: Row, category: str) -> None:
    """Whatever is found beside it: what is not confirmed deletes nothing, what is only possible cordons nothing."""
    context = beside(row, category) if category else plain(row)
    confidence = context.threat.confidence
    assert CONFIDENCES.index(confidence) >= CONFIDENCES.index(row.confidence)
    assert "delete_pod" not in planned(context) or confidence == "confirmed"
    assert not planned(context) & {"cordon_node", "sever_connections", "freeze_process"} or confidence != "possible"


@each_row
def test_pods_keep_their_logs(row: Row) -> None:
    """Of every threat in a pod its logs are kept, and of a likely attack on a workload all that the look tells."""
    steps_planned = planned(plain(row))
    assert ("capture_logs" in steps_planned) == (row.surface == "pod")
    stopped = {"isolate_pod", "sever_connections", "freeze_process", "inspect_container", "capture_cloud_logs"}
    is_attack = row.surface == "pod" and row.confidence != "possible" and row.name not in IN_SYSTEM_PODS
    assert (stopped <= steps_planned) == is_attack


IN_SYSTEM_PODS = {"gke_suspicious_exec_attach"}
"""Threats in pods that guardrails protect: nothing of them is changed."""


@each_row
def test_company_never_does_less(row: Row) -> None:
    """What is planned for a finding by itself is planned for it in worse company too."""
    alone = planned(plain(row))
    assert alone <= planned(beside(row, COMPANY["an attack"]))
    assert alone <= planned(beside(row, COMPANY["known malware"]))


def test_suspicion_is_raised() -> None:
    """Bad practice in a container where an attack was found has its pod isolated, severed and frozen."""
    stopped = {"isolate_pod", "sever_connections", "freeze_process", "inspect_container"}
    rows = [row for row in catalogue() if (row.detector, row.surface) == ("container_threat_detection", "pod")]
    raised = [row.name for row in rows if stopped <= planned(beside(row, COMPANY["an attack"]))]
    assert raised == [row.name for row in rows]


@pytest.mark.parametrize("surface", ["node", "cluster", "rbac"])
def test_what_names_no_pod_is_reported(surface: str) -> None:
    """Findings about nodes, clusters and roles change nothing, and try nothing that would be held."""
    for row in (row for row in catalogue() if row.surface == surface):
        answers = [item for policy in matched(plain(row)) for item in policy.actions]
        assert {(item.action, item.result) for item in answers} == {
            ("capture_evidence", "planned"),
            ("notify", "planned"),
        }


IN_JOBS = {"cloud_run_jobs_cryptomining_commands"}
ASKED = {"roll_back_service", "cut_ingress", "scale_to_zero"}


@pytest.mark.parametrize("row", [row for row in catalogue() if row.surface == "cloud_run"], ids=lambda row: row.name)
def test_each_threat_in_cloud_run_is_answered(row: Row) -> None:
    """Evidence, logs and notice always; of a likely attack one plan that a person approves, and nothing before."""
    context = plain(row)
    answers = list(matched(context))
    assert planned(context) >= _OBSERVE
    asked = {"cancel_execution"} if row.name in IN_JOBS else set() if row.confidence == "possible" else ASKED
    assert planned(context) - _OBSERVE == asked
    assert {answer.mode for answer in answers if answer.name in ON_CLOUD_RUN} <= {Mode.APPROVE}


def test_only_a_rollback_may_be_raised() -> None:
    """The ceiling keeps policies that enforce at approve; once a person lifts it, a rollback alone is enforced."""
    (row,) = (row for row in catalogue() if row.name == "cloud_run_added_malicious_binary_executed")
    raised = tuple(replace(policy, mode=Mode.ENFORCE) for policy in PACK.policies)
    lifted = replace(PACK.guardrails, ceilings=tuple(_without_rollback(each) for each in PACK.guardrails.ceilings))
    for rails, wanted in ((PACK.guardrails, Mode.APPROVE), (lifted, Mode.ENFORCE)):
        context = plain(row)
        decision = guard(context, decide(context, raised), rails, context.finding.event_time, reach=EVERYWHERE_IN_RUN)
        modes = decision.modes
        assert modes["contain-cloud-run-malware"] == wanted
        assert modes["cut-off-cloud-run-malware"] == Mode.APPROVE


def _without_rollback(ceiling: Ceiling) -> Ceiling:
    return replace(ceiling, actions=tuple(name for name in ceiling.actions if name != "roll_back_service"))


def test_the_ceiling_names_what_changes_cloud_run() -> None:
    """Whatever changes a service or a job stands in the ceiling of the shipped guardrails."""
    (ceiling,) = PACK.guardrails.ceilings
    assert set(ceiling.actions) == {name for name, each in actions().items() if each.disrupts is Disruption.SERVICES}


@each_policy
def test_each_file_names_its_schema(policy: Policy) -> None:
    """A policy and the test beside it name their schemas in the first line; its description is worth reading."""
    text, test = ((SHIPPED / f"{policy.name}{suffix}").read_text() for suffix in (".yaml", ".test.yaml"))
    assert text.splitlines()[0] == SCHEMA_LINE.format("policy")
    assert test.splitlines()[0] == SCHEMA_LINE.format("test")
    mode = Mode.APPROVE if policy.name in ON_CLOUD_RUN else Mode.DRY_RUN
    assert (policy.mode, policy.owner) == (mode, "secops@example.com")
    assert 60 < len(policy.description) < 400


@each_policy
def test_each_name_begins_with_its_verb(policy: Policy) -> None:
    """A name is kebab-case and begins with the verb that says how far the policy goes."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", policy.name)
    wanted = ON_CLOUD_RUN.get(policy.name) or TIERS[tier(policy)]
    if policy.name in ON_CLOUD_RUN:
        assert set(steps(policy)) == wanted
    assert set(steps(policy)) - wanted <= MAY.get(tier(policy), set())
    assert wanted <= set(steps(policy))


@each_policy
def test_each_policy_orders_its_steps(policy: Policy) -> None:
    """Mark, isolate, keep, sever, freeze, look, delete, tell: and deletion waits for evidence that is proven."""
    ladder = RUN_LADDER if policy.name in ON_CLOUD_RUN else LADDER
    assert steps(policy) == [action for action in ladder if action in steps(policy)]
    for index, step in enumerate(policy.then):
        assert actions()[step.action].reversible or "capture_evidence" in step.needs
        assert actions()[step.action].reversible or "capture_evidence" in steps(policy)[:index]


@each_policy
def test_a_failed_step_costs_no_other(policy: Policy) -> None:
    """Where the network policy cannot be made, or nothing can be put in, what follows is done all the same."""
    assert {step.on_failure for step in policy.then} == {OnFailure.CONTINUE}


@each_policy
def test_the_unknown_is_only_observed(policy: Policy) -> None:
    """A policy that a threat of no row can reach does nothing but observe."""
    reaches = policy.when.threat is None or any(pattern in {UNKNOWN, "*"} for pattern in as_tuple(policy.when.threat))
    assert not reaches or all(actions()[name].observes for name in steps(policy))


def test_a_new_detector_is_reported() -> None:
    """A finding that no row describes is kept and told, and nothing else is tried."""
    finding = parse_notification((FOLDER / "unknown_category.json").read_bytes())
    facts = read_facts((FOLDER / "unknown_category.context.json").read_bytes(), "unknown")
    (answer,) = matched(context_of(finding, facts))
    assert [item.action for item in answer.actions] == ["capture_logs", "capture_evidence", "notify"]


@each_policy
def test_a_policy_names_what_it_is_for(policy: Policy) -> None:
    """Threats are named in full: a pattern would take in detectors that are not here yet."""
    names = {row.name for row in catalogue()} | {UNKNOWN}
    assert policy.when.threat is not None
    assert set(as_tuple(policy.when.threat)) <= names


def test_replacements_are_left_alone() -> None:
    """Of every threat in a pod: the pod that took its place is touched by no policy."""
    for row in (row for row in catalogue() if row.surface == "pod"):
        finding, facts = golden(row)
        assert facts.pod is not None
        younger = replace(facts.pod, creation_time=finding.event_time + timedelta(minutes=5))
        kept = planned(context_of(finding, replace(facts, pod=younger)))
        assert all(actions()[name].observes for name in kept)
