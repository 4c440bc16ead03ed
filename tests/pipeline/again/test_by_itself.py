"""What a sweep goes on with by itself, and what it leaves to a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scc_responder.cli.main import main
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import usable_as
from scc_responder.guard.limiter import cluster_key
from scc_responder.guard.limits.ledger_document import Breaker, Budget, Ledger
from scc_responder.guard.limits.storm import with_breakers
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.journal import Transition
from scc_responder.journal.persons_word import with_word
from scc_responder.pipeline import sweep as sweep_module
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.answers import HERE, answered
from tests.kits.responder import CLUSTER, NODE, RAILS, Deployment, deployed, finding_about, policy

_LIMITS = "limits: {namespace: [{most: 1, within: 10m}], owner: [{most: 9, within: 10m}]}"
ONE = f"{RAILS}{_LIMITS}\nisolation: {{{_LIMITS}}}\n"


def minutes_later(deployment: Deployment, minutes: float) -> None:
    """Let it be so many minutes later."""
    deployment.set_clock(lambda: utc_now() + timedelta(minutes=minutes))


def swept(deployment: Deployment, minutes: float) -> int:
    """How many cases a sweep goes on with, so many minutes later."""
    minutes_later(deployment, minutes)
    sweep(HERE, "127.0.0.1", deployment.services)
    met: dict[str, int] = deployment.line["swept"]
    return met.get("resumed", 0)


def delivered(deployment: Deployment, pods: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A finding about each of the pods, listed and delivered."""
    documents = [finding_about(pod, finding_id=f"{number:032x}") for number, pod in enumerate(pods)]
    for number, document in enumerate(documents):
        deployment.list_finding(document, f"finding-{number}")
        deployment.deliver(document)
    return documents


