"""What version 0.1.0 left in its store is read, resumed and approved by this one.

`tests/journal/records/version_0_1_0.json` holds a store and a cluster as that version left them, at one moment: a
finished case, one whose process was killed right before its deletion, a plan that waits, ledgers, a tripped breaker
and two documents of the kill switch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.mode import Mode
from scc_responder.domain.status import CaseState
from scc_responder.domain.store import usable_as
from scc_responder.guard.limiter import cluster_key
from scc_responder.guard.limits.ledger_document import Ledger
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.journal.listed_cases import cases_of
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.server.objects import target_to
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import answered
from tests.kits.responder import RAILS, Deployment, deployed, finding_about, mutations, policy, write_policies

RECORDS = json.loads((Path(__file__).parents[1] / "journal" / "records" / "version_0_1_0.json").read_text())
WRITTEN_AT = datetime.fromisoformat(RECORDS["written_at"])
LATER = WRITTEN_AT + timedelta(minutes=5)
"""The lease of the process that was killed has run out, and the plan may still be approved."""

POLICIES = (
    policy("label_pod", "isolate_pod", "capture_evidence", "delete_pod", "notify", name="contain"),
    policy("isolate_pod", "delete_pod", name="ask", mode="approve", when="threat: added_binary_executed"),
)
GUARDRAILS = RAILS + "approval: {approvers: [local]}\nstorm_breaker: {targets: 100}\n"
OTHERS = "projects/example-project/locations/europe-west1/clusters/"


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    """The cluster as it was left."""
    with SimulatedCluster(stop_seconds=0, clock=lambda: LATER) as running:
        for item in RECORDS["objects"]:
            running._objects._objects[target_to(item).key] = item
        running._objects.version = max(int(item["metadata"]["resourceVersion"]) for item in RECORDS["objects"])
        yield running


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A responder of this version, over the store as it was left."""
    store = SqliteStore(tmp_path / "journal.db", clock=lambda: WRITTEN_AT)
    for entry in RECORDS["documents"]:
        store.create(entry["key"], entry["value"].encode(), unfinished=entry["unfinished"])
    store.close()
    made = deployed(tmp_path, cluster, *POLICIES, guardrails=GUARDRAILS)
    made.set_clock(lambda: LATER)
    for name, document in RECORDS["findings"].items():
        made.list_finding(document, name)
    return made


def finding(name: str) -> dict[str, Any]:
    """The notification of one of the three cases."""
    document: dict[str, Any] = RECORDS["findings"][name]
    return document


def test_every_stored_case_is_read(deployment: Deployment) -> None:
    """No case is unreadable, and each is as it was."""
    cases = cases_of(deployment.services.journal.cases())
    assert cases.unreadable == ()
    assert {name: str(deployment.case(finding(name)).state) for name in RECORDS["findings"]} == {
        "crashed": "open",
        "finished": "done",
        "planned": "waiting",
    }


def test_a_finished_case_is_a_duplicate(deployment: Deployment, cluster: SimulatedCluster) -> None:
    """What was done is not done again."""
    assert deployment.deliver(finding("finished")).reason == "duplicate"
    assert mutations(cluster.audit) == []


def test_a_killed_case_is_resumed(deployment: Deployment, cluster: SimulatedCluster) -> None:
    """The deletion that was only meant is carried out, once, by the change that is stored."""
    assert deployment.deliver(finding("crashed")).reason == "done"
    assert deployment.outcomes(finding("crashed")) == [
        "label_pod: patched",
        "isolate_pod: already",
        "isolate_pod: isolated",
        "capture_evidence: captured",
        "delete_pod: armed",
        "delete_pod: processes_ended",
        "notify: published",
    ]
    assert mutations(cluster.audit) == ["delete pods"]


