"""The limits as a simulation meets them: what they let through is never more than they allow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.finding import ClusterRef, Finding, PodRef
from scc_responder.guard.guard import guard
from scc_responder.guard.limits.applied_limits import share_of
from scc_responder.guard.limits.ledger_document import Budget
from scc_responder.intake.threats import catalogue
from scc_responder.policy.decide import decide
from scc_responder.policy.guardrails import Guardrails, Isolation, Protected, StormBreaker
from scc_responder.policy.limits import IsolationLimits, Limit, Limits, allowed_count, window
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.explanation import context_of
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.sample_findings import facts_as_told, sample_finding
from scc_responder.workbench.simulation.impact import AffectedObject, effects
from scc_responder.workbench.simulation.replayed_limits import MOST_TRIPS, ReplayedLimits
from tests.kits.responder import policy, write_policies


def _of_pods(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    return tuple(limit for limit in limits if limit.of == "pods")


T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
CALM = StormBreaker(targets=1000, denials=1000)
SHELL = sample_finding(next(row for row in catalogue() if row.name == "reverse_shell"))
assert SHELL.cluster is not None


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Policy, ...]:
    """Two policies that disrupt, one of them with a limit of its own, and one that needs what may be held."""
    folder = tmp_path_factory.mktemp("policies")
    own = "limits:\n  - {most: 2, within: 30m}\n"
    needy = policy("isolate_pod", "cordon_node", name="c").replace(
        "cordon_node\n", "cordon_node\n    needs: [isolate_pod]\n"
    )
    written = (policy("label_pod", "isolate_pod", name="a") + own, policy("delete_pod", name="b"), needy)
    return load_policies(write_policies(folder, *written)).policies


def finding(minutes: int, cluster: str, namespace: str, workload: str, pod: str) -> Finding:
    """A reverse shell in one of a few pods, each of which runs on one of three nodes."""
    place = ClusterRef(project="example-project", location="europe-west1", name=cluster)
    named = (PodRef(namespace=namespace, name=f"{workload}-6d5f9c7b4-{pod * 5}"),)
    containers = (replace(SHELL.containers[0], create_time=T0 - timedelta(days=1)),)
    time = T0 + timedelta(minutes=minutes)
    return replace(
        SHELL, cluster=place, pods=named, node=f"node-{ord(pod) % 3}", event_time=time, containers=containers
    )


FINDINGS = st.lists(
    st.builds(
        finding,
        st.integers(0, 90),
        st.sampled_from(["prod-1", "prod-2"]),
        st.sampled_from(["shop", "bank"]),
        st.sampled_from(["web", "api"]),
        st.sampled_from("abcdef"),
    ),
    max_size=15,
).map(lambda found: sorted(found, key=lambda item: item.event_time))
PODS = st.builds(Limit, most=st.integers(1, 4), within=st.sampled_from(["5m", "10m", "1h"]))
NODES = st.builds(Limit, most=st.integers(1, 2), within=st.sampled_from(["10m", "1h"]), of=st.just("nodes"))
LIMITS = st.builds(
    Limits,
    owner=st.lists(PODS, max_size=1).map(tuple),
    namespace=st.lists(PODS, max_size=1).map(tuple),
    node=st.lists(PODS, max_size=1).map(tuple),
    node_pool=st.lists(NODES, max_size=1).map(tuple),
    cluster=st.lists(st.one_of(PODS, NODES), max_size=2).map(tuple),
    organization=st.lists(PODS, max_size=1).map(tuple),
)


def disrupted(
    found: Sequence[Finding], policies: tuple[Policy, ...], rails: Guardrails, limits: ReplayedLimits
) -> list[tuple[Finding, str, AffectedObject, str]]:
    """Everything that the limits let through which disrupts: its finding, what it disrupts, the target, the policy."""
    known = actions()
    through = []
    for item in found:
        context = context_of(item, facts_as_told(item))
        guarded = guard(context, decide(context, policies), rails, item.event_time)
        for one in limits.limited(context, guarded, item.event_time).policies:
            through += [
                (item, known[action].disrupts, target, one.name)
                for action, target in effects(context, one)
                if known[action].disrupts
            ]
    return through


def scopes(item: Finding) -> dict[str, Any]:
    """The values of the scopes of the finding's target."""
    (pod,) = item.pods
    return {
        "owner": (item.cluster, pod.namespace, pod.name.split("-")[0]),
        "namespace": (item.cluster, pod.namespace),
        "node": (item.cluster, item.node),
        "node_pool": item.cluster,
        "cluster": item.cluster,
        "service": "",
        "project": item.cluster and item.cluster.project,
        "organization": "",
    }


