"""Which breaker trips by what, and what it holds."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from msgspec.structs import replace

from scc_responder.guard.ledger import admit
from scc_responder.guard.limits.ledger_document import Budget, Ledger, State
from scc_responder.guard.limits.storm import held_by
from scc_responder.policy.guardrails import Isolation, StormBreaker
from scc_responder.policy.limits import Limit
from tests.guard.test_ledger import NOW, apart, asked, breakers, isolating, node, pod, rails, service, steps

STORMY = StormBreaker(targets=3, denials=2, within="10m")


def test_too_much_is_planned() -> None:
    """More workloads planned than so many incidents would explain: the cluster's breaker trips, and stays so."""
    found = steps([*(apart(number) for number in range(6)), node(1)], rails(STORMY))
    assert [answer.reason for _, answer in found] == [None, None, None, *["storm_breaker"] * 4]
    tripped = found[3][0].cluster.breaker
    assert tripped is not None
    assert (tripped.scope, tripped.budget) == ("cluster", "disruption")
    assert tripped.detail == "targets of 4 workloads planned within 10m, of at most 3"
    assert all(after is before for (before, _), (after, _) in pairwise(found[3:]))


def test_one_workload_holds_itself_alone() -> None:
    """However many of its pods are planned or denied: its own breaker trips, and nothing wider."""
    many = [pod(number, share_of=4) for number in range(9)]
    found = steps([*many, apart(20), node(1)], rails(STORMY))
    assert [answer.reason for _, answer in found] == [*[None] * 7, *["storm_breaker"] * 2, None, None]
    assert breakers(found[-1][0]) == [("owner=web", "disruption")]
    held = [held_by(found[-1][0].cluster, pod(30, scopes={"owner": owner})) for owner in ("", "other")]
    assert [each and each.scope for each in held] == ["owner=web", None], "one not read may be of this workload"
    denied = [*(pod(number) for number in range(6)), apart(20, scopes={"namespace": "other"})]
    found = steps(denied, rails(STORMY, namespace=(Limit(most=1, within="10m"),)))
    assert [answer.reason or "ok" for _, answer in found] == [
        "ok",
        *["limit_namespace"] * 3,
        *["storm_breaker"] * 2,
        "ok",
    ]
    assert breakers(found[-1][0]) == [("owner=web", "disruption")]


@pytest.mark.parametrize(
    ("scope", "wider"),
    [("namespace", {"namespace": "other"}), ("node", {"node": "other"}), ("node_pool", {"node_pool": "other"})],
)
def test_denials_trip_the_scope_that_denied(scope: str, wider: dict[str, str]) -> None:
    """Of several workloads: the scope that has no room is held, and what is beside it is not."""
    storm = StormBreaker(targets=1000, denials=2, within="10m")
    limits = rails(storm, **{scope: (Limit(most=1, within="10m"),)})
    found = steps([*(apart(number) for number in range(5)), apart(9, scopes=wider)], limits)
    assert [answer.reason or "ok" for _, answer in found] == ["ok", *[f"limit_{scope}"] * 3, "storm_breaker", "ok"]
    (tripped,) = found[-1][0].cluster.breakers
    assert tripped.scope == f"{scope}={pod(0).scopes[scope]}"
    assert tripped.detail == "targets of 3 workloads denied within 10m, of at most 2"


def test_denials_of_pods_whose_workload_was_not_read_hold_such_pods() -> None:
    """Each of them may be of the same workload. What is known to be of another is under the limit alone."""
    limits = rails(StormBreaker(targets=1000, denials=2), owner=(Limit(most=1, within="10m"),))
    found = steps([*(pod(number, scopes={"owner": ""}) for number in range(5)), node(1)], limits)
    assert [answer.reason or "ok" for _, answer in found] == ["ok", *["limit_owner"] * 3, "storm_breaker", "ok"]
    assert breakers(found[-1][0]) == [("owner", "disruption")]
    assert admit(found[-1][0], apart(9), limits, NOW)[1].reason == "limit_owner"


def test_denials_of_the_cluster_trip_the_cluster() -> None:
    """What the cluster's own limit denies is the cluster's."""
    limits = rails(StormBreaker(targets=1000, denials=2), cluster=(Limit(most=0, within="10m"),))
    found = steps([apart(number) for number in range(4)], limits)
    assert found[-1][1].reason == "storm_breaker"
    assert breakers(found[-1][0]) == [("cluster", "disruption")]


@pytest.mark.parametrize("scope", ["organization", "project", "policy"])
def test_what_other_clusters_used_up_trips_nothing(scope: str) -> None:
    """A limit over all clusters holds; its denials say nothing of this cluster."""
    none = (Limit(most=0, within="10m"),)
    own = {"policy": "contain", "policy_limits": none} if scope == "policy" else {}
    limits = rails(StormBreaker(targets=1000, denials=2), **({} if scope == "policy" else {scope: none}))
    found = steps([apart(number, scopes={"project": "p"}, **own) for number in range(20)], limits)
    assert {answer.reason for _, answer in found} == {f"limit_{scope}"}
    assert breakers(found[-1][0]) == []


def test_the_last_releases_breaker_holds_everything() -> None:
    """It was stored without a scope and a budget: it is the cluster's, and holds isolation too."""
    at = "2026-03-02T09:00:00Z"
    stored = {"cluster": "c", "breaker": {"tripped_at": at, "detail": "11 targets", "paging_since": at}}
    state = State(cluster=msgspec.json.decode(msgspec.json.encode(stored), type=Ledger))
    assert asked([pod(1), pod(2, budget=Budget.ISOLATION), node(1)], rails(), state) == ["storm_breaker"] * 3


def test_a_storm_of_isolations_holds_no_deletion() -> None:
    """Each budget has breakers of its own."""
    limits = replace(rails(), isolation=Isolation(storm_breaker=StormBreaker(targets=2)))
    found = steps([*(isolating(n, scopes={"owner": f"w{n}"}) for n in range(4)), apart(9)], limits)
    assert [answer.reason or "ok" for _, answer in found] == ["ok", "ok", *["storm_breaker"] * 2, "ok"]
    assert breakers(found[-1][0]) == [("cluster", "isolation")]


def test_slowly_is_no_storm() -> None:
    """The same number over a longer time trips nothing."""
    assert asked([apart(number) for number in range(20)], rails(STORMY), every=250) == ["ok"] * 20


def test_a_storm_of_services_trips_the_breaker_of_its_project() -> None:
    """Too many planned at once are likelier a bad rule than so many incidents."""
    storm = StormBreaker(targets=2, denials=1000)
    several = [service(n, scopes={"service": str(n)}) for n in range(3)]
    assert asked(several, rails(storm)) == ["ok", "ok", "storm_breaker"]
    assert asked([service(n) for n in range(3)], rails(storm)) == ["ok", "ok", "storm_breaker"]