@pytest.mark.parametrize(
    ("created", "written"),
    [(True, ["delete pods"]), (False, ["create networkpolicies", "delete pods"])],
    ids=["before-its-check", "before-its-request"],
)
def test_an_unfinished_isolation_is_resumed(
    deployment: Deployment, cluster: SimulatedCluster, *, created: bool, written: list[str]
) -> None:
    """What was killed while it isolated by the older label goes on by that label, and is verified by it."""
    store = SqliteStore(deployment.folder / "journal.db", clock=lambda: WRITTEN_AT)
    entry = store.get(f"case/{deployment.case(finding('crashed')).finding_key}")
    assert entry is not None
    record = json.loads(entry.value)
    (made,) = (step for step in record["steps"] if step["change"].get("change") == "create_network_policy")
    assert made["change"]["selector"].keys() == {"scc-responder/pod-uid"}
    made |= {"status": "intent", "reason": "", "detail": "", "settled_at": None}
    store.replace(entry.key, json.dumps(record).encode(), entry.version, unfinished=True)
    store.close()
    if not created:
        (policy_made,) = cluster.objects("NetworkPolicy", "shop")
        del cluster._objects._objects[target_to(policy_made).key]

    assert deployment.deliver(finding("crashed")).reason == "done"
    assert deployment.outcomes(finding("crashed")).count("isolate_pod: isolated") == 1
    assert "admission_older" not in str(deployment.case(finding("crashed")).steps)
    assert mutations(cluster.audit) == written


def test_a_pod_isolated_by_the_older_label_is_isolated_anew(deployment: Deployment, cluster: SimulatedCluster) -> None:
    """Another finding on it adds its own policy and label; both of them hold the pod, and neither lets it out."""
    old = finding("crashed")
    name = old["finding"]["kubernetes"]["pods"][0]["name"]
    (pod,) = (item for item in cluster.objects("Pod", "shop") if item["metadata"]["name"] == name)
    document = finding_about(pod, "added_binary_executed", finding_id="new")
    deployment.services.policies = load_policies(
        write_policies(deployment.folder / "others", policy("isolate_pod", when="threat: added_binary_executed"))
    )
    deployment.list_finding(document, "new")
    assert deployment.deliver(document).reason == "done"
    labels = deployment.clusters.api.get(f"/api/v1/namespaces/shop/pods/{name}")["metadata"]["labels"]
    selectors = [item["spec"]["podSelector"]["matchLabels"] for item in cluster.objects("NetworkPolicy", "shop")]
    assert {key for selector in selectors for key in selector} == {
        "scc-responder/pod-uid",
        "scc-responder/isolated-pod",
    }
    assert all(selector.items() <= labels.items() for selector in selectors)


def test_a_waiting_plan_is_approved(deployment: Deployment, cluster: SimulatedCluster) -> None:
    """The plan has the digest that it had, and its approval carries it out."""
    assert answered(deployment, finding("planned")).reason == "done"
    assert deployment.case(finding("planned")).state is CaseState.DONE
    assert mutations(cluster.audit) == ["patch pods", "create networkpolicies", "patch pods", "delete pods"]


def test_the_kill_switch_stands_as_it_was_set(deployment: Deployment) -> None:
    """A cluster's own setting is found where it was stored."""
    control = SwitchDocuments(deployment.services.store).read(f"{OTHERS}prod-2")
    assert control is not None
    assert control.mode is Mode.DRY_RUN


def test_a_tripped_breaker_stays_tripped(deployment: Deployment) -> None:
    """Nothing is changed in its cluster until a person resets it."""
    entry = deployment.services.store.get(cluster_key(f"{OTHERS}prod-3"))
    assert entry is not None
    assert usable_as(Ledger, entry).breaker is not None
    assert deployment.services.limiter(f"{OTHERS}prod-3").breaker().reason == "storm_breaker"


FIELDS = {
    "patch": {"kind", "name", "uid", "namespace", "labels", "annotations", "spec", "marker", "versioned"},
    "create_network_policy": {"namespace", "name", "pod_name", "pod_uid", "selector", "effective"},
    "capture_evidence": {"namespace", "pod_name", "pod_uid"},
    "delete_pod": {"namespace", "name", "uid", "grace_period_seconds", "allow_last_replica"},
    "notify": set[str](),
}
"""The kinds of change that version 0.1.0 knows, and their fields."""


def test_version_0_1_0_reads_what_is_stored_now(deployment: Deployment, cluster: SimulatedCluster) -> None:
    """After a roll back, that version finds no kind of change and no field in an ordinary case that it lacks."""
    pod = cluster.objects("Pod", "shop")[0]
    document = finding_about(pod, finding_id="new")
    deployment.list_finding(document, "new")
    deployment.deliver(document)
    changes = [step.change for step in deployment.case(document).steps if step.change]
    assert changes
    for change in changes:
        assert change.keys() - {"change"} <= FIELDS[change["change"]]
