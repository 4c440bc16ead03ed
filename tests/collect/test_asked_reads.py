"""What a condition asks for is read once, with the few requests that it takes, and else missing with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.adapters.local.findings_file import FindingsFolder
from scc_responder.collect.asked_reads import GOOGLE_ACCOUNT, read_asked
from scc_responder.collect.live import look
from scc_responder.collect.target import Collected, collect
from scc_responder.domain.asked_facts import AskedFact
from scc_responder.domain.context import Context, Owner
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.reasons import Reason
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.findings import data
from tests.kits.responder import NODE, Interposed, OneCluster, api_of, finding_about

POOL = ThreadPoolExecutor(8)
ALL = frozenset(AskedFact)
OWN_POOL = "example-project.svc.id.goog"
BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
}
BY_NAME = (
    "principal://iam.googleapis.com/projects/100000000001/locations/global/workloadIdentityPools/"
    f"{OWN_POOL}/subject/ns/shop/sa/default"
)


class Around(NamedTuple):
    """A cluster, what was read of one of its pods, and what it is read through."""

    cluster: SimulatedCluster
    collected: Collected
    api: Interposed

    def asked(self, *facts: AskedFact, **changes: Any) -> tuple[Context, list[str]]:
        """The context with these facts, and the requests that this took."""
        before = len(self.api.calls)
        context = read_asked(replace(self.collected.context, **changes), self.collected, frozenset(facts))
        return context, self.api.calls[before:]


@pytest.fixture
def collected(tmp_path: Path) -> Iterator[Callable[..., Around]]:
    """One pod of two, of a Deployment with labels, in a cluster with this pool of identities."""
    with SimulatedCluster(stop_seconds=0) as cluster:

        def made(pool: str | None = OWN_POOL, **annotations: str) -> Around:
            cluster.create(objects.namespace("shop"))
            cluster.create(objects.node(NODE))
            deployment = objects.deployment("web", "shop", NODE, replicas=2)
            deployment["metadata"]["labels"] = {"team": "shop"}
            deployment["metadata"]["annotations"] = {"example.com/tier": "3"}
            cluster.create(deployment)
            cluster.create(BUDGET)
            account = {"name": "default", "namespace": "shop", "annotations": annotations}
            cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
            finding = parse_notification(data(finding_about(cluster.objects("Pod", "shop")[0])))
            api = Interposed(api_of(cluster))
            clusters = OneCluster(api, workload_pool=pool)
            return Around(cluster, collect(finding, clusters, FindingsFolder(tmp_path, ()), POOL, 5.0), api)

        yield made


def test_nothing_is_read_that_nobody_asks_for(collected: Callable[..., Around]) -> None:
    """The context stays as it is."""
    around = collected()
    context, requests = around.asked()
    assert requests == []
    assert context == around.collected.context


ONE = [
    (AskedFact.LIVE_WORKLOAD, "get /apis/apps/v1/namespaces/shop/deployments/web"),
    (AskedFact.WORKLOAD_OBJECT, "get /apis/apps/v1/namespaces/shop/deployments/web"),
    (AskedFact.LIVE_BUDGETS, "list /apis/policy/v1/namespaces/shop/poddisruptionbudgets"),
    (AskedFact.GOOGLE_IDENTITY, "get /api/v1/namespaces/shop/serviceaccounts/default"),
]


@pytest.mark.parametrize(("fact", "request_made"), ONE)
def test_each_fact_takes_one_request(collected: Callable[..., Around], fact: AskedFact, request_made: str) -> None:
    """And none of the others is known by it."""
    context, requests = collected().asked(fact)
    assert requests == [request_made]
    known = {name for name in AskedFact if is_known(context, name)}
    assert known == {fact}


def is_known(context: Context, fact: AskedFact) -> bool:
    """Whether a condition could be answered that asks for it."""
    return getattr(context.live if fact.startswith("live.") else context, fact.key, None) is not None


def test_all_facts_take_three_requests(collected: Callable[..., Around]) -> None:
    """The workload's replicas and labels stand in one object; a second time nothing is read."""
    around = collected()
    context, requests = around.asked(*ALL)
    assert sorted(requests) == sorted({request for _, request in ONE})
    assert context.live is not None
    assert context.live.workload is not None
    assert context.live.budgets is not None
    assert context.workload_object is not None
    assert (context.live.workload.ready, [one.name for one in context.live.budgets]) == (2, ["web"])
    assert (context.workload_object.labels["team"], context.workload_object.annotations["example.com/tier"]) == (
        "shop",
        "3",
    )
    assert context.google_identity == BY_NAME
    before = len(around.api.calls)
    assert read_asked(context, around.collected, ALL) is context
    assert len(around.api.calls) == before


def test_a_disruption_reads_only_what_no_policy_asked_for(collected: Callable[..., Around]) -> None:
    """The workload and its budgets were read a moment ago, the pool was not."""
    around = collected()
    context, _ = around.asked(*ALL)
    before = len(around.api.calls)
    planned = [actions()["delete_pod"], actions()["cordon_node"]]
    looked = look(context, around.collected, planned)
    assert {call.partition("?")[0] for call in around.api.calls[before:]} == {"list /api/v1/nodes"}
    assert looked.live is not None
    assert None not in (looked.live.workload, looked.live.budgets, looked.live.node_pool)
    assert looked.google_identity == BY_NAME


