"""A case taken back in a cluster: looked at, journaled, verified and told; two cases on one pod, as policies ship."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import RetryableError
from scc_responder.domain.finding import case_id
from scc_responder.domain.labels import ISOLATED_POD
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import WordKind
from scc_responder.journal.contained import containment
from scc_responder.pipeline.undo.undo import Undone
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import OneCluster, api_of, finding_about
from tests.kits.undo_nights import ACTIONS, Night, cluster

__all__ = ["cluster"]


def said(undone: list[Undone]) -> list[str]:
    """Each as `action: reason`."""
    return [f"{each.item.step.action}: {each.result.reason}" for each in undone]


ALL_BACK = ["cordon_node", "isolate_pod", "annotate_pod", "label_pod", "isolate_pod"]


def test_a_case_is_taken_back(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A look changes nothing; then all is as before, journaled before and after, and told."""
    night = Night(tmp_path, cluster, *ACTIONS)
    record = night.case()
    assert containment(record.steps) == "isolated"
    done = night.state()

    looked = night.undo(record).look()
    assert (said(looked), night.state()) == ([f"{action}: would_undo" for action in ALL_BACK], done)
    assert night.case() == record

    applied = night.undo(record).apply()
    assert said(applied) == [f"{action}: undone" for action in ALL_BACK]
    assert night.state() == night.before
    after = night.case()
    steps = [step for step in after.steps if step.undoes]
    assert [(step.status, step.reason) for step in steps] == [(StepStatus.DONE, "undone")] * 5
    assert {step.undoes for step in steps} == {step.name for step in record.steps if step.change}
    assert (after.state, after.reason, containment(after.steps)) == (CaseState.DONE, "undone", None)
    assert after.word is not None
    assert (after.word.kind, after.word.by, after.word.said) == (WordKind.UNDONE, "ann", "a load test")
    notice = night.deployment.published.messages[-1]
    assert notice["attributes"] == {"case": case_id(record.finding_key), "reason": "undone"}
    assert (notice["error"], len(notice["steps"])) == ("ann: a load test", len(after.steps))

    assert night.undo(after).apply() == []


