"""The first acts of a policy that cannot be undone wait, in the store, and are done together or not at all."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from scc_responder.cli.main import main
from scc_responder.domain.clock import utc_now
from scc_responder.guard.trust.first_shot import FIRST_SHOTS
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.answers import HERE
from tests.kits.responder import (
    CLUSTER,
    NODE,
    Deployment,
    api_of,
    deployed,
    finding_about,
    mutations,
    policy,
    write_policies,
)

Object = dict[str, Any]
CALM = "storm_breaker: {targets: 1000, denials: 1000}\n"
RAILS = f"protected: {{namespaces: [kube-system]}}\nwarm_up: 60s\n{CALM}"
SOON = timedelta(seconds=30)
LATER = timedelta(seconds=90)
DELETES = policy("label_pod", "capture_evidence", "delete_pod", "notify")


def pods(cluster: SimulatedCluster, count: int, *, first: int = 0) -> list[Object]:
    """So many pods of as many workloads, in as many namespaces."""
    numbers = range(first, first + count)
    for number in numbers:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{number}"}})
        cluster.create(objects.deployment("web", f"team-{number}", NODE, replicas=2))
    return [cluster.objects("Pod", f"team-{number}")[0] for number in numbers]


def told_of(found: list[Object], *, ids: str = "a") -> list[Object]:
    """One finding about each of the pods."""
    return [finding_about(pod, finding_id=f"{ids}{number:031x}") for number, pod in enumerate(found)]


def deliver_all(documents: list[Object], *instances: Deployment) -> None:
    """Every finding, at once, by these instances in turn, again and again until its message is settled."""
    for number, document in enumerate(documents):
        instances[0].list_finding(document, f"finding-{number}")

    def deliver(number: int) -> None:
        while instances[number % len(instances)].deliver(documents[number]).status == 503:
            sleep(0.05)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(deliver, range(len(documents))))


def swept(made: Deployment, wait: timedelta) -> dict[str, int]:
    """What a sweep did, so much later."""
    at = utc_now() + wait
    made.set_clock(lambda: at)
    assert sweep(HERE, "127.0.0.1", made.services).status == 204
    return next(dict(line["swept"]) for line in reversed(made.lines) if "swept" in line)


def deletions(made: Deployment, documents: list[Object]) -> Counter[str]:
    """What each case's deletion came to."""
    return Counter(
        next(step.reason for step in reversed(made.case(document).steps) if step.action == "delete_pod")
        for document in documents
    )


def deleted(cluster: SimulatedCluster) -> int:
    return sum(event.verb == "delete" and event.resource == "pods" and not event.dry_run for event in cluster.audit)


def refusals(made: Deployment) -> list[Object]:
    return [message for message in made.published.messages if message.get("reason") == "first_shot_too_wide"]


