"""Simulating policies: what is counted, told apart and compared, in the order of time, whatever the findings say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.finding import Finding, PodRef
from scc_responder.intake.threats import catalogue
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.explanation import NOTHING_READ, ContextFacts
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.sample_findings import facts_as_told, sample_finding
from scc_responder.workbench.simulation.replay import MAX_NAMED, Replay, as_it_was
from tests.kits.responder import policy, write_policies

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


def told(found: Finding) -> ContextFacts:
    """The target as the finding tells of it."""
    return facts_as_told(found, looked_around=False)


def replayed(policies: PolicySet, *findings: Finding, former: PolicySet | None = None, **options: Any) -> Replay:
    """The findings, simulated with their targets there."""
    replay = Replay(policies, former, **options)
    for found in findings:
        replay.add(found, told(found))
    return replay


def test_findings_and_actions_are_counted_by_day(written: Callable[..., PolicySet]) -> None:
    """Findings, actions that act, are held or skipped, and different targets are counted, altogether and by day."""
    rails = "protected: {namespaces: [kube-system]}\nlimits: {owner: [], namespace: [], cluster: [], node_pool: []}\n"
    policies = written(policy("label_pod", "cordon_node", "delete_pod", "notify"), guardrails=rails)
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
    assert report.total.touched == {"pods": 3, "nodes": 1, "workloads": 1, "namespaces": 1, "services": 0}
    days = {str(day.day): (day.count.matched, day.count.touched["pods"]) for day in report.days}
    assert days == {"2026-03-02": (3, 2), "2026-03-03": (2, 1)}


def test_each_finding_at_its_own_time(written: Callable[..., PolicySet]) -> None:
    """A finding of last month is decided upon as it was then: it is not too old."""
    (report,) = replayed(written(policy("delete_pod")), finding(1)).report().policies
    assert report.total.acts == {"delete_pod": 1}


def test_an_unseen_target_is_held(written: Callable[..., PolicySet]) -> None:
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


def test_related_findings_raise_the_confidence(written: Callable[..., PolicySet]) -> None:
    """Another threat on the same pod within the hour before raises the confidence of the later finding."""
    added = next(row for row in catalogue() if row.name == "added_binary_executed")
    alone = replace(finding(1, minutes=200), category=added.category)
    beside = replace(finding(2, minutes=30), category=added.category)
    when = "{threat: added_binary_executed, confidence: likely}"
    policies = written(policy("notify", when=when).replace("\n  {", " {"))
    report = replayed(policies, finding(3, minutes=1), beside, alone).report()
    assert report.policies[0].total.matched == 1


def test_findings_of_other_sources_are_left_alone(written: Callable[..., PolicySet]) -> None:
    """What the deployment would refuse is counted, not decided upon."""
    report = replayed(written(policy("notify")), finding(1), sources={"2"}).report()
    assert (report.matched, report.left_alone) == (0, {"source_not_allowed": 1})


ONE = "protected: {namespaces: [kube-system]}\nlimits: {namespace: [{most: 1, within: 10m}], owner: []}\n"
STORMY = "protected: {namespaces: [kube-system]}\nstorm_breaker: {targets: 2}\nlimits: {owner: [], namespace: []}\n"


def workloads(count: int) -> list[Finding]:
    """A finding each minute, each about a pod of a workload of its own."""
    return [finding(number, pod=f"web{number}-6d5f9c7b4-aaaaa", minutes=number) for number in range(1, count)]


def pods(count: int, minutes: int = 0) -> list[Finding]:
    """A finding each minute, each about a pod of its own."""
    return [finding(number, pod=f"web-6d5f9c7b4-aaaa{number}", minutes=minutes + number) for number in range(1, count)]


def test_limits_come_in_time_order(written: Callable[..., PolicySet]) -> None:
    """What comes first takes the room; what is held touches nobody, and a later window has room again."""
    findings = [*pods(4), finding(5, pod="web-6d5f9c7b4-bbbbb", minutes=30)]
    (report,) = replayed(written(policy("label_pod", "delete_pod"), guardrails=ONE), *findings).report().policies
    assert report.total.acts == {"label_pod": 4, "delete_pod": 2}
    assert report.total.held == {"delete_pod: limit_namespace": 2}


@pytest.mark.parametrize("mode", ["dry_run", "approve", "enforce"])
def test_limits_in_every_mode(written: Callable[..., PolicySet], mode: str) -> None:
    """A policy that only rehearses is told what would be held if it acted."""
    (report,) = replayed(written(policy("delete_pod", mode=mode), guardrails=ONE), *pods(4)).report().policies
    assert report.total.held == {"delete_pod: limit_namespace": 2}


@pytest.mark.parametrize(
    ("reset_after", "acts", "trips"),
    [(None, 2, 1), (timedelta(minutes=1), 4, 1), (timedelta(hours=2), 2, 1)],
    ids=["never", "soon", "late"],
)
def test_a_storm_stops_all_actions(
    written: Callable[..., PolicySet], reset_after: timedelta | None, acts: int, trips: int
) -> None:
    """After too much at once nothing acts in the cluster, until a person is supposed to have reset its breaker."""
    policies = written(policy("label_pod", "delete_pod", "notify"), guardrails=STORMY)
    findings = [*workloads(5), finding(9, pod="web-6d5f9c7b4-bbbbb", minutes=60)]
    report = replayed(policies, *findings, reset_after=reset_after).report()
    (trip,) = report.trips
    assert (report.tripped, trip.at, trip.detail) == (
        trips,
        T0 + timedelta(minutes=3),
        "targets of 3 workloads planned within 10m, of at most 2",
    )
    assert (trip.scope, trip.budget) == ("cluster", "disruption")
    total = report.policies[0].total
    assert (total.acts["delete_pod"], total.acts["notify"]) == (acts, 5)


def test_clusters_have_breakers_of_their_own(written: Callable[..., PolicySet]) -> None:
    """A storm in one cluster holds nothing in another."""
    plain = sample_finding(SHELL)
    assert plain.cluster is not None
    elsewhere = replace(plain.cluster, name="prod-2")
    findings = [*workloads(5), finding(9, pod="web-6d5f9c7b4-bbbbb", minutes=9, cluster=elsewhere)]
    report = replayed(written(policy("delete_pod"), guardrails=STORMY), *findings).report()
    assert report.policies[0].total.acts == {"delete_pod": 3}


def test_no_limit_hides_a_wider_policy(written: Callable[..., PolicySet]) -> None:
    """What is new but for a limit that is reached already widens, and is told apart from what would show."""
    shop = policy("delete_pod", when="{threat: reverse_shell, namespace: shop}").replace("\n  {", " {")
    rails = ONE.replace("namespace: [{most: 1, within: 10m}]", "cluster: [{most: 1, within: 10m}], namespace: []")
    former, wider = written(shop, name="former", guardrails=rails), written(policy("delete_pod"), guardrails=rails)
    findings = [finding(1), finding(2, namespace="bank")]
    found = replayed(wider, *findings, former=former).comparison(T0.date())
    assert found is not None
    assert (found.counts, found.widens) == ({"added_behind_limits": 1}, True)
    assert [(item.target.namespace, item.behind_limits) for item in found.differences] == [("bank", True)]
    back = replayed(former, *findings, former=wider).comparison(T0.date())
    assert back is not None
    assert (back.counts, back.widens) == ({"removed_behind_limits": 1}, False)


def test_a_raised_limit_widens(written: Callable[..., PolicySet]) -> None:
    """Whoever is touched because there is more room is newly touched."""
    former = written(policy("delete_pod"), name="former", guardrails=ONE)
    more = written(policy("delete_pod"), guardrails=ONE.replace("most: 1", "most: 2"))
    found = replayed(more, *pods(4), former=former).comparison(T0.date())
    assert found is not None
    assert (found.counts, found.widens) == ({"added": 1}, True)


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
def test_changes_count_by_target_and_action(
    written: Callable[..., PolicySet], *, after: list[str], counts: dict[str, int], raised: list[str], widens: bool
) -> None:
    """What a change adds and takes away is by target and action, whichever policy does it."""
    former = written(policy("label_pod"), name="former")
    found = replayed(written(*after), finding(1), finding(2), former=former).comparison(T0.date())
    assert found is not None
    assert (found.counts, [item.policy for item in found.raised], found.widens) == (counts, raised, widens)


def test_new_targets_are_named_and_widen(written: Callable[..., PolicySet]) -> None:
    """A policy that reaches more targets widens, and each is named with action, policy and mode."""
    former = written(
        policy("label_pod", when="{threat: reverse_shell, namespace: shop}").replace("\n  {", " {"), name="a"
    )
    found = replayed(written(policy("label_pod")), finding(1), finding(2, namespace="bank"), former=former).comparison(
        T0.date()
    )
    assert found is not None
    (item,) = found.differences
    assert (item.kind, item.target.shown, item.action) == (
        "added",
        "Pod bank/web-6d5f9c7b4-x2x9q in prod-1",
        "label_pod",
    )
    assert (item.policy, item.before, item.after, found.widens) == ("contain", "", "enforce", True)


def test_a_raised_mode_widens_unmet_policies(written: Callable[..., PolicySet]) -> None:
    """A raised mode widens, also of a policy that met no finding, and by a raised ceiling."""
    before, after = policy("label_pod", mode="dry_run"), policy("label_pod")
    met = replayed(written(after, name="b"), finding(1), former=written(before, name="a")).comparison(T0.date())
    unmet = replayed(written(after, name="b"), former=written(before, name="a")).comparison(T0.date())
    rails = "protected: {namespaces: [kube-system]}\nmax_mode: dry_run\n"
    ceiling = replayed(written(after, name="b"), former=written(after, name="c", guardrails=rails)).comparison(
        T0.date()
    )
    assert met is not None
    assert (met.counts, met.widens) == ({"raised": 1}, True)
    for found in (met, unmet, ceiling):
        assert found is not None
        assert [(item.policy, item.before, item.after) for item in found.raised] == [("contain", "dry_run", "enforce")]
        assert found.widens


def test_too_many_to_tell_apart(written: Callable[..., PolicySet]) -> None:
    """Where targets could not all be told apart, a change is taken to widen, and counts are said to be too low."""
    replay = Replay(written(policy("label_pod")), written(policy("label_pod"), name="former"))
    replay._known._most = 3
    for number in range(1, 5):
        found = finding(number, pod=f"web-6d5f9c7b4-zzzz{number}")
        replay.add(found, told(found))
    comparison = replay.comparison(T0.date())
    assert comparison is not None
    assert (comparison.counts, comparison.widens, replay.report().complete) == ({}, True, False)