def test_the_intents_are_written_before_the_first_request(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A desk that goes away in between leaves the person's word and what it was about to do; then it goes on."""
    night = Night(tmp_path, cluster, *ACTIONS)
    record = night.case()
    undo = night.undo(record)
    api = api_of(cluster, "undo")
    night.deployment.services.clusters.api = _Breaking(api)
    with pytest.raises(SystemExit):
        undo.apply()
    begun = night.case()
    assert begun.word is not None
    assert [step.status for step in begun.steps if step.undoes] == [StepStatus.INTENT] * 5
    night.deployment.services.clusters.api = api
    assert {each.result.reason for each in night.undo(begun).apply()} == {"undone"}
    assert night.state() == night.before


class _Breaking:
    """An API server until the second deletion: the first is a rehearsal."""

    def __init__(self, api: Any) -> None:
        self._api = api

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def delete(self, path: str, options: Any, *, dry_run: bool = False) -> Any:
        answer = self._api.delete(path, options, dry_run=dry_run)
        if not dry_run:
            raise SystemExit("a desk that went away")
        return answer


def test_what_somebody_took_away_by_hand_is_noted(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """There is nothing to do, but the case keeps the person's word, and says that nothing stands."""
    night = Night(tmp_path, cluster, "isolate_pod")
    record = night.case()
    (made,) = cluster.objects("NetworkPolicy")
    admin = api_of(cluster, "admin")
    admin.delete(f"/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/{made['metadata']['name']}", {})
    path = f"/api/v1/namespaces/shop/pods/{night.pod['metadata']['name']}"
    admin.patch(path, {"metadata": {"labels": {ISOLATED_POD: None}}})
    assert {each.result.reason for each in night.undo(record).apply()} == {"already_undone"}
    after = night.case()
    assert (after.word and after.word.kind, containment(after.steps)) == (WordKind.UNDONE, None)


def test_two_cases_of_one_pod_end_together(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The isolation of both ends, each case says so, and the marks of the other one stay."""
    night = Night(tmp_path, cluster, *ACTIONS[:3])
    first, second = night.case(1), night.case(2)
    assert len(cluster.objects("NetworkPolicy")) == 2
    undo = night.undo(first)
    assert set(undo.cases) == {case_id(first.finding_key), case_id(second.finding_key)}
    assert all(each.is_good for each in undo.apply())
    assert cluster.objects("NetworkPolicy") == []
    labels = cluster.objects("Pod", "shop")[0]["metadata"]["labels"]
    assert ISOLATED_POD not in labels
    assert f"scc-responder/case-{case_id(second.finding_key)}" in labels
    assert f"scc-responder/case-{case_id(first.finding_key)}" not in labels
    second = night.case(2)
    assert (containment(second.steps), second.word and second.word.kind) == (None, WordKind.UNDONE)
    assert all(each.is_good for each in night.undo(second).apply())
    assert night.state() == night.before


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_only_one_of_two_cases(tmp_path: Path, cluster: SimulatedCluster, order: tuple[int, int]) -> None:
    """The other one goes on isolating the pod, by the label that both need; once it ends too, all is as before."""
    night = Night(tmp_path, cluster, *ACTIONS[:3])
    cases = {number: night.case(number) for number in (1, 2)}
    one, other = order
    undone = night.undo(cases[one], only=True).apply()
    assert all(each.is_good for each in undone)
    (left,) = cluster.objects("NetworkPolicy")
    assert case_id(cases[other].finding_key) in left["metadata"]["name"]
    assert cluster.objects("Pod", "shop")[0]["metadata"]["labels"][ISOLATED_POD]
    assert containment(night.case(other).steps) == "isolated"
    assert night.case(other).word is None
    night.undo(night.case(other), only=True).apply()
    assert night.state() == night.before


def test_a_policy_of_another_store_goes_on(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A case that this store does not have keeps its isolation, and the label that it needs."""
    night = Night(tmp_path, cluster, *ACTIONS[:3])
    record = night.case()
    (made,) = cluster.objects("NetworkPolicy")
    meta = {name: made["metadata"][name] for name in ("namespace", "labels", "ownerReferences")}
    name = f"scc-responder-ffffffffffff-{night.pod['metadata']['uid'][:8]}"
    api_of(cluster, "admin").create(
        "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies", {**made, "metadata": {**meta, "name": name}}
    )
    undone = night.undo(record).apply()
    assert [policy["metadata"]["name"] for policy in cluster.objects("NetworkPolicy")] == [name]
    assert cluster.objects("Pod", "shop")[0]["metadata"]["labels"][ISOLATED_POD]
    assert f"{ISOLATED_POD} stays" in undone[-1].result.detail


def test_what_somebody_changed_is_refused_and_the_rest_is_done(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A policy that somebody opened stays, its label with it; the marks go, and the notice is a warning."""
    night = Night(tmp_path, cluster, *ACTIONS[:3])
    record = night.case()
    (made,) = cluster.objects("NetworkPolicy")
    path = f"/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/{made['metadata']['name']}"
    api_of(cluster, "admin").patch(path, {"spec": {"ingress": [{}]}})
    for undone in (night.undo(record).look(), night.undo(record).apply()):
        refused = [each for each in undone if not each.is_good]
        assert said(refused) == ["isolate_pod: undo_refused"] * 2
        assert ["spec" in each.result.detail for each in refused] == [True, False]
    assert len(cluster.objects("NetworkPolicy")) == 1
    labels = cluster.objects("Pod", "shop")[0]["metadata"]["labels"]
    assert [key for key in labels if key.startswith("scc-responder/")] == [ISOLATED_POD]
    assert night.deployment.published.messages[-1]["attributes"]["reason"] == "undo_refused"
    assert (containment(night.case().steps), night.case().reason) == ("isolated", "undo_refused")


def test_a_deletion_says_why_it_stays(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Nothing brings a pod back: that is said, the cordon of the node is taken back, and nothing else is tried."""
    night = Night(tmp_path, cluster, "isolate_pod", "cordon_node", "delete_pod")
    record = night.case()
    undone = night.undo(record).apply()
    assert said(undone)[:2] == ["delete_pod: cannot_be_undone", "delete_pod: gone_by_other"]
    assert "does not come back" in undone[0].result.detail
    assert "cordon_node: undone" in said(undone)
    assert all(each.is_good for each in undone)
    assert not any(node["spec"].get("unschedulable") for node in cluster.objects("Node"))


def test_a_case_at_work_is_left_alone(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """While a delivery holds the case nothing is taken back: it would be done again."""
    night = Night(tmp_path, cluster, *ACTIONS[:3])
    record = night.case()
    undo = night.undo(record)
    journal = night.deployment.services.journal
    apply = journal.apply
    journal.apply = lambda key, rule: apply(key, lambda stored, _held: rule(stored, True))
    with pytest.raises(RetryableError) as refused:
        undo.apply()
    assert refused.value.reason == "case_in_progress"
    assert len(cluster.objects("NetworkPolicy")) == 1


def test_no_case_says_undone_where_another_of_the_pod_is_at_work(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """All or none: a delivery that works on one of the two cases leaves both as they were, and is named."""
    night = Night(tmp_path, cluster, *ACTIONS[:3])
    first, second = night.case(1), night.case(2)
    undo, journal = night.undo(first), night.deployment.services.journal
    apply = journal.apply
    journal.apply = lambda key, rule: apply(
        key, lambda stored, held: rule(stored, held or stored.finding_key == second.finding_key)
    )
    with pytest.raises(RetryableError, match=f"case {case_id(second.finding_key)}: a delivery works on"):
        undo.apply()
    assert [night.case(1), night.case(2)] == [first, second]
    assert len(cluster.objects("NetworkPolicy")) == 2


def test_the_same_finding_does_nothing_again(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A newer event of the same content finds a person's word, and leaves the pod alone."""
    night = Night(tmp_path, cluster, *ACTIONS[:3])
    record = night.case()
    night.undo(record).apply()
    document = finding_about(night.pod, finding_id=f"{1:032x}")
    event = datetime.fromisoformat(document["finding"]["eventTime"]) + timedelta(seconds=1)
    document["finding"]["eventTime"] = event.isoformat().replace("+00:00", "Z")
    night.deployment.services.clusters = OneCluster(api_of(cluster))
    night.deployment.list_finding(document, "1")
    assert night.deployment.deliver(document).reason == "duplicate"
    assert night.state() == night.before