def test_a_first_deletion_waits_and_is_done(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Marks and evidence come at once, the deletion by the first sweep after the warm-up; later ones do not wait."""
    made = deployed(tmp_path, cluster, DELETES, guardrails=RAILS)
    document = finding_about(pod)
    assert made.respond_to(document).status == 204
    assert made.outcomes(document) == [
        "label_pod: patched",
        "capture_evidence: captured",
        "delete_pod: warming_up",
        "notify: published",
    ]
    record = made.case(document)
    assert (str(record.state), record.reason, deleted(cluster)) == ("open", "warming_up", 0)
    assert swept(made, SOON) == {"at_rest": 1}
    assert swept(made, LATER) == {"resumed": 1}
    assert str(made.case(document).state) == "done"
    assert deleted(cluster) == 1
    (later,) = told_of(pods(cluster, 1), ids="b")
    made.respond_to(later)
    assert str(made.case(later).state) == "done"


def test_a_burst_in_two_instances_deletes_nothing(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Thirty findings about thirty pods at once, by a policy that is new: none is deleted, and people are told once.

    A severe one that comes later is told by itself, with what a person can do now.
    """
    found = pods(cluster, 30)
    (tmp_path / "findings").mkdir()
    one = deployed(tmp_path, cluster, policy("label_pod", "delete_pod"), guardrails=RAILS)
    two = Deployment(tmp_path, api_of(cluster), tmp_path / "policies")
    two.published = one.published
    two.services.notifier = one.published
    documents = told_of(found)
    deliver_all(documents, one, two)
    assert deletions(one, documents) == {"warming_up": 30}
    while swept(one, LATER).get("resumed") or swept(two, LATER).get("resumed"):
        pass
    assert deletions(one, documents) == {"first_shot_too_wide": 30}
    told = [message for message in one.published.messages if message.get("reason") != "cluster_busy"]
    assert (deleted(cluster), told) == (0, refusals(one))
    assert len(told) == 1
    assert {str(one.case(document).state) for document in documents} == {"partial"}
    (again,) = told_of(pods(cluster, 1, first=30), ids="c")
    one.respond_to(again)
    assert deletions(one, [again]) == {"first_shot_too_wide": 1}
    assert len(refusals(one)) == 1
    (message,) = [item for item in one.published.messages if "finding" in item]
    assert message["finding"]["name"] == again["finding"]["name"]
    assert any("control clear --policy" in command for command in message["to_do"])


def test_a_person_lets_a_refused_policy_act(
    tmp_path: Path, cluster: SimulatedCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """`control show` lists it, `control clear` lets it act: then what comes later is done at once."""
    narrow = f"{RAILS}limits: {{cluster: [{{most: 1, within: 10m}}]}}\n"
    made = deployed(tmp_path, cluster, policy("delete_pod"), guardrails=narrow)
    documents = told_of(pods(cluster, 2))
    deliver_all(documents, made)
    swept(made, LATER)
    assert deletions(made, documents) == {"first_shot_too_wide": 2}
    store = ["--store", str(tmp_path / "journal.db")]
    assert main(["control", "show", *store]) == 0
    assert f"refused    policy contain in {CLUSTER}" in capsys.readouterr().out
    clear = ["control", "clear", "--policy", "contain", "--cluster", CLUSTER, "--reason", "It is a worm.", *store]
    assert main(clear) == 0
    assert main(clear) == 1
    (later,) = told_of(pods(cluster, 1, first=2), ids="b")
    made.respond_to(later)
    assert deletions(made, [later]) == {"processes_ended": 1}


def test_an_edited_policy_is_a_new_one(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """What one content of a policy has passed is nothing for another: its first deletion waits again."""
    made = deployed(tmp_path, cluster, policy("delete_pod"), guardrails=RAILS)
    first, second = told_of(pods(cluster, 2))
    made.respond_to(first)
    swept(made, LATER)
    assert deletions(made, [first]) == {"processes_ended": 1}
    write_policies(tmp_path / "policies", policy("delete_pod", "notify"), guardrails=RAILS)
    made.services.policies = load_policies(tmp_path / "policies")
    made.respond_to(second)
    assert deletions(made, [second]) == {"warming_up": 1}


@pytest.mark.parametrize(
    ("made_of", "warm_up"),
    [
        pytest.param(policy("label_pod", "isolate_pod", "cordon_node"), "60s", id="can-be-undone"),
        pytest.param(policy("delete_pod", mode="dry_run"), "60s", id="rehearsed"),
        pytest.param(policy("delete_pod", mode="approve"), "60s", id="asks-a-person"),
        pytest.param(policy("delete_pod"), "0s", id="switched-off"),
    ],
)
def test_what_does_not_wait(tmp_path: Path, cluster: SimulatedCluster, pod: Object, made_of: str, warm_up: str) -> None:
    """Only what is done at once and cannot be undone waits; the store is asked nothing for the rest."""
    made = deployed(tmp_path, cluster, made_of, guardrails=RAILS.replace("60s", warm_up))
    document = finding_about(pod)
    made.respond_to(document)
    assert "warming_up" not in {step.reason for step in made.case(document).steps}
    assert made.services.store.scan(FIRST_SHOTS).entries == ()


def test_an_end_of_the_policy_ends_the_wait(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A policy that is taken away, or lowered, while its first act waits does nothing more."""
    made = deployed(tmp_path, cluster, policy("delete_pod"), guardrails=RAILS)
    document = finding_about(pod)
    made.respond_to(document)
    write_policies(tmp_path / "policies", policy("delete_pod", mode="dry_run"), guardrails=RAILS)
    made.services.policies = load_policies(tmp_path / "policies")
    swept(made, LATER)
    assert str(made.case(document).state) == "rehearsed"
    assert deleted(cluster) == 0


def test_a_wait_ends_where_the_policy_does_not_match_any_more(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object
) -> None:
    """Nothing waits for ever: the case ends, and says that its policy is gone."""
    made = deployed(tmp_path, cluster, policy("delete_pod"), guardrails=RAILS)
    document = finding_about(pod)
    made.respond_to(document)
    write_policies(tmp_path / "policies", policy("label_pod", name="another"), guardrails=RAILS)
    (tmp_path / "policies" / "contain.yaml").unlink()
    made.services.policies = load_policies(tmp_path / "policies")
    swept(made, LATER)
    ended = made.case(document)
    assert "warming_up" not in {step.reason for step in ended.current_steps}
    assert str(ended.state) not in {"open", "waiting"}
    assert deleted(cluster) == 0


def test_two_findings_on_one_pod_are_one_target(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Two cases of one pod wait for one deletion, which one of them does."""
    narrow = f"{RAILS}limits: {{cluster: [{{most: 1, within: 10m}}]}}\n"
    made = deployed(tmp_path, cluster, policy("delete_pod"), guardrails=narrow)
    documents = told_of([pod, pod])
    deliver_all(documents, made)
    assert deletions(made, documents) == {"warming_up": 2}
    swept(made, LATER)
    assert deleted(cluster) == 1
    assert refusals(made) == []


def test_another_policy_that_has_acted_does_not_wait(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Two policies ask for one deletion: the one that has acted there before does it at once."""
    known = policy("delete_pod", name="acts")
    made = deployed(tmp_path, cluster, known, guardrails=RAILS)
    first, second = told_of(pods(cluster, 2))
    made.respond_to(first)
    swept(made, LATER)
    write_policies(tmp_path / "policies", policy("delete_pod", name="a-new-one"), guardrails=RAILS)
    made.services.policies = load_policies(tmp_path / "policies")
    made.respond_to(second)
    assert deletions(made, [second]) == {"processes_ended": 1}


def test_a_deletion_that_waited_comes_in_its_turn(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """It is planned anew, after what another policy asks for by now that can be undone."""
    made = deployed(tmp_path, cluster, policy("delete_pod"), guardrails=RAILS)
    document = finding_about(pod)
    made.respond_to(document)
    write_policies(tmp_path / "policies", policy("isolate_pod", name="isolates"), guardrails=RAILS)
    made.services.policies = load_policies(tmp_path / "policies")
    swept(made, LATER)
    # Neither it nor the mark that arms it comes before the isolation, of which the first patch is a part.
    assert mutations(cluster.audit) == ["patch pods", "create networkpolicies", "patch pods", "delete pods"]
