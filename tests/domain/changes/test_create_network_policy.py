"""The NetworkPolicy that isolates one pod, and which others let it through."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import convert, to_builtins
from msgspec.structs import replace

from scc_responder.domain.changes.create_network_policy import (
    CreateNetworkPolicy,
    Enforcement,
    Obstacle,
    bypassing,
)
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes.network_policies.other_policies import Bypasses
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.one_change import one_cluster, pod_target, step_run
from tests.kits.responder import Interposed

CHANGE = CreateNetworkPolicy(
    namespace="shop",
    name="ours",
    pod_name="web-1",
    pod_uid="u1",
    selector={"scc-responder/isolated-pod": "u1"},
    effective="enforced",
)


def test_our_policy_isolates_the_one_pod() -> None:
    """What is created denies all, in and out, to the one pod, and goes when the pod goes."""
    created = CHANGE.manifest("a1")
    assert CHANGE.is_isolating(created)
    assert bypassing([created], CHANGE.selector, "another") == ()
    assert created["metadata"]["ownerReferences"] == [{"apiVersion": "v1", "kind": "Pod", "name": "web-1", "uid": "u1"}]


TAMPERED = [
    pytest.param({"ingress": [{}]}, id="lets-in"),
    pytest.param({"egress": [{}]}, id="lets-out"),
    pytest.param({"policyTypes": ["Ingress"]}, id="one-way-only"),
    pytest.param({"policyTypes": []}, id="no-way"),
    pytest.param({"podSelector": {}}, id="every-pod"),
    pytest.param({"podSelector": {"matchLabels": {"app": "web"}}}, id="other-pods"),
]


@pytest.mark.parametrize("spec", TAMPERED)
def test_what_does_not_isolate(spec: dict[str, Any]) -> None:
    """A policy under our name that was changed isolates no more."""
    created = CHANGE.manifest("a1")
    assert not CHANGE.is_isolating({**created, "spec": {**created["spec"], **spec}})


def isolation(
    cluster: SimulatedCluster, effective: str = "enforced", obstacle: str | None = None
) -> CreateNetworkPolicy:
    target = pod_target(cluster)
    label = {"scc-responder/isolated-pod": target["uid"]}
    return CreateNetworkPolicy(
        namespace="shop",
        name="ours",
        pod_name=target["name"],
        pod_uid=target["uid"],
        selector=label,
        effective=effective,
        obstacle=obstacle,
    )


@pytest.mark.parametrize(
    ("effective", "reason"),
    [("enforced", "isolated"), ("not_enforced", "not_enforced"), ("unknown", "enforcement_unknown")],
)
def test_a_labeled_pod_is_isolated_once(effective: str, reason: str) -> None:
    """A dry run creates nothing; done again, the policy that is there is recognised."""
    with one_cluster() as (cluster, means):
        change = isolation(cluster, effective)
        PatchObject(kind="Pod", **pod_target(cluster), labels=change.selector).carry_out(step_run(), means)
        rehearsed = change.carry_out(step_run(dry_run=True), means)
        before = cluster.objects("NetworkPolicy", "shop")
        results = [change.carry_out(step_run(intended=intended), means) for intended in (False, True)]
        (made,) = cluster.objects("NetworkPolicy", "shop")
    assert (rehearsed.reason, before) == ("would_isolate" if reason == "isolated" else reason, [])
    assert [result.reason for result in results] == [reason, reason]
    assert change.is_isolating(made)


def test_another_policy_of_the_name_is_no_isolation() -> None:
    """One that another action made is told, and so is a pod that lost its label or is another by now."""
    with one_cluster() as (cluster, means):
        change = isolation(cluster)
        unlabeled = change.carry_out(step_run(), means)
        taken = change.carry_out(step_run("a2"), means)
        replaced = replace(change, pod_uid="other").carry_out(step_run(), means)
    assert (unlabeled.reason, taken.reason) == ("label_removed", "name_taken")
    assert replaced.reason == "target_replaced"


def test_a_policy_that_is_gone_was_not_verified() -> None:
    """It is read back before it is called an isolation."""
    assert CHANGE.verified(step_run(), None, {}, Bypasses()).reason == "not_verified"


LETTING_OUT = {"podSelector": {}, "egress": [{"matches": [{"name": "example.com"}]}]}
FQDN = {
    "apiVersion": "networking.gke.io/v1alpha1",
    "kind": "FQDNNetworkPolicy",
    "metadata": {"name": "out", "namespace": "shop"},
}
ADMIN = {
    "apiVersion": "policy.networking.k8s.io/v1alpha2",
    "kind": "ClusterNetworkPolicy",
    "metadata": {"name": "monitoring"},
}


def accepting(**labels: str) -> dict[str, Any]:
    """A ClusterNetworkPolicy that accepts all in namespaces of these labels."""
    subject = {"namespaces": {"matchLabels": labels}}
    return {**ADMIN, "spec": {"tier": "Admin", "subject": subject, "ingress": [{"action": "Accept"}]}}


OTHER_KINDS = [
    pytest.param({**FQDN, "spec": LETTING_OUT}, "bypassed_by", "bypassed_by FQDNNetworkPolicy/out", id="lets-out"),
    pytest.param({**FQDN, "spec": {"podSelector": {}}}, "isolated", "enforced; established", id="denies-only"),
    pytest.param(
        {**FQDN, "spec": {"podSelector": "?", "egress": [{}]}},
        "enforcement_unknown",
        "enforcement_unknown: FQDNNetworkPolicy/out",
        id="form-unknown",
    ),
    pytest.param(
        accepting(team="shop"), "bypassed_by", "bypassed_by ClusterNetworkPolicy/monitoring", id="selects-the-namespace"
    ),
    pytest.param(accepting(team="other"), "isolated", "enforced; established", id="selects-other-namespaces"),
]


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(("manifest", "reason", "told"), OTHER_KINDS)
def test_policies_of_other_kinds_are_judged(manifest: dict[str, Any], reason: str, told: str, dry_run: bool) -> None:
    """What lets the pod through is named, whatever its kind; a rehearsal says the same."""
    with one_cluster(team="shop") as (cluster, means):
        cluster.serve(manifest["kind"])
        cluster.create(manifest)
        change = isolation(cluster)
        PatchObject(kind="Pod", **pod_target(cluster), labels=change.selector).carry_out(step_run(), means)
        result = change.carry_out(step_run(dry_run=dry_run), means)
    assert result.reason == ("would_isolate" if (reason, dry_run) == ("isolated", True) else reason)
    assert told in result.detail


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        pytest.param("get /apis", "enforcement_unknown: discovery", id="discovery"),
        pytest.param("list fqdnnetworkpolicies", "enforcement_unknown: FQDNNetworkPolicy", id="kind"),
    ],
)
@pytest.mark.parametrize("code", [403, 413, 500])
def test_what_cannot_be_read_is_named(bad: str, told: str, code: int) -> None:
    """Where it is not known which policies there are, nothing is called isolated."""

    def refuse(_number: int, verb: str, path: str) -> None:
        if bad == f"{verb} {path}" or bad == f"{verb} {path.rpartition('/')[2]}":
            raise ApiError(Reason.KUBERNETES_FORBIDDEN if code == 403 else Reason.SERVER_ERROR, status=code)

    with one_cluster() as (cluster, means):
        cluster.serve("FQDNNetworkPolicy")
        means.api = Interposed(means.api, before=refuse)
        change = isolation(cluster)
        PatchObject(kind="Pod", **pod_target(cluster), labels=change.selector).carry_out(step_run(), means)
        result = change.carry_out(step_run(), means)
        means.api = means.api.api
    assert (result.status, result.reason) == ("not_effective", "enforcement_unknown")
    assert told in result.detail


WORTH = [
    pytest.param("not_enforced", "host_network", Bypasses(shown=("x",)), "host_network", id="host-network"),
    pytest.param("not_enforced", "windows_node", Bypasses(), "windows_node", id="windows"),
    pytest.param("unknown", "further_interfaces", Bypasses(unknown=("K/x",)), "further_interfaces", id="interfaces"),
    pytest.param("enforced", None, Bypasses(shown=("x",), unknown=("K/x",)), "bypassed_by", id="shown-is-surer"),
    pytest.param("enforced", None, Bypasses(unknown=("K/x",)), "enforcement_unknown", id="perhaps"),
    pytest.param("enforced", None, Bypasses(), "isolated", id="nothing-known-against"),
]


@pytest.mark.parametrize(("effective", "obstacle", "bypasses", "reason"), WORTH)
def test_an_outcome_says_the_surest_truth(
    effective: str, obstacle: str | None, bypasses: Bypasses, reason: str
) -> None:
    """Each truth about the pod's packets has a word of its own, and only one without reserve is an isolation."""
    change: Any = convert(
        {**to_builtins(CHANGE), "effective": effective, "obstacle": obstacle}, type=CreateNetworkPolicy
    )
    result = change.verified(step_run(), change.manifest("a1"), change.selector, bypasses)
    assert (result.reason, result.status == "done") == (reason, reason == "isolated")
    assert (result.containment, result.contained_at) == ("isolated" if reason == "isolated" else None, None)


