"""Reading the policies of other kinds."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.kubernetes.network_policies import other_policies
from scc_responder.domain.kubernetes.network_policies.other_policies import Bypasses, OtherPolicies
from scc_responder.domain.kubernetes.network_policies.policy_kinds import POLICY_KINDS
from scc_responder.domain.reasons import Reason
from tests.kits.one_change import one_cluster
from tests.kits.responder import Interposed

LETS_OUT: dict[str, Any] = {
    "FQDNNetworkPolicy": {"podSelector": {}, "egress": [{}]},
    "ClusterNetworkPolicy": {"tier": "Admin", "subject": {"namespaces": {}}, "egress": [{"action": "Accept"}]},
    "AdminNetworkPolicy": {"subject": {"namespaces": {}}, "egress": [{"action": "Allow"}]},
    "CiliumNetworkPolicy": {"endpointSelector": {}, "egress": [{"toEntities": ["all"]}]},
    "CiliumClusterwideNetworkPolicy": {"endpointSelector": {}, "egress": [{"toEntities": ["all"]}]},
    "NetworkPolicy.projectcalico.org": {"egress": [{"action": "Allow"}]},
    "GlobalNetworkPolicy.projectcalico.org": {"egress": [{"action": "Allow"}]},
    "NetworkPolicy.crd.projectcalico.org": {"egress": [{"action": "Allow"}]},
    "GlobalNetworkPolicy.crd.projectcalico.org": {"egress": [{"action": "Allow"}]},
}


POD: dict[str, Any] = {"metadata": {"labels": {"tier": "front"}}, "spec": {}}


def bypasses(api: Any, pod: Any = lambda: POD) -> Bypasses:
    with ThreadPoolExecutor(4) as pool:
        others = OtherPolicies(ClusterSession(api, {}, lambda _seconds: None, pool), "shop")
        others.begin(pod, {"app": "web"})
        return others.bypassing()


@pytest.mark.parametrize("kind", POLICY_KINDS, ids=lambda kind: kind.resource)
def test_every_kind_is_read_where_it_is_served(kind: Any) -> None:
    """A policy of each kind that lets the pod through is named, by one request for its kind and one for all groups."""
    with one_cluster() as (cluster, means):
        cluster.serve(kind.name)
        space = {"namespace": "shop"} if kind.namespaced else {}
        version = f"{kind.group}/{kind.version}"
        cluster.create(
            {"apiVersion": version, "kind": kind.name, "metadata": {"name": "x", **space}, "spec": LETS_OUT[kind.name]}
        )
        assert bypasses(means.api).shown == (f"{kind.name}/x",)
        again = Interposed(means.api)
        assert bypasses(means.api) == bypasses(again)
    others = [kind.plural for kind in POLICY_KINDS]
    assert sum(call.startswith("list") and call.rpartition("/")[2] in others for call in again.calls) <= 2


def test_a_cluster_without_them_is_asked_nothing_more() -> None:
    """Once its groups are known, a cluster without such kinds is asked for none."""
    with one_cluster() as (cluster, means):
        assert bypasses(means.api) == Bypasses()
        before = len(cluster.audit)
        assert bypasses(means.api) == Bypasses()
        assert len(cluster.audit) == before


def test_a_group_without_the_kind_is_asked_once() -> None:
    """A served group may lack the kind: that is known after the first request."""
    with one_cluster() as (cluster, means):
        cluster.serve("AdminNetworkPolicy")
        counts = []
        for _ in range(2):
            before = len(cluster.audit)
            assert bypasses(means.api) == Bypasses()
            counts.append(len(cluster.audit) - before)
    assert counts == [3, 1]


NO_LIST = [ApiError(Reason.NO_SUCH_RESOURCE), ApiError(Reason.NOT_FOUND, status=404)]


@pytest.mark.parametrize("refusal", NO_LIST, ids=lambda error: error.reason)
@pytest.mark.parametrize("kind", POLICY_KINDS, ids=lambda kind: kind.resource)
def test_without_a_group_list_each_kind_is_asked_for(kind: Any, refusal: ApiError) -> None:
    """What the server has is found; what it has not is absent, and not asked for again."""

    def fail(_number: int, _verb: str, path: str) -> None:
        if path == "/apis":
            raise refusal

    with one_cluster() as (cluster, means):
        api = Interposed(means.api, before=fail)
        assert bypasses(api) == bypasses(api) == Bypasses()
        assert len(api.calls) == 1 + len(POLICY_KINDS)
        cluster.serve(kind.name)
        space = {"namespace": "shop"} if kind.namespaced else {}
        version = f"{kind.group}/{kind.version}"
        cluster.create(
            {"apiVersion": version, "kind": kind.name, "metadata": {"name": "x", **space}, "spec": LETS_OUT[kind.name]}
        )
        assert bypasses(Interposed(means.api, before=fail)).shown == (f"{kind.name}/x",)


def unreadable() -> Any:
    raise ApiError(Reason.SERVER_ERROR, status=500)


SELECTED = {"tier": "front", "app": "web"}
PODS = [
    pytest.param(lambda: POD, SELECTED, ("CiliumNetworkPolicy/x",), id="its labels and those it is given"),
    pytest.param(lambda: POD, {"app": "other"}, (), id="other labels"),
    pytest.param(lambda: None, SELECTED, (), id="gone"),
    pytest.param(unreadable, SELECTED, (), id="unreadable"),
]


@pytest.mark.parametrize(("pod", "selected", "shown"), PODS)
def test_policies_are_judged_for_the_pod_that_is_read(pod: Any, selected: dict[str, str], shown: tuple[str]) -> None:
    """The pod is read side by side with the policies; where it could not be, no kind is read again or named for it."""
    with one_cluster() as (cluster, means):
        cluster.serve("CiliumNetworkPolicy")
        spec = {"endpointSelector": {"matchLabels": selected}, "egress": [{"toEntities": ["all"]}]}
        meta = {"name": "x", "namespace": "shop"}
        cluster.create({"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": meta, "spec": spec})
        api = Interposed(means.api)
        assert bypasses(api, pod) == Bypasses(shown=shown)
    assert sum(call.endswith("/ciliumnetworkpolicies") for call in api.calls) == 1


def test_a_kind_of_another_version_of_its_group_is_read_there() -> None:
    """A group serves one kind in one of its versions, and another kind in another."""

    class Newer(Interposed):
        def get(self, path: str) -> Any:
            own, group = "networking.k8s.io", "policy.networking.k8s.io"
            groups = [(own, ["v1"]), (group, ["v1alpha1", "v1beta1"])]
            listed = [{"name": name, "versions": [{"version": one} for one in served]} for name, served in groups]
            return {"groups": listed} if path == "/apis" else super().get(path)

        def gather(self, path: str, keep: Any, *more: str) -> Any:
            return super().gather(path.replace("/v1beta1/", "/v1alpha2/"), keep, *more)

    with one_cluster() as (cluster, means):
        cluster.serve("ClusterNetworkPolicy")
        spec = LETS_OUT["ClusterNetworkPolicy"]
        version = "policy.networking.k8s.io/v1alpha2"
        cluster.create({"apiVersion": version, "kind": "ClusterNetworkPolicy", "metadata": {"name": "x"}, "spec": spec})
        assert bypasses(Newer(means.api)).shown == ("ClusterNetworkPolicy/x",)


FAILURES = [
    pytest.param(ApiError(Reason.NO_SUCH_RESOURCE), 2, "", id="not-served"),
    pytest.param(
        ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="fqdn: list"),
        1,
        "FQDNNetworkPolicy (missing permission: fqdn: list)",
        id="permission",
    ),
    pytest.param(
        ApiError(Reason.KUBERNETES_FORBIDDEN, status=403), 1, "FQDNNetworkPolicy (kubernetes_forbidden)", id="refused"
    ),
    pytest.param(ApiError(Reason.PARTIAL_LIST), 1, "FQDNNetworkPolicy (partial_list)", id="cut"),
    pytest.param(ApiError(Reason.SERVER_ERROR, status=500), 1, "", id="fails-once"),
    pytest.param(ApiError(Reason.SERVER_ERROR, status=500), 2, "FQDNNetworkPolicy (server_error)", id="fails-twice"),
    pytest.param(ApiError(Reason.TIMEOUT), 1, "", id="unreachable-once"),
]


@pytest.mark.parametrize(("error", "times", "unknown"), FAILURES)
def test_what_may_pass_is_asked_for_twice(error: ApiError, times: int, unknown: str) -> None:
    """A failure that may pass is tried once more; what cannot be read is named by its kind."""
    met: list[str] = []

    def fail(_number: int, _verb: str, path: str) -> None:
        if path.endswith("fqdnnetworkpolicies") and len(met) < times:
            met.append(path)
            raise error

    with one_cluster() as (cluster, means):
        cluster.serve("FQDNNetworkPolicy")
        assert bypasses(Interposed(means.api, before=fail)).unknown == ((unknown,) if unknown else ())


def test_reads_that_take_too_long_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An isolation does not wait for a server that does not answer."""
    monkeypatch.setattr(other_policies, "READ_SECONDS", 0.0)
    answered = threading.Event()
    with one_cluster() as (_cluster, means):
        stalled = Interposed(means.api, before=lambda *_: answered.wait(5))
        assert bypasses(stalled).unknown == ("discovery (deadline)",)
        answered.set()


def test_a_namespace_that_cannot_be_read_is_unknown() -> None:
    """Where a policy asks for labels of the namespace, and these could not be read, it may select the pod."""

    def fail(_number: int, _verb: str, path: str) -> None:
        if path.endswith("/namespaces/shop"):
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403)

    with one_cluster() as (cluster, means):
        cluster.serve("AdminNetworkPolicy")
        spec = {"subject": {"namespaces": {"matchLabels": {"a": "b"}}}, "ingress": [{"action": "Allow"}]}
        version = "policy.networking.k8s.io/v1alpha1"
        cluster.create({"apiVersion": version, "kind": "AdminNetworkPolicy", "metadata": {"name": "x"}, "spec": spec})
        assert bypasses(means.api) == Bypasses()
        assert bypasses(Interposed(means.api, before=fail)).unknown == ("AdminNetworkPolicy/x",)
