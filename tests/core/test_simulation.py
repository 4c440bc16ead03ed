"""Simulating policies: what is counted, told apart and compared, in the order of time, whatever the findings say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.context import Context
from scc_responder.decide import Decision
from scc_responder.explanation import NOTHING_READ, Facts
from scc_responder.finding import Finding, PodRef
from scc_responder.policy import PolicySet, load_policies
from scc_responder.reach import Numbers
from scc_responder.samples import facts_as_told, sample_finding
from scc_responder.simulation import MAX_NAMED, Limit, Recent, Replay, as_it_was
from scc_responder.tally import Bits
from scc_responder.threats import catalogue
from tests.pipeline.deployment import policy, write_policies

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
SHELL = next(row for row in catalogue() if row.name == "reverse_shell")


def finding(number: int, *, pod: str = "web-6d5f9c7b4-x2x9q", minutes: float = 0, **fields: Any) -> Finding:
    """A reverse shell in a pod."""
    plain = sample_finding(SHELL)
    pods = (PodRef(namespace=fields.pop("namespace", "shop"), name=pod),)
    time = T0 + timedelta(minutes=minutes or number)
    containers = (replace(plain.containers[0], create_time=T0 - timedelta(days=30)),)
    return replace(
        plain, key=f"k{number}", name=f"n{number}", pods=pods, event_time=time, containers=containers, **fields
    )


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., PolicySet]:
    """Makes a set of policies."""

    def write(*policies: str, name: str = "policies", **options: Any) -> PolicySet:
        return load_policies(write_policies(tmp_path / name, *policies, **options))

    return write


def told(found: Finding) -> Facts:
    """The target as the finding tells of it."""
    return facts_as_told(found, looked_around=False)


def replayed(policies: PolicySet, *findings: Finding, former: PolicySet | None = None, limit: Any = None) -> Replay:
    """The findings, simulated with their targets there."""
    replay = Replay(policies, former, limit)
    for found in findings:
        replay.add(found, told(found))
    return replay


def test_counts(written: Callable[..., PolicySet]) -> None:
    """Findings, actions that act, are held or skipped, and different targets are counted, altogether and by day."""
    policies = written(policy("label_pod", "cordon_node", "delete_pod", "notify"))
    findings = [
        finding(1),
        finding(2),
        finding(3, pod="web-6d5f9c7b4-zzzzz"),
        finding(4, pod="alone", minutes=24 * 60),
        finding(5, namespace="kube-system", minutes=24 * 60 + 1),
    ]
    (report,) = replayed(policies, *findings).report().policies
    assert report.total.matched == 5
    assert report.total.acts == {"cordon_node": 4, "delete_pod": 3, "label_pod": 4, "notify": 5}
    assert report.total.held == {
        "cordon_node: namespace_protected": 1,
        "delete_pod: namespace_protected": 1,
        "delete_pod: pod_standalone": 1,
        "label_pod: namespace_protected": 1,
    }
    assert report.total.touched == {"pods": 3, "nodes": 1, "workloads": 1, "namespaces": 1}
    days = {str(day.day): (day.count.matched, day.count.touched["pods"]) for day in report.days}
    assert days == {"2026-03-02": (3, 2), "2026-03-03": (2, 1)}


def test_each_finding_at_its_own_time(written: Callable[..., PolicySet]) -> None:
    """A finding of last month is decided upon as it was then: it is not too old."""
    (report,) = replayed(written(policy("delete_pod")), finding(1)).report().policies
    assert report.total.acts == {"delete_pod": 1}


def test_nothing_known(written: Callable[..., PolicySet]) -> None:
    """Where nobody looked at the target, what needs one is held."""
    replay = Replay(written(policy("label_pod", "notify")))
    replay.add(finding(1), NOTHING_READ)
    (report,) = replay.report().policies
    assert (report.total.acts, report.total.held) == ({"notify": 1}, {"label_pod: not_read": 1})


def test_left_alone_and_duplicates(written: Callable[..., PolicySet]) -> None:
    """Muted, misconfigured and repeated findings are counted, not decided upon."""
    findings = [
        finding(1),
        finding(1),
        finding(1, minutes=2),
        finding(3, mute="MUTED"),
        finding(4, finding_class="MISCONFIGURATION"),
    ]
    report = replayed(written(policy("notify")), *findings).report()
    assert (report.findings, report.matched, report.duplicates) == (5, 2, 1)
    assert report.left_alone == {"muted": 1, "not_a_threat": 1}


@pytest.mark.parametrize(("shape", "state"), [("v2_list_item", "ACTIVE"), ("v1_bare", "ACTIVE"), ("v2", "INACTIVE")])
def test_as_it_was(shape: str, state: str) -> None:
    """What a list calls inactive was resolved later; what a notification calls so was so then."""
    assert as_it_was(finding(1, state="INACTIVE", shape=shape)).state == state


def test_bad_findings_are_named(written: Callable[..., PolicySet]) -> None:
    """Bad findings are counted by reason, and the first of them named."""
    replay = Replay(written(policy("notify")))
    for number in range(MAX_NAMED + 5):
        replay.bad(f"x:{number}", "not_json")
    report = replay.report()
    assert (report.bad, len(report.bad_named)) == ({"not_json": MAX_NAMED + 5}, MAX_NAMED)


def test_company_raises_confidence(written: Callable[..., PolicySet]) -> None:
    """Findings of the hour before on the same pod are near: a policy for raised confidence meets the later one."""
    added = next(row for row in catalogue() if row.name == "added_binary_executed")
    alone = replace(finding(1, minutes=200), category=added.category)
    company = replace(finding(2, minutes=30), category=added.category)
    when = "{threat: added_binary_executed, confidence: likely}"
    policies = written(policy("notify", when=when).replace("\n  {", " {"))
    report = replayed(policies, finding(3, minutes=1), company, alone).report()
    assert report.policies[0].total.matched == 1


def test_recent_forgets() -> None:
    """What is more than an hour ago, or about another pod, is not near."""
    recent = Recent()
    assert recent.near(finding(1, minutes=1)) == ()
    assert [item.name for item in recent.near(finding(2, minutes=50))] == ["n1"]
    assert recent.near(finding(3, minutes=51, pod="other")) == ()
    assert [item.name for item in recent.near(finding(4, minutes=62))] == ["n2"]
    assert recent.near(finding(5, minutes=200)) == ()
    assert len(recent._order) == len(recent._by_place) == 1


def test_limits_come_in_time_order(written: Callable[..., PolicySet]) -> None:
    """The limits are asked once for each finding, in order, and what they hold is counted as held."""
    asked: list[datetime] = []

    def limit() -> Limit:
        def one_only(_context: Context, decision: Decision, now: datetime) -> Decision:
            asked.append(now)
            return decision if len(asked) == 1 else _held(decision)

        return one_only

    findings = [finding(1), finding(2, pod="web-6d5f9c7b4-zzzzz"), finding(3)]
    (report,) = replayed(written(policy("delete_pod")), *findings, limit=limit).report().policies
    assert asked == sorted(asked)
    assert len(asked) == 3
    assert (report.total.acts, report.total.held) == ({"delete_pod": 1}, {"delete_pod: limit_cluster": 2})
    assert report.total.touched["pods"] == 1


def _held(decision: Decision) -> Decision:
    policies = tuple(
        replace(one, actions=tuple(replace(item, result="held", reason="limit_cluster") for item in one.actions))
        for one in decision.policies
    )
    return Decision(policies=policies)


CHANGES = [
    pytest.param([policy("label_pod")], {}, [], False, id="the-same"),
    pytest.param([policy("label_pod", name="other")], {}, [], False, id="another-name"),
    pytest.param([policy("label_pod", "notify", "capture_evidence")], {}, [], False, id="observes"),
    pytest.param([policy("label_pod", "delete_pod")], {"added": 1}, [], True, id="new-action"),
    pytest.param([policy("isolate_pod")], {"added": 1, "removed": 1}, [], True, id="another-action"),
    pytest.param([policy("notify")], {"removed": 1}, [], False, id="less"),
    pytest.param([policy("label_pod", mode="dry_run")], {"lowered": 1}, [], False, id="lowered"),
    pytest.param([policy("label_pod", mode="disabled")], {"removed": 1}, [], False, id="disabled"),
    pytest.param([policy("label_pod"), policy("label_pod", name="b", mode="dry_run")], {}, [], False, id="twice"),
]


@pytest.mark.parametrize(("after", "counts", "raised", "widens"), CHANGES)
def test_changes(
    written: Callable[..., PolicySet], *, after: list[str], counts: dict[str, int], raised: list[str], widens: bool
) -> None:
    """What a change adds and takes away is by target and action, whichever policy does it."""
    former = written(policy("label_pod"), name="former")
    found = replayed(written(*after), finding(1), finding(2), former=former).comparison()
    assert found is not None
    assert (found.counts, [item.policy for item in found.raised], found.widens) == (counts, raised, widens)


def test_new_targets(written: Callable[..., PolicySet]) -> None:
    """A policy that reaches more targets widens, and each is named with action, policy and mode."""
    former = written(
        policy("label_pod", when="{threat: reverse_shell, namespace: shop}").replace("\n  {", " {"), name="a"
    )
    found = replayed(written(policy("label_pod")), finding(1), finding(2, namespace="bank"), former=former).comparison()
    assert found is not None
    (item,) = found.differences
    assert (item.kind, item.target.shown, item.action) == (
        "added",
        "Pod bank/web-6d5f9c7b4-x2x9q in prod-1",
        "label_pod",
    )
    assert (item.policy, item.before, item.after, found.widens) == ("contain", "", "enforce", True)


def test_raised_mode(written: Callable[..., PolicySet]) -> None:
    """A raised mode widens, also of a policy that met no finding, and by a raised ceiling."""
    before, after = policy("label_pod", mode="dry_run"), policy("label_pod")
    met = replayed(written(after, name="b"), finding(1), former=written(before, name="a")).comparison()
    unmet = replayed(written(after, name="b"), former=written(before, name="a")).comparison()
    rails = "protected: {namespaces: [kube-system]}\nmax_mode: dry_run\n"
    ceiling = replayed(written(after, name="b"), former=written(after, name="c", guardrails=rails)).comparison()
    assert met is not None
    assert (met.counts, met.widens) == ({"raised": 1}, True)
    for found in (met, unmet, ceiling):
        assert found is not None
        assert [(item.policy, item.before, item.after) for item in found.raised] == [("contain", "dry_run", "enforce")]
        assert found.widens


def test_too_many_to_tell_apart(written: Callable[..., PolicySet]) -> None:
    """Where targets could not all be told apart, a change is taken to widen, and counts are said to be too low."""
    replay = Replay(written(policy("label_pod")), written(policy("label_pod"), name="former"))
    replay._numbers._most = 3
    for number in range(1, 5):
        found = finding(number, pod=f"web-6d5f9c7b4-zzzz{number}")
        replay.add(found, told(found))
    comparison = replay.comparison()
    assert comparison is not None
    assert (comparison.counts, comparison.widens, replay.report().complete) == ({}, True, False)


@given(st.sets(st.integers(0, 5000), max_size=100))
def test_bits(numbers: set[int]) -> None:
    """A set of bits counts what a set counts."""
    bits = Bits()
    for number in [*numbers, *numbers]:
        bits.add(number)
    assert len(bits) == len(numbers)


@given(st.lists(st.tuples(st.text("ab", max_size=2), st.text("ab", max_size=2)), max_size=30))
def test_numbers(things: list[tuple[str, str]]) -> None:
    """Each thing keeps its own number, and is found again by it."""
    numbers = Numbers()
    given = [numbers.of(*thing) for thing in things]
    assert [list(numbers.things())[number] for number in given if number is not None] == things


def test_numbers_of_odd_words() -> None:
    """A word that holds what parts words stays one word."""
    numbers = Numbers()
    assert [numbers.of("a\0b", "c"), numbers.of("a", "b\0c"), numbers.of("a", "b", "c")] == [0, 1, 2]
    assert [len(thing) for thing in numbers.things()] == [2, 2, 3]