def test_the_evidence_has_the_workload_that_was_read(collected: Callable[..., Around]) -> None:
    """It is among the owners' objects."""
    context, _ = collected().asked(AskedFact.WORKLOAD_OBJECT)
    assert {"ReplicaSet", "Deployment"} <= context.objects.keys()


def test_an_annotation_names_the_identity(collected: Callable[..., Around]) -> None:
    """As it stands there, also where nothing is known of the pool."""
    context, _ = collected(None, **{GOOGLE_ACCOUNT: "web@example-project.iam.gserviceaccount.com"}).asked(*ALL)
    assert context.google_identity == "web@example-project.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    ("pool", "changed", "reason"),
    [
        ("", {}, Reason.ACTS_AS_NODE),
        (OWN_POOL, {"host_network": True}, Reason.ACTS_AS_NODE),
        (None, {}, Reason.WORKLOAD_POOL_NOT_KNOWN),
        ("fleet-project.svc.id.goog", {}, Reason.WORKLOAD_POOL_NOT_KNOWN),
        (OWN_POOL, {"service_account": "gone"}, Reason.NOT_FOUND),
    ],
)
def test_an_identity_that_is_not_sure_is_missing(
    collected: Callable[..., Around], pool: str | None, changed: dict[str, Any], reason: Reason
) -> None:
    """Nobody is taken for somebody else, and no annotation counts where the pod acts as its node."""
    annotations = {GOOGLE_ACCOUNT: "web@example.com"} if reason is Reason.ACTS_AS_NODE else {}
    around = collected(pool, **annotations)
    assert around.collected.context.pod is not None
    context, requests = around.asked(AskedFact.GOOGLE_IDENTITY, pod=replace(around.collected.context.pod, **changed))
    assert (context.google_identity, context.missing["google_identity"]) == (None, reason)
    assert len(requests) == (reason is not Reason.ACTS_AS_NODE)


def test_what_cannot_be_read_is_missing_with_its_reason(collected: Callable[..., Around]) -> None:
    """The permission that lacks is named, the others are read, and nothing is asked for twice."""
    around = collected()

    def refuse(_number: int, _verb: str, path: str) -> None:
        if "serviceaccounts" in path or "budgets" in path:
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, "HTTP 403", status=403, permission="serviceaccounts: get")

    around.api.before = refuse
    context, _ = around.asked(*ALL)
    assert context.google_identity is None
    assert context.workload_object is not None
    assert context.missing["google_identity"] == "kubernetes_forbidden: missing permission: serviceaccounts: get"
    assert {"google_identity", "budgets"} <= set(context.refused)
    assert context.live is not None
    assert (context.live.budgets, context.live.workload is not None) == (None, True)
    before = len(around.api.calls)
    look(context, around.collected, [actions()["delete_pod"]])
    assert not any("budgets" in call for call in around.api.calls[before:])


OWNERS = [
    ((), {}, "pod_standalone"),
    ((Owner(kind="Rollout", name="web", uid="u", api_version="argoproj.io/v1alpha1"),), {}, "unknown_kind"),
    ((Owner(kind="Deployment", name="web", uid="other", api_version="apps/v1"),), {}, "owner_replaced"),
    ((Owner(kind="Deployment", name="web", uid="u", api_version="apps/v1"),), {"owner": "timeout"}, "timeout"),
]


@pytest.mark.parametrize(("owners", "missing", "reason"), OWNERS)
@pytest.mark.parametrize("fact", [AskedFact.LIVE_WORKLOAD, AskedFact.WORKLOAD_OBJECT])
def test_an_owner_that_is_not_proved_tells_nothing(
    collected: Callable[..., Around], owners: tuple[Owner, ...], missing: dict[str, str], reason: str, fact: AskedFact
) -> None:
    """Whoever makes a pod can write any owner into it."""
    around = collected()
    assert around.collected.context.pod is not None
    pod = replace(around.collected.context.pod, owners=owners)
    context, _ = around.asked(fact, pod=pod, missing=missing, objects={})
    assert not is_known(context, fact)
    assert context.missing[fact.key] == reason


def test_of_a_pod_that_is_gone_nothing_is_asked(collected: Callable[..., Around]) -> None:
    """Each fact is missing for the pod's reason."""
    context, requests = collected().asked(*ALL, pod=None, missing={"pod": "target_absent"})
    assert requests == []
    assert {context.missing[fact.key] for fact in AskedFact} == {"target_absent"}


def test_a_cluster_that_was_not_reached_is_asked_nothing(collected: Callable[..., Around]) -> None:
    """There is nobody to ask."""
    around = collected()
    away = Collected(around.collected.context, None, around.collected.reads)
    assert read_asked(away.context, away, ALL) is away.context


def test_the_project_of_a_pool_is_the_cluster_s(collected: Callable[..., Around]) -> None:
    """A finding that names no project's number leaves the identity open."""
    around = collected()
    finding = replace(around.collected.context.finding, canonical_name="organizations/1/sources/2/findings/f")
    context, _ = around.asked(AskedFact.GOOGLE_IDENTITY, finding=finding)
    assert context.missing["google_identity"] == Reason.WORKLOAD_POOL_NOT_KNOWN
    assert isinstance(around.collected.context.cluster and around.collected.context.cluster.ref, ClusterRef)