def most_together(effects: list[tuple[datetime, AffectedObject]], within: timedelta) -> int:
    """The most different targets in any window."""
    times = [time for time, _ in effects]
    return max((len({name for at, name in effects if start <= at < start + within}) for start in times), default=0)


@given(found=FINDINGS, limits=LIMITS)
def test_never_more_than_a_limit_allows(policies: tuple[Policy, ...], found: list[Finding], limits: Limits) -> None:
    """Whatever is found in whatever order of places: no window has more different targets than each limit allows."""
    own = IsolationLimits(**{name: _of_pods(getattr(limits, name)) for name in IsolationLimits.__struct_fields__})
    isolation = Isolation(limits=own, storm_breaker=CALM)
    rails = Guardrails(protected=Protected(), limits=limits, storm_breaker=CALM, isolation=isolation)
    through = disrupted(found, policies, rails, ReplayedLimits(rails))
    for names, scope in product(({"a", "c"}, {"b"}), Limits.__struct_fields__):
        reached = [item for item in through if item[3] in names]
        for limit in getattr(limits, scope):
            for value in {scopes(item)[scope] for item, *_ in reached}:
                here = [
                    (item.event_time, target)
                    for item, kind, target, _ in reached
                    if kind == limit.of and scopes(item)[scope] == value
                ]
                # The second cluster keeps its share, whatever the first one used up.
                kept = share_of(rails.cluster_share, allowed_count(limit)) if scope == "organization" else 0
                assert most_together(here, window(limit)) <= allowed_count(limit) + kept, (scope, value)
    (own,) = policies[0].limits
    mine = [(item.event_time, target) for item, kind, target, name in through if (name, kind) == ("a", "pods")]
    assert most_together(mine, window(own)) <= allowed_count(own)


@given(found=FINDINGS)
def test_what_no_limit_denies_is_let_through(policies: tuple[Policy, ...], found: list[Finding]) -> None:
    """Without limits of the guardrails, a policy without its own does all that it would."""
    none = Limits(owner=(), namespace=(), node=(), node_pool=(), cluster=(), organization=())
    rails = Guardrails(protected=Protected(), limits=none, storm_breaker=CALM)
    through = disrupted(found, policies[1:2], rails, ReplayedLimits(rails))
    assert [item for item, *_ in through] == found


@given(found=FINDINGS, targets=st.integers(1, 4))
def test_a_storm_ends_it(policies: tuple[Policy, ...], found: list[Finding], targets: int) -> None:
    """Once its breaker has tripped, nothing is disrupted in a cluster any more."""
    storm = StormBreaker(targets=targets, denials=1000, within="10m")
    rails = Guardrails(protected=Protected(), storm_breaker=storm, isolation=Isolation(storm_breaker=storm))
    limits = ReplayedLimits(rails)
    through = disrupted(found, policies, rails, limits)
    for trip in (trip for trip in limits.trips if trip.scope == "cluster"):
        isolated = {"a": True, "b": False}
        after = [
            item
            for item, kind, _, name in through
            if item.cluster and item.cluster.path == trip.cluster and kind == "pods"
            if isolated.get(name, True) == (trip.budget is Budget.ISOLATION)
        ]
        assert all(item.event_time <= trip.at for item in after)
    assert (
        len({(trip.cluster, trip.scope, trip.budget) for trip in limits.trips}) == len(limits.trips) == limits.tripped
    )


def test_trips_are_counted_and_few_are_named(policies: tuple[Policy, ...]) -> None:
    """However many clusters a flood names, the report stays short."""
    rails = Guardrails(protected=Protected(), storm_breaker=StormBreaker(targets=1))
    found = [finding(0, f"prod-{number}", "shop", name, "a") for number in range(60) for name in ("web", "api", "db")]
    limits = ReplayedLimits(rails)
    disrupted(found, policies[1:2], rails, limits)
    assert (len(limits.trips), limits.tripped) == (MOST_TRIPS, 60)


def test_the_organisations_limit_counts_all_clusters(policies: tuple[Policy, ...]) -> None:
    """One count for all clusters together."""
    rails = Guardrails(
        protected=Protected(), limits=Limits(organization=(Limit(most=2, within="1h"),)), storm_breaker=CALM
    )
    found = [finding(number, f"prod-{number}", "shop", "web", "a") for number in range(4)]
    through = disrupted(found, policies[1:2], rails, ReplayedLimits(rails))
    assert [item.cluster and item.cluster.name for item, *_ in through] == ["prod-0", "prod-1"]