def test_a_change_of_an_earlier_version_is_stored_alike() -> None:
    """Without an obstacle nothing more is stored than before, so that a waiting plan keeps its digest."""
    assert "obstacle" not in to_builtins(CHANGE)


ELSEWHERE = {"networking.gke.io/network": "blue"}


@pytest.mark.parametrize(
    ("further", "reason", "told"),
    [(False, "enforcement_unknown", "enforcement_unknown: NetworkPolicy/b"), (True, "further_interfaces", "")],
    ids=["one-interface", "further-ones"],
)
def test_a_policy_for_another_network_is_no_bypass_and_proves_nothing(further: bool, reason: str, told: str) -> None:
    """Only clusters with several networks respect the annotation, which whoever makes the policy writes."""
    with one_cluster() as (cluster, means):
        for name, network in (("b", "blue"), ("c", "default"), ("d", "blue")):
            spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}] if name == "b" else []}
            meta = {"name": name, "namespace": "shop", "annotations": {"networking.gke.io/network": network}}
            cluster.create(
                {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}
            )
        change = isolation(cluster)
        if further:
            change = replace(change, effective=Enforcement.UNKNOWN, obstacle=Obstacle.FURTHER_INTERFACES)
        PatchObject(kind="Pod", **pod_target(cluster), labels=change.selector).carry_out(step_run(), means)
        result = change.carry_out(step_run(), means)
    assert (result.reason, "bypassed_by" in result.detail) == (reason, False)
    assert told in result.detail
    assert bool(told) or "enforcement_unknown" not in result.detail


