"""Which limits count what: isolation apart from deletion, and the organisation's by cluster and environment."""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.guard.limits.ledger_document import Budget, DisruptionRequest, Ledger, LedgerEntry, State
from scc_responder.policy.guardrails import Environment, Guardrails, Isolation, Protected
from scc_responder.policy.limits import IsolationLimits, Limit
from tests.guard.test_ledger import CALM, NOW, asked, breakers, isolating, pod, rails, steps


def test_the_last_releases_entries_count_in_both_budgets() -> None:
    """What it reserved is counted by every limit, once for each target."""
    entry = LedgerEntry(target="pod-9", kind="pods", scopes={"namespace": "shop"}, reserved_at=NOW)
    state = State(cluster=Ledger(entries=(entry,)))
    one = (Limit(most=1, within="10m"),)
    limits = replace(
        rails(namespace=one), isolation=Isolation(limits=IsolationLimits(namespace=one), storm_breaker=CALM)
    )
    assert asked([pod(1), pod(2, budget=Budget.ISOLATION)], limits, state) == ["limit_namespace"] * 2
    assert asked([pod(9), pod(9, budget=Budget.ISOLATION)], limits, state) == ["ok", "ok"]


def test_isolation_has_limits_of_its_own() -> None:
    """By default every replica of a workload, ten of a namespace, thirty of a cluster; no deletion counts."""
    defaults = Guardrails(protected=Protected())
    deletions = [pod(number, share_of=8) for number in range(8)]
    replicas = [isolating(number) for number in range(8)]
    found = steps([*deletions, *replicas], defaults)
    assert [answer.reason or "ok" for _, answer in found] == [*["ok"] * 2, *["limit_owner"] * 6, *["ok"] * 8]
    assert breakers(found[-1][0]) == []
    assert [answer.cut for _, answer in found[8:]] == list(range(8))
    shop = [isolating(number, scopes={"owner": f"w{number}"}) for number in range(12)]
    assert asked(shop, defaults) == [*["ok"] * 10, *["limit_namespace"] * 2]
    wide = [isolating(n, scopes={"owner": f"w{n}", "namespace": f"s{n}"}) for n in range(30)]
    assert asked(wide, defaults) == ["ok"] * 30


def test_beyond_its_share_each_pod_needs_a_likely_finding() -> None:
    """A finding that is only possible isolates no more of a workload than may be missing."""
    defaults = Guardrails(protected=Protected())
    unsure = [isolating(number, is_likely=False) for number in range(3)]
    assert asked([*unsure, isolating(9)], defaults) == ["ok", "ok", "limit_owner", "ok"]


def elsewhere(number: int, cluster: str) -> DisruptionRequest:
    return isolating(number, cluster=f"projects/p/locations/l/clusters/{cluster}", scopes={"owner": f"w{number}"})


def test_each_cluster_keeps_its_share_of_the_organisation() -> None:
    """What one cluster used up leaves another one its share, and no more."""
    eight = Isolation(limits=IsolationLimits(namespace=(), organization=(Limit(most=8, within="1h"),)))
    limits = replace(rails(), isolation=eight)
    dev, prod = [elsewhere(n, "dev") for n in range(10)], [elsewhere(n, "prod") for n in range(20, 24)]
    assert asked([*dev, *prod], limits) == [
        *["ok"] * 8,
        *["limit_organization"] * 2,
        "ok",
        "ok",
        *["limit_organization"] * 2,
    ]


def test_an_environment_uses_up_its_own_share_alone() -> None:
    """Development has its share; production has all of its own, whatever development did."""
    dev = Environment(name="development", clusters=("projects/*/locations/*/clusters/dev-*",), share="50%")
    eight = Isolation(limits=IsolationLimits(namespace=(), organization=(Limit(most=8, within="1h"),)))
    limits = replace(rails(), isolation=eight, environments=(dev,))
    tried = [*(elsewhere(n, f"dev-{n}") for n in range(5)), *(elsewhere(n, "prod") for n in range(20, 29))]
    found = steps(tried, limits)
    assert [answer.reason or "ok" for _, answer in found] == [*["ok"] * 13, "limit_organization"]
    one = steps([elsewhere(n, "dev-1") for n in range(5)], limits)[-1][1]
    assert one.detail == "organization, environment development: 4 pods within 1h, at most 4 (8)"
