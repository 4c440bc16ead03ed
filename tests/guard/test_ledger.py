"""The ledger: limits hold in any order of requests, and a storm trips the breaker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.guard.ledger import admit
from scc_responder.guard.limits.applied_limits import LAG
from scc_responder.guard.limits.ledger_document import (
    Budget,
    DisruptionRequest,
    LimitDecision,
    State,
)
from scc_responder.policy.guardrails import Guardrails, Protected, StormBreaker
from scc_responder.policy.limits import Limit, Limits, allowed_count, window
from scc_responder.workbench.policy_files.rule_mistakes import limit_mistakes

NOW = datetime(2026, 3, 2, 9, 31, 12, tzinfo=UTC)
EMPTY = State()
CALM = StormBreaker(targets=1000, denials=1000)
NONE = Limits(owner=(), namespace=(), node=(), node_pool=(), cluster=(), organization=())


def rails(storm: StormBreaker = CALM, **limits: tuple[Limit, ...]) -> Guardrails:
    """Guardrails with these limits and no others."""
    return Guardrails(protected=Protected(), limits=msgspec.structs.replace(NONE, **limits), storm_breaker=storm)


def pod(number: int, **changes: Any) -> DisruptionRequest:
    """A request about a pod of `web` in `shop`."""
    scopes = {"owner": "web", "namespace": "shop", "node": "node-1", "node_pool": "pool-1", **changes.pop("scopes", {})}
    values = {"action_id": f"a{number}", "target": f"pod-{number}", "kind": "pods", "scopes": scopes, **changes}
    return DisruptionRequest(**values)


def node(number: int, **changes: Any) -> DisruptionRequest:
    values = {"action_id": f"n{number}", "target": f"node-{number}", "kind": "nodes", "scopes": {"node_pool": "pool-1"}}
    return DisruptionRequest(**{**values, **changes})


def asked(
    requests: Iterable[DisruptionRequest], guardrails: Guardrails, state: State = EMPTY, every: float = 1
) -> list[str]:
    """What each request comes to, one after another: `ok` or the reason."""
    return [answer.reason or "ok" for _, answer in steps(requests, guardrails, state, every)]


def steps(
    requests: Iterable[DisruptionRequest], guardrails: Guardrails, state: State = EMPTY, every: float = 1
) -> list[tuple[State, LimitDecision]]:
    found = []
    for number, request in enumerate(requests):
        state, answer = admit(state, request, guardrails, NOW + timedelta(seconds=number * every))
        found.append((state, answer))
    return found


def apart(number: int, **changes: Any) -> DisruptionRequest:
    """A request about a pod of a workload of its own."""
    return pod(number, **{**changes, "scopes": {"owner": f"w{number}", **changes.get("scopes", {})}})


def breakers(state: State) -> list[tuple[str, str | None]]:
    """The scope and the budget of each breaker that is tripped."""
    return [(breaker.scope, breaker.budget) for breaker in state.cluster.breakers]


def isolating(number: int, **changes: Any) -> DisruptionRequest:
    """A request to isolate a pod, by a likely finding about it."""
    return pod(number, **{"budget": Budget.ISOLATION, "is_likely": True, "share_of": 8, **changes})


TWO = (Limit(most=2, within="10m"),)
SCOPES = [
    pytest.param("owner", {"owner": "other"}, id="owner"),
    pytest.param("namespace", {"namespace": "other"}, id="namespace"),
    pytest.param("node", {"node": "other"}, id="node"),
    pytest.param("node_pool", {"node_pool": "other"}, id="node-pool"),
]


@pytest.mark.parametrize(("scope", "elsewhere"), SCOPES)
def test_each_scope_counts_its_own_targets(scope: str, elsewhere: dict[str, str]) -> None:
    """A limit counts the targets of its scope, and those elsewhere on their own."""
    requests = [pod(1), pod(2), pod(3), pod(4, scopes=elsewhere)]
    assert asked(requests, rails(**{scope: TWO})) == ["ok", "ok", f"limit_{scope}", "ok"]


@pytest.mark.parametrize("scope", ["cluster", "organization"])
def test_wide_scopes_count_everything_in_them(scope: str) -> None:
    """Cluster and organisation count whatever is in them."""
    requests = [pod(1), pod(2, scopes={"namespace": "x", "owner": "y"}), pod(3, scopes={"namespace": "z"})]
    assert asked(requests, rails(**{scope: TWO})) == ["ok", "ok", f"limit_{scope}"]


def test_what_is_not_known_may_be_the_same() -> None:
    """A pod whose workload, or node pool, was not read counts in each, and each counts for it."""
    one = rails(node_pool=(Limit(most=1, within="10m"),))
    unread, read = pod(1, scopes={"node_pool": ""}), pod(2, scopes={"node_pool": "pool-1"})
    assert asked([unread, read], one) == ["ok", "limit_node_pool"]
    assert asked([read, unread], one) == ["ok", "limit_node_pool"]


def test_what_is_learnt_later_counts() -> None:
    """A target that was reserved before its node pool was read counts in its pool alone once it was."""
    one = rails(node_pool=(Limit(most=1, within="10m"),))
    later = [
        pod(1, scopes={"node_pool": ""}),
        pod(1, scopes={"node_pool": "pool-1"}),
        pod(2, scopes={"node_pool": "pool-2"}),
    ]
    assert asked(later, one, every=60) == ["ok", "ok", "ok"]


@pytest.mark.parametrize("every", [1, 60])
@pytest.mark.parametrize("last", ["a", "b", "c"])
def test_whose_owner_changes_counts_everywhere(every: int, last: str) -> None:
    """Whoever may write pods may give one another owner: that makes no room in either, nor anywhere else."""
    one = rails(owner=(Limit(most=1, within="10m"),))
    flipped = [pod(1, scopes={"owner": "a"}), pod(1, scopes={"owner": "b"}), pod(2, scopes={"owner": last})]
    assert asked(flipped, one, every=every) == ["ok", "ok", "limit_owner"]


def test_a_policys_own_limits() -> None:
    """A policy's limits count what it does anywhere, beside the guardrails' own."""
    own = {"policy": "contain", "policy_limits": (Limit(most=1, within="1h"),)}
    requests = [pod(1, **own), pod(2, **own), pod(3, policy="other"), pod(4)]
    assert asked(requests, rails(namespace=(Limit(most=2, within="10m"),))) == [
        "ok",
        "limit_policy",
        "ok",
        "limit_namespace",
    ]


def test_a_policys_limits_outlive_others_requests() -> None:
    """What a policy with a long window did is remembered, whatever others with short ones ask meanwhile."""
    own = {"policy": "contain", "policy_limits": (Limit(most=1, within="7d"),)}
    others = [pod(number, policy="other") for number in range(2, 6)]
    assert asked([pod(1, **own), *others, pod(9, **own)], rails(), every=86_400)[-1] == "limit_policy"


def test_a_denial_counts_nowhere() -> None:
    """What one limit denies is not counted by the others: nothing was done."""
    own = {"policy": "contain", "policy_limits": (Limit(most=1, within="1h"),)}
    requests = [pod(1, **own), *(pod(number, **own) for number in range(2, 8)), pod(9, policy="other")]
    assert asked(requests, rails(cluster=TWO))[-1] == "ok"


def test_a_persons_word_passes_a_limit_and_counts() -> None:
    """What listed people approved all the same is reserved like any other: the next one meets it in the limit."""
    guardrails = rails(cluster=(Limit(most=1, within="10m"),))
    state = steps([pod(1), pod(2)], guardrails)[-1][0]
    state, answer = admit(state, pod(2), guardrails, NOW + timedelta(seconds=5), by_person=True)
    assert answer.allowed
    assert {entry.target for entry in state.cluster.entries if entry.reserved_at} == {"pod-1", "pod-2"}
    denied = admit(state, pod(3), guardrails, NOW + timedelta(seconds=6))[1]
    assert denied.detail == "cluster: 2 pods within 10m, at most 1 (1)"


def test_a_persons_word_passes_a_breaker_and_leaves_it_tripped() -> None:
    """It counts there too, and nobody else is let through by it."""
    guardrails = rails(StormBreaker(targets=1, denials=1000))
    state = steps([apart(1), apart(2)], guardrails)[-1][0]
    state, answer = admit(state, apart(2), guardrails, NOW + timedelta(seconds=5), by_person=True)
    assert (answer.allowed, breakers(state)) == (True, [("cluster", Budget.DISRUPTION)])
    assert {entry.target for entry in state.cluster.entries if entry.reserved_at} == {"pod-1", "pod-2"}
    assert asked([apart(2), apart(3)], guardrails, state) == ["storm_breaker", "storm_breaker"]


def test_kinds_are_counted_apart() -> None:
    """Limits of pods do not count nodes, and the other way round."""
    limits = (Limit(most=1, within="10m"), Limit(most=1, within="10m", of="nodes"))
    requests = [pod(1), node(1), pod(2), node(2)]
    assert asked(requests, rails(cluster=limits)) == ["ok", "ok", "limit_cluster", "limit_cluster"]


def test_a_target_counts_once() -> None:
    """A pod that is isolated and then deleted, for two findings, counts once."""
    requests = [pod(1), pod(1, action_id="a1-delete"), pod(1, action_id="b1", policy="other"), pod(2), pod(3)]
    assert asked(requests, rails(namespace=TWO), every=30) == ["ok", "ok", "ok", "ok", "limit_namespace"]


def test_a_repeated_request_writes_nothing() -> None:
    """The same request again is allowed again, and there is nothing to write."""
    (state, first), (again, second) = steps([pod(1), pod(1)], rails(namespace=TWO))
    assert (first, second) == (LimitDecision(), LimitDecision())
    assert again is state


def test_a_repeated_denial_counts_once() -> None:
    """A denial again changes nothing: it is one denial."""
    found = steps([pod(1), pod(2), pod(3), pod(3)], rails(namespace=TWO))
    assert found[-1][1].reason == "limit_namespace"
    assert found[-1][0] is found[-2][0]


def test_the_window_moves() -> None:
    """After the window, and the time that an effect may take, there is room again."""
    (state, _), *_ = steps([pod(1)], rails(cluster=(Limit(most=1, within="10m"),)))
    within = admit(state, pod(2), rails(cluster=(Limit(most=1, within="10m"),)), NOW + timedelta(minutes=10))
    after = admit(state, pod(2), rails(cluster=(Limit(most=1, within="10m"),)), NOW + timedelta(minutes=10) + LAG)
    assert (within[1].reason, after[1].reason) == ("limit_cluster", None)


def test_a_late_effect_counts_anew() -> None:
    """A target reserved long ago and not acted upon until now counts in the window of now."""
    limits = rails(cluster=(Limit(most=1, within="10m"),))
    (_, (state, second)) = steps([pod(1), pod(2)], limits, every=700)
    _, late = admit(state, pod(1), limits, NOW + timedelta(seconds=710))
    assert (second.reason, late.reason) == (None, "limit_cluster")


SHARES = [
    pytest.param(10, "25%", 2, id="rounds-down"),
    pytest.param(3, "25%", 1, id="at-least-one"),
    pytest.param(None, "25%", 1, id="of-nobody-knows-how-many"),
    pytest.param(8, "100%", 8, id="all"),
    pytest.param(10, 0, 0, id="a-number-may-be-none"),
]


@pytest.mark.parametrize(("share_of", "most", "allowed"), SHARES)
def test_a_share_rounds_down_to_one(share_of: int | None, most: int | str, allowed: int) -> None:
    """A share is of what is there, rounded down, and one at least."""
    assert allowed_count(Limit(most=most, within="10m"), share_of) == allowed
    requests = [pod(number, share_of=share_of) for number in range(12)]
    answers = asked(requests, rails(owner=(Limit(most=most, within="10m"),)))
    assert answers.count("ok") == allowed


@given(most=st.one_of(st.integers(), st.text(), st.from_regex(r"[0-9]{1,4}%")), share_of=st.integers(0, 10_000))
def test_what_passes_lint_can_be_counted(most: int | str, share_of: int) -> None:
    """A limit that is not refused when it is loaded has a number, of one at least and of no more than there are."""
    limit = Limit(most=most, within="10m")
    if not list(limit_mistakes(limit, ())):
        allowed = allowed_count(limit, share_of)
        assert 1 <= allowed <= max(1, share_of if isinstance(most, str) else int(most))


def test_what_is_told() -> None:
    """A denial names the limit, and what was counted."""
    state, answer = steps([pod(1), pod(2), pod(3)], rails(namespace=TWO))[-1]
    assert answer.detail == "namespace shop: 2 pods within 10m, at most 2 (2)"
    assert not answer.allowed
    assert state.cluster.entries[-1].denied == ("namespace=shop",)


PODS = st.builds(
    pod,
    st.integers(0, 30),
    scopes=st.fixed_dictionaries(
        {"owner": st.sampled_from("ab"), "namespace": st.sampled_from("cd"), "node": st.sampled_from("ef")}
    ),
    action_id=st.sampled_from(["isolate", "delete"]),
    policy=st.sampled_from(["p", "q"]),
)
LIMIT = st.builds(Limit, most=st.integers(0, 4), within=st.sampled_from(["2m", "10m", "1h"]))
LIMITS = st.fixed_dictionaries(
    {name: st.lists(LIMIT, max_size=2).map(tuple) for name in ("owner", "namespace", "node", "cluster", "organization")}
)


def most_together(times: Sequence[tuple[datetime, str]], within: timedelta) -> int:
    """The most different targets in any window."""
    return max((len({name for at, name in times if start <= at < start + within}) for start, _ in times), default=0)


@given(
    asks=st.lists(st.tuples(PODS, st.integers(0, 200)), max_size=40),
    limits=LIMITS,
    own=LIMIT,
    late=st.lists(st.integers(0, 39), min_size=40, max_size=40),
)
def test_no_limit_is_ever_exceeded(
    asks: list[tuple[DisruptionRequest, int]], limits: dict[str, tuple[Limit, ...]], own: Limit, late: list[int]
) -> None:
    """Whatever is asked in whatever order, and however late its effects are: in no window is there too much."""
    guardrails, state, now = rails(**limits), State(), NOW
    effects: list[tuple[datetime, DisruptionRequest]] = []
    for (request, pause), delay in zip(asks, late, strict=False):
        now += timedelta(seconds=pause)
        full = msgspec.structs.replace(request, policy_limits=(own,) if request.policy == "p" else ())
        state, answer = admit(state, full, guardrails, now)
        if answer.allowed:
            effects.append((now + timedelta(seconds=delay), full))
    for scope, allowed in limits.items():
        for value in {request.scopes.get(scope, "") for _, request in effects}:
            here = [(at, item.target) for at, item in effects if item.scopes.get(scope, "") == value]
            assert all(most_together(here, window(limit)) <= int(limit.most) for limit in allowed)
    mine = [(at, item.target) for at, item in effects if item.policy == "p"]
    assert most_together(mine, window(own)) <= int(own.most)


@given(asks=st.lists(st.tuples(PODS, st.integers(0, 200)), max_size=20), limits=LIMITS)
def test_asking_again_changes_nothing(
    asks: list[tuple[DisruptionRequest, int]], limits: dict[str, tuple[Limit, ...]]
) -> None:
    """In any state, to ask for the same once more has the same answer and leaves the same state."""
    guardrails, state, now = rails(**limits), State(), NOW
    for request, pause in asks:
        now += timedelta(seconds=pause)
        state, answer = admit(state, request, guardrails, now)
        again, second = admit(state, request, guardrails, now)
        assert again is state
        assert second.allowed == answer.allowed


@given(asks=st.lists(PODS, max_size=40), limits=LIMITS)
def test_it_is_stored_as_it_is(asks: list[DisruptionRequest], limits: dict[str, tuple[Limit, ...]]) -> None:
    """A ledger comes back from its stored form as it was."""
    for state, _ in steps(asks, rails(**limits)):
        assert msgspec.json.decode(msgspec.json.encode(state), type=State) == state


def test_it_does_not_grow() -> None:
    """What counts nowhere any more is dropped: a year of findings leaves no more than a window of them."""
    guardrails = rails(cluster=(Limit(most=1000, within="24h"),))
    found = steps([pod(number) for number in range(400)], guardrails, every=6 * 3600)
    assert max(len(state.cluster.entries) for state, _ in found) <= 6


def test_the_default_limits_are_these() -> None:
    """By default: a quarter of a workload, three of a namespace and five of a cluster in ten minutes, one node."""
    defaults = Guardrails(protected=Protected(), storm_breaker=CALM)
    web = [pod(number, share_of=10) for number in range(5)]
    shop = [pod(10 + number, scopes={"owner": f"w{number}", "node": f"n{number}"}) for number in range(5)]
    wide = [
        pod(number, scopes={"owner": f"w{number}", "node": f"n{number}", "namespace": f"s{number}"})
        for number in range(30, 37)
    ]
    nodes = [node(number, share_of=20) for number in range(3)]
    assert asked(web, defaults) == ["ok", "ok", *["limit_owner"] * 3]
    assert asked(shop, defaults) == ["ok", "ok", "ok", *["limit_namespace"] * 2]
    assert asked(wide, defaults) == [*["ok"] * 5, *["limit_cluster"] * 2]
    assert asked(nodes, defaults) == ["ok", *["limit_node_pool"] * 2]
    assert asked(nodes, defaults, every=12 * 60) == ["ok", "ok", "limit_node_pool"]


def service(number: int, **changes: Any) -> DisruptionRequest:
    """A request about a revision of the service `checkout`."""
    scopes = {"service": "checkout", "project": "p", **changes.pop("scopes", {})}
    values = {"action_id": f"s{number}", "target": f"revision-{number}", "kind": "services", "scopes": scopes}
    return DisruptionRequest(**{**values, **changes})


SERVICES = (Limit(most=2, of="services", within="10m"),)


@pytest.mark.parametrize(
    ("scope", "requests", "expected"),
    [
        ("service", [service(n) for n in range(3)], ["ok", "ok", "limit_service"]),
        ("service", [service(n, scopes={"service": str(n)}) for n in range(3)], ["ok", "ok", "ok"]),
        ("service", [service(0), service(0), service(0)], ["ok", "ok", "ok"]),
        ("project", [service(n, scopes={"service": str(n)}) for n in range(3)], ["ok", "ok", "limit_project"]),
        ("project", [service(n, scopes={"project": str(n)}) for n in range(3)], ["ok", "ok", "ok"]),
        (
            "organization",
            [service(n, scopes={"project": str(n)}) for n in range(3)],
            ["ok", "ok", "limit_organization"],
        ),
        ("organization", [service(0), pod(1), pod(2), pod(3), service(4)], ["ok", "ok", "ok", "ok", "ok"]),
    ],
)
def test_services_count_as_pods_do(scope: str, requests: list[DisruptionRequest], expected: list[str]) -> None:
    """By service, by project, and altogether; pods and services do not count for each other."""
    assert asked(requests, rails(**{scope: SERVICES})) == expected


def test_a_project_counts_over_all_its_clusters() -> None:
    """The project's places are counted in the ledger of all clusters together."""
    found = rails(project=(Limit(most=2, within="10m"),))
    first, _ = steps([pod(n, scopes={"project": "p"}) for n in (1, 2)], found)[-1]
    other_cluster = State(organization=first.organization)
    assert asked([pod(3, scopes={"project": "p"})], found, other_cluster) == ["limit_project"]
    assert asked([pod(3, scopes={"project": "q"})], found, other_cluster) == ["ok"]


def test_the_organisations_ledger_keeps_where_it_is_alone() -> None:
    """All clusters share its room: of a pod's names it has no use for."""
    guardrails = rails(cluster=(Limit(most=9, within="1h"),), organization=(Limit(most=9, within="1h"),))
    asked = pod(1, cluster="projects/p/locations/l/clusters/c", scopes={"project": "p", "owner": "o" * 300})
    state, _ = admit(State(), asked, guardrails, NOW)
    assert state.organization.entries[0].scopes == {"project": "p", "cluster": "projects/p/locations/l/clusters/c"}
    assert state.cluster.entries[0].scopes["owner"] == "o" * 300
