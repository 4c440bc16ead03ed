"""A person asks for a step that a limit, a breaker or its age held: it waits, and is done once it is approved."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.store import usable_as
from scc_responder.guard.limiter import cluster_key
from scc_responder.guard.limits.ledger_document import Budget, Ledger
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.request_for_step import ask_for
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import answered, plan_of
from tests.kits.responder import CLUSTER, RAILS, Deployment, deployed, mutations, policy
from tests.pipeline.test_approvals import decide_again
from tests.pipeline.test_blast_radius import about, busy
from tests.pipeline.test_sweep import swept

Object = dict[str, Any]
STEPS = ("label_pod", "capture_evidence", "delete_pod", "notify")
LIMITED = policy(*STEPS) + "limits:\n  - {most: 1, within: 1h}\n"
STORM = RAILS + "storm_breaker: {targets: 1, denials: 99, within: 10m}\n"
HOLDERS = [
    pytest.param((LIMITED, RAILS, 0), "limit_policy", id="limit"),
    pytest.param((policy(*STEPS), STORM, 0), "storm_breaker", id="breaker"),
    pytest.param((policy(*STEPS), RAILS, 40), "finding_too_old", id="age"),
]


def held(deployment: Deployment, cluster: SimulatedCluster, minutes: int) -> Object:
    """A finding whose deletion is held: the second of two, or one that came late."""
    documents = about(busy(cluster, 2, 1, 4)[::4])
    for number, document in enumerate(documents):
        deployment.list_finding(document, str(number))
    moment = parse_notification(documents[1]).event_time + timedelta(minutes=minutes)
    if minutes:
        deployment.set_clock(lambda: moment)
    for document in documents:
        deployment.deliver(document)
    return documents[1]


def deletion(deployment: Deployment, document: Object) -> str:
    """What became of the deletion."""
    steps = [step for step in deployment.case(document).current_steps if step.action == "delete_pod"]
    return f"{steps[-1].status} {steps[-1].reason}"


def ask(deployment: Deployment, document: Object, action: str = "delete_pod") -> str:
    rule = partial(ask_for, action=action, by="secops@example.com", said="it is real", now=deployment.services.clock())
    return deployment.services.journal.apply(deployment.case(document).finding_key, rule)[0].reason


def reserved(deployment: Deployment) -> set[str]:
    """The pods that the limits on what cannot be undone count."""
    entry = deployment.services.store.get(cluster_key(CLUSTER))
    entries = usable_as(Ledger, entry).entries if entry else ()
    return {item.target for item in entries if item.reserved_at and item.counts_in(Budget.DISRUPTION)}


def deletions(cluster: SimulatedCluster, document: Object) -> int:
    """How many requests deleted the finding's pod."""
    name = document["finding"]["kubernetes"]["pods"][0]["name"]
    return sum(event.verb == "delete" and event.name == name and not event.dry_run for event in cluster.audit)


@pytest.mark.parametrize(("setting", "reason"), HOLDERS)
def test_an_asked_step_is_done_once_approved(
    tmp_path: Path, cluster: SimulatedCluster, setting: tuple[str, str, int], reason: str
) -> None:
    """Asking makes a plan of that step alone; sweeps do nothing of it, the approval does."""
    contain, rails, minutes = setting
    deployment = deployed(tmp_path, cluster, contain, guardrails=rails)
    document = held(deployment, cluster, minutes)
    assert deletion(deployment, document) == f"held {reason}"

    assert ask(deployment, document) == "asked_by_person"
    swept(deployment)
    swept(deployment)

    plan = plan_of(deployment, document)
    assert (deployment.case(document).state, [step.action for step in plan.steps]) == ("waiting", ["delete_pod"])
    assert plan.asked is not None
    assert (plan.asked.reason, plan.asked.by) == (reason, "secops@example.com")
    assert deletions(cluster, document) == 0
    assert deployment.published.messages[-1]["approval"]["asked"]["said"] == "it is real"

    assert answered(deployment, document).status == 204
    assert deletions(cluster, document) == 1
    assert deletion(deployment, document).startswith(("done", "terminating"))


@pytest.mark.parametrize(("setting", "reason"), HOLDERS)
def test_an_asked_step_counts_in_the_ledger(
    tmp_path: Path, cluster: SimulatedCluster, setting: tuple[str, str, int], reason: str
) -> None:
    """The limits say how much was done, whoever had it done: its pod is reserved as the first one is."""
    contain, rails, minutes = setting
    deployment = deployed(tmp_path, cluster, contain, guardrails=rails)
    document = held(deployment, cluster, minutes)
    before = reserved(deployment)
    ask(deployment, document)
    swept(deployment)
    assert reserved(deployment) == before, reason
    answered(deployment, document)
    assert reserved(deployment) - before == {deployment.case(document).decision["pod"]["uid"]}