def test_our_own_policy_for_another_network_isolates_nothing() -> None:
    """A webhook may have written the annotation."""
    own = CHANGE.manifest("a1")
    own["metadata"]["annotations"].update(ELSEWHERE)
    assert CHANGE.verified(step_run(), own, CHANGE.selector, Bypasses()).reason == "not_verified"


def test_names_are_quoted_up_to_a_bound() -> None:
    """However many policies let a pod through, the outcome stays readable."""
    others = Bypasses(shown=tuple(f"p{number}" for number in range(1000)))
    result = CHANGE.verified(step_run(), CHANGE.manifest("a1"), CHANGE.selector, others)
    assert "p19 and 980 more" in result.detail
    assert len(result.detail) < 300


LABELED = {"scc-responder/isolated-pod": "u1"}


def test_a_policy_of_another_action_is_no_isolation_of_ours() -> None:
    """Our name and our very spec do not make it ours: its action's id does."""
    assert CHANGE.verified(step_run("a1"), CHANGE.manifest("a2"), LABELED, Bypasses()).reason == "name_taken"
    assert CHANGE.verified(step_run("a1"), CHANGE.manifest("a1"), LABELED, Bypasses()).reason == "isolated"
    unmarked = CHANGE.manifest("a1")
    del unmarked["metadata"]["annotations"]
    assert CHANGE.verified(step_run("a1"), unmarked, LABELED, Bypasses()).reason == "name_taken"


OLDER_LABEL = {"scc-responder/pod-uid": "u1"}
OLDER_CHANGE = replace(CHANGE, selector=OLDER_LABEL)
"""As version 0.1.0 stored it."""


def test_an_isolation_by_the_older_label() -> None:
    """It isolates as long as the pod carries that label; where this version made it, its cause is said."""
    policy = OLDER_CHANGE.manifest("a1")
    restored = OLDER_CHANGE.verified(step_run(), policy, OLDER_LABEL, Bypasses())
    fallen_back = CHANGE.verified(step_run(), policy, OLDER_LABEL, Bypasses())
    robbed = CHANGE.verified(step_run(), policy, LABELED, Bypasses())
    assert (restored.reason, restored.detail) == ("isolated", "enforced; established connections unknown")
    assert fallen_back.reason == "isolated"
    assert fallen_back.detail.endswith("; admission_older: apply terraform/kubernetes of this version")
    assert robbed.reason == "label_removed"