def states(deployment: Deployment, documents: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """How each case stands, and the reason of its first step."""
    records = [deployment.case(document) for document in documents]
    steps = [next(step for step in record.steps if step.action == "isolate_pod") for record in records]
    return [(str(record.state), step.reason) for record, step in zip(records, steps, strict=True)]


def test_a_limit_that_is_free_again(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Nobody has to ask: once the window has passed, the pod that was held is isolated."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=ONE)
    documents = delivered(deployment, cluster.objects("Pod", "shop"))
    assert states(deployment, documents)[1] == ("held", "limit_namespace")
    assert [swept(deployment, minutes) for minutes in (5, 14)] == [0, 0]
    assert swept(deployment, 16) == 1
    assert states(deployment, documents)[1][0] == "done"
    assert len(cluster.objects("NetworkPolicy")) == 2
    assert swept(deployment, 60) == 0


def test_what_cannot_be_undone_waits_for_a_person(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The pod is isolated; its deletion, which the same limit held, is not done before a person asks for it."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", "delete_pod"), guardrails=ONE)
    documents = delivered(deployment, cluster.objects("Pod", "shop"))
    assert swept(deployment, 16) == 1
    record = deployment.case(documents[1])
    reasons = {step.action: step.reason for step in record.steps}
    assert (record.state, reasons["isolate_pod"], reasons["delete_pod"]) == ("partial", "isolated", "waits_for_person")
    assert swept(deployment, 17) == 0
    store = f"sqlite:///{tmp_path / 'journal.db'}"
    assert main(["case", "resume", record.finding_key[:12], "--apply", "--store", store]) == 0
    assert swept(deployment, 18) == 1
    assert deployment.case(documents[1]).state == "done"


def test_an_approved_plan_goes_on_too(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """What a person approved and a limit held needs no second answer, also where it cannot be undone."""
    asking = policy("isolate_pod", "delete_pod", mode="approve")
    deployment = deployed(tmp_path, cluster, asking, guardrails=ONE)
    documents = delivered(deployment, cluster.objects("Pod", "shop"))
    for document in documents:
        answered(deployment, document)
    assert deployment.case(documents[1]).state == "held"
    assert swept(deployment, 16) == 1
    assert deployment.case(documents[1]).state == "done"


def test_more_than_a_window_holds_is_one_message(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Two held pods are more than the limit lets be done at once: no sweep begins, and people are told once a day."""
    cluster.create(objects.deployment("api", "shop", NODE, replicas=1))
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=ONE)
    documents = delivered(deployment, cluster.objects("Pod", "shop"))
    assert [state for state, _ in states(deployment, documents)] == ["done", "held", "held"]
    assert [swept(deployment, minutes) for minutes in (16, 40, 90)] == [0, 0, 0]
    told = [message for message in deployment.published.messages if message.get("reason") == "held_too_many"]
    assert {(each["policy"], each["count"], each["scope"].split()[0]) for each in told} == {("contain", 2, "namespace")}
    # Midnight may have come between.
    assert len(told) < 3
    assert "case resume --policy contain" in told[0]["remedy"]


def test_what_several_sweeps_meet_counts_together(
    tmp_path: Path, cluster: SimulatedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads one case alone: none begins, as two pods are held. Once one of them is let be, the other goes on."""
    monkeypatch.setitem(sweep_module._ROUNDS, "unfinished", 1)
    cluster.create(objects.deployment("api", "shop", NODE, replicas=1))
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=ONE)
    documents = delivered(deployment, cluster.objects("Pod", "shop"))
    assert [swept(deployment, minutes) for minutes in (1, 2, 16, 17, 18, 19)] == [0] * 6
    told = [message for message in deployment.published.messages if message.get("reason") == "held_too_many"]
    assert ({each["count"] for each in told}, len(told) < 3) == ({2}, True)

    deployment.services.journal.apply(deployment.case(documents[2]).finding_key, said_to_be_right)
    assert sum(swept(deployment, minutes) for minutes in (24, 25, 26)) == 1
    assert [state for state, _ in states(deployment, documents)] == ["done", "done", "held"]


def said_to_be_right(record: CaseRecord, _is_held: bool) -> Transition:
    """A person ends the case."""
    worded = with_word(record, WordKind.REJECTED, "secops@example.com", utc_now())
    return Transition(reason=Reason.REJECTED_BY_PERSON, status=204, record=worded)


def test_two_cases_on_one_pod_are_one_target(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """What counts are pods, as in the limit: both cases go on."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=ONE)
    first, second = cluster.objects("Pod", "shop")
    documents = delivered(deployment, [first, second, second])
    assert [state for state, _ in states(deployment, documents)] == ["done", "held", "held"]
    assert swept(deployment, 16) == 2
    assert [state for state, _ in states(deployment, documents)] == ["done"] * 3


def test_a_breaker_that_was_reset(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """While it is tripped no sweep asks the cluster; once it is reset, what it held is done."""
    rails = f"{RAILS}isolation: {{storm_breaker: {{targets: 3}}}}\n"
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=rails)
    document = finding_about(pod)
    tripped(deployment, cluster)
    deployment.respond_to(document)
    assert "isolate_pod: storm_breaker" in deployment.outcomes(document)
    asked = deployment.clusters.asked
    assert (swept(deployment, 40), deployment.clusters.asked) == (0, asked)
    store = f"sqlite:///{tmp_path / 'journal.db'}"
    assert main(["breaker", "reset", "--cluster", CLUSTER, "--reason", "test", "--store", store]) == 0
    assert swept(deployment, 41) >= 1
    assert deployment.case(document).state == "done"


def with_breaker(deployment: Deployment, scope: str) -> None:
    """Let a breaker of isolations be tripped in the cluster, in this scope."""
    store, now = deployment.services.store, utc_now()
    found = store.get(cluster_key(CLUSTER))
    entry = found or store.create(cluster_key(CLUSTER), msgspec.json.encode(Ledger(cluster=CLUSTER)))
    breaker = Breaker(
        tripped_at=now, detail="for a test", paging_since=now, told_at=now, scope=scope, budget=Budget.ISOLATION
    )
    ledger = with_breakers(usable_as(Ledger, entry), (breaker,))
    store.replace(entry.key, msgspec.json.encode(ledger), entry.version)


def with_breakers_reset(tmp_path: Path) -> None:
    """A person resets all breakers of the cluster."""
    store = f"sqlite:///{tmp_path / 'journal.db'}"
    assert main(["breaker", "reset", "--cluster", CLUSTER, "--reason", "test", "--store", store]) == 0


@pytest.mark.parametrize(
    ("scope", "is_held"),
    [
        ("cluster", True),
        ("namespace=shop", True),
        ("owner={}", True),
        ("node={}", True),
        ("namespace=billing", False),
        ("owner=another", False),
        ("node=another", False),
    ],
)
def test_a_breaker_of_each_scope_is_known(
    tmp_path: Path, cluster: SimulatedCluster, scope: str, *, is_held: bool
) -> None:
    """While one holds the pod no sweep asks its cluster, whether of its workload, namespace, node or cluster."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=ONE)
    documents = delivered(deployment, cluster.objects("Pod", "shop"))
    decision = deployment.case(documents[1]).decision
    known = {"owner={}": decision["workload_uid"], "node={}": decision["pod"]["node"]}
    with_breaker(deployment, scope.format(known.get(scope, "")))
    asked = deployment.clusters.asked
    assert swept(deployment, 16) == (not is_held)
    assert (deployment.clusters.asked == asked) == is_held
    if is_held:
        with_breakers_reset(tmp_path)
        assert swept(deployment, 17) == 1
    assert states(deployment, documents)[1][0] == "done"


def test_what_a_breaker_held_fits_into_each_scope(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A breaker of the whole cluster held two pods of a namespace in which one may be cut off: people are told."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=ONE)
    with_breaker(deployment, "cluster")
    documents = delivered(deployment, cluster.objects("Pod", "shop"))
    assert states(deployment, documents) == [("held", "storm_breaker")] * 2
    with_breakers_reset(tmp_path)
    assert swept(deployment, 16) == 0
    (told,) = (message for message in deployment.published.messages if message.get("reason") == "held_too_many")
    assert (told["scope"], told["count"]) == (f"namespace {CLUSTER}/shop", 2)


def tripped(deployment: Deployment, cluster: SimulatedCluster) -> None:
    """Noise elsewhere trips the cluster's breaker."""
    for number in range(5):
        cluster.create(objects.namespace(f"space-{number}"))
        cluster.create(objects.deployment("app", f"space-{number}", NODE))
    noisy = [each for each in cluster.objects("Pod") if each["metadata"]["namespace"].startswith("space-")]
    for number, each in enumerate(noisy):
        document = finding_about(each, finding_id=f"{number + 100:032x}")
        deployment.list_finding(document, f"noise-{number}")
        deployment.deliver(document)


def test_a_cluster_that_is_reached_again(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """No message comes again for it: the sweep goes on, and the way that was shut is told once."""
    deployment, document = deployed(tmp_path, cluster, policy("isolate_pod")), finding_about(pod)
    connect = deployment.clusters.connect

    def shut(_ref: object) -> Any:
        raise ApiError(Reason.CLUSTER_ENDPOINT_PRIVATE, "no way")

    vars(deployment.clusters)["connect"] = shut
    deployment.respond_to(document)
    assert (deployment.case(document).state, deployment.case(document).reason) == ("held", "cluster_endpoint_private")
    assert swept(deployment, 20) == 1
    assert deployment.case(document).state == "held"
    vars(deployment.clusters)["connect"] = connect
    assert [swept(deployment, minutes) for minutes in (30, 41)] == [0, 1]
    assert deployment.case(document).state == "done"
    told = [message["reason"] for message in deployment.published.messages if "reason" in message]
    assert told.count("cluster_endpoint_private") == 1


def test_a_finding_that_was_listed_late(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Rejected as perhaps forged while it was not listed, and confirmed once it is."""
    deployment, document = deployed(tmp_path, cluster, policy("isolate_pod")), finding_about(pod)
    assert deployment.deliver(document).reason == "finding_not_listed_yet"
    minutes_later(deployment, 11)
    assert deployment.deliver(document).reason == "unknown_finding"
    assert swept(deployment, 30) == 1
    assert deployment.case(document).state == "rejected"
    deployment.list_finding(document)
    assert swept(deployment, 62) == 1
    assert deployment.case(document).state == "done"
    told = [message["reason"] for message in deployment.published.messages if "reason" in message]
    assert told.count("unknown_finding") == 1


@pytest.mark.parametrize("days", [2, 30])
def test_what_is_too_old_is_left(tmp_path: Path, cluster: SimulatedCluster, days: int) -> None:
    """Guardrails say how old a finding may be."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=ONE)
    delivered(deployment, cluster.objects("Pod", "shop"))
    assert swept(deployment, days * 24 * 60) == 0