def test_what_cannot_be_counted_is_held(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Where the ledger makes no sense, not even a person's word has the step done."""
    deployment = deployed(tmp_path, cluster, LIMITED)
    document = held(deployment, cluster, 0)
    ask(deployment, document)
    swept(deployment)
    entry = deployment.services.store.get(cluster_key(CLUSTER))
    assert entry is not None
    deployment.services.store.replace(entry.key, b"{", entry.version)
    answered(deployment, document)
    assert (deletion(deployment, document), deletions(cluster, document)) == ("held ledger_unusable", 0)


def test_other_held_steps_stay_held(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The person asked for the isolation: the deletion beside it is neither asked for nor done."""
    contain = policy("isolate_pod", *STEPS) + "limits:\n  - {most: 1, within: 1h}\n"
    deployment = deployed(tmp_path, cluster, contain)
    document = held(deployment, cluster, 0)
    before = deletion(deployment, document)
    ask(deployment, document, "isolate_pod")
    swept(deployment)
    answered(deployment, document)
    found = {step.action: step.status for step in deployment.case(document).current_steps}
    assert (found["isolate_pod"], deletion(deployment, document)) == ("done", before)
    assert deletions(cluster, document) == 0
    assert deployment.case(document).state == "partial"


def test_a_switch_holds_an_asked_step(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Turned after the plan was made: what was approved is not rehearsed in its place, it waits, and then goes on."""
    deployment = deployed(tmp_path, cluster, LIMITED)
    document = held(deployment, cluster, 0)
    ask(deployment, document)
    swept(deployment)
    deployment.turn("dry_run")
    ending = answered(deployment, document)
    assert (ending.status, ending.reason) == (204, "mode_lowered_by:control")
    swept(deployment)
    record = deployment.case(document)
    assert (deletion(deployment, document), deletions(cluster, document)) == ("held mode_lowered_by:control", 0)
    assert (record.reason, plan_of(deployment, document).state) == ("mode_lowered_by:control", "approved")

    deployment.turn("enforce")
    swept(deployment)
    assert deletions(cluster, document) == 1
    assert deletion(deployment, document).startswith(("done", "terminating"))


def test_a_step_that_is_asked_for_under_a_switch_waits_for_people_all_the_same(
    tmp_path: Path, cluster: SimulatedCluster
) -> None:
    """The plan is made, and its approval counts once the switch is lifted; nothing of it is rehearsed before."""
    deployment = deployed(tmp_path, cluster, LIMITED)
    document = held(deployment, cluster, 0)
    deployment.turn("dry_run")
    ask(deployment, document)
    swept(deployment)
    assert (deployment.case(document).state, deletion(deployment, document)) == (
        "waiting",
        "waiting waiting_for_approval",
    )
    answered(deployment, document)
    assert deletion(deployment, document) == "held mode_lowered_by:control"
    deployment.turn("enforce")
    swept(deployment)
    assert deletions(cluster, document) == 1


def test_what_a_switch_held_too_long_is_asked_anew(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """An approval counts until it expires, whatever held the plan."""
    deployment = deployed(tmp_path, cluster, LIMITED)
    document = held(deployment, cluster, 0)
    ask(deployment, document)
    swept(deployment)
    deployment.turn("dry_run")
    answered(deployment, document)
    moment = plan_of(deployment, document).expires_at
    deployment.set_clock(lambda: moment)
    deployment.turn("enforce")
    swept(deployment)
    assert (deletion(deployment, document), deletions(cluster, document)) == ("held approval_expired", 0)


def test_protection_holds_an_asked_step(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """What guardrails protect by now is not done either, asked for or not."""
    deployment = deployed(tmp_path, cluster, LIMITED)
    document = held(deployment, cluster, 0)
    ask(deployment, document)
    namespace = document["finding"]["kubernetes"]["pods"][0]["ns"]
    decide_again(deployment, LIMITED, guardrails=f"protected: {{namespaces: [{namespace}]}}\n")
    swept(deployment)
    assert deletion(deployment, document) == "held namespace_protected"
    assert ask(deployment, document, "isolate_pod") == "no_step_to_ask_for"
    assert deletions(cluster, document) == 0


def test_a_rejected_ask_may_come_again(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A rejection ends it; a person may ask once more, and that needs another approval."""
    deployment = deployed(tmp_path, cluster, LIMITED)
    document = held(deployment, cluster, 0)
    ask(deployment, document)
    swept(deployment)
    first = plan_of(deployment, document)
    assert ask(deployment, document) == "plan_waits"
    assert answered(deployment, document, "reject", reason="not now").status == 204
    assert deletion(deployment, document) == "held approval_rejected"
    moment = utc_now() + timedelta(minutes=1)
    deployment.set_clock(lambda: moment)
    assert ask(deployment, document) == "asked_by_person"
    swept(deployment)
    assert plan_of(deployment, document).digest != first.digest
    assert list(mutations(cluster.audit)).count("delete pods") == 1
    answered(deployment, document)
    assert deletions(cluster, document) == 1
