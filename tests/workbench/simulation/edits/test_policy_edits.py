"""Edits of policies: whatever may let more be done to a target is said to widen, met by a finding or not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from scc_responder.actions import actions
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.execute.dependencies import needs
from scc_responder.guard.guard import guard
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.policy.decide import ActionResult, Decision, decide
from scc_responder.policy.guardrails import Guardrails, Protected
from scc_responder.policy.policy_set import Policy, PolicySet
from scc_responder.workbench.simulation.edits.edit import Edit
from scc_responder.workbench.simulation.edits.policy_edits import policy_edits
from scc_responder.workbench.simulation.held_steps import hold_denied
from scc_responder.workbench.simulation.impact import AffectedObject, effects
from scc_responder.workbench.simulation.replay import Replay
from tests.counts import Count
from tests.kits.responder import CLUSTER
from tests.workbench.simulation.edits.random_edits import edited_pack

TODAY = date(2026, 3, 2)
EDITED = Count("random edits of a shipped policy", 200, 2000)
CONTAIN: dict[str, Any] = {
    "name": "contain",
    "description": "For a test.",
    "owner": "secops@example.com",
    "mode": "approve",
    "when": {"threat": ["reverse_shell"], "namespace": "shop-*", "severity": "HIGH"},
    "unless": {"workload": ["DaemonSet/*"], "labels": {"tier": "db"}},
    "condition": "pod.ready",
    "then": [
        {"action": "label_pod"},
        {"action": "capture_evidence"},
        {"action": "delete_pod", "needs": ["capture_evidence"], "with": {"grace_period_seconds": 30}},
        {"action": "notify"},
    ],
    "limits": [{"most": 1, "within": "24h"}],
}


def pack(*policies: dict[str, Any], **rails: Any) -> PolicySet:
    """Policies under these guardrails."""
    found = tuple(msgspec.convert(policy, Policy) for policy in policies)
    return PolicySet(policies=found, guardrails=Guardrails(protected=Protected(), **rails), digest="")


def contain(**changes: Any) -> dict[str, Any]:
    """The policy with these parts instead."""
    return {**CONTAIN, **changes}


def shown(edit: Edit) -> str:
    """The edit in a line."""
    return f"{'WIDENS ' if edit.widens else ''}{edit.field}: {edit.before} -> {edit.after}"


LABEL, CAPTURE, DELETE, NOTIFY = CONTAIN["then"]
STEP = {"action": "delete_pod", "needs": ["capture_evidence"]}
TABLE: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"mode": "enforce"}, ["WIDENS mode: approve -> enforce"]),
    ({"mode": "dry_run"}, ["mode: approve -> dry_run"]),
    (
        {"modes": [{"mode": "enforce", "clusters": [CLUSTER]}]},
        [f"WIDENS modes: [] -> [{{'mode': 'enforce', 'clusters': ['{CLUSTER}']}}]"],
    ),
    (
        {"modes": [{"mode": "dry_run", "clusters": [CLUSTER]}]},
        [f"modes: [] -> [{{'mode': 'dry_run', 'clusters': ['{CLUSTER}']}}]"],
    ),
    (
        {"when": {"threat": "reverse_shell"}},
        ["WIDENS when.severity: HIGH -> None", "WIDENS when.namespace: shop-* -> None"],
    ),
    ({"unless": {"labels": {"tier": "db"}}}, ["WIDENS unless.workload: ['DaemonSet/*'] -> None"]),
    ({"condition": ""}, ["WIDENS condition: pod.ready -> "]),
    (
        {"condition": "pod.ready && finding.processes.size() > 0"},
        ["condition: pod.ready -> pod.ready && finding.processes.size() > 0"],
    ),
    ({"limits": []}, ["WIDENS limits: 1 pods within 24h -> None"]),
    (
        {"limits": [{"most": 1, "within": "48h"}]},
        ["limits: 1 pods within 24h -> None", "limits: None -> 1 pods within 48h"],
    ),
    (
        {"description": "Another.", "owner": "team@example.com"},
        ["description: For a test. -> Another.", "owner: secops@example.com -> team@example.com"],
    ),
    (
        {
            "then": [
                LABEL,
                CAPTURE,
                {
                    "action": "delete_pod",
                    "needs": ["capture_evidence"],
                    "with": {"grace_period_seconds": 1, "allow_last_replica": True},
                },
                NOTIFY,
            ]
        },
        [
            "WIDENS then.delete_pod.with.grace_period_seconds: 30 -> 1",
            "WIDENS then.delete_pod.with.allow_last_replica: False -> True",
        ],
    ),
    (
        {"then": [LABEL, {**DELETE, "needs": []}, NOTIFY]},
        [
            "then.capture_evidence: {} -> None",
            "WIDENS then.delete_pod.needs: ['capture_evidence'] -> []",
            "WIDENS then.delete_pod.waits_for: ['capture_evidence'] -> []",
        ],
    ),
]


@pytest.mark.parametrize(("changes", "told"), TABLE, ids=[str(index) for index in range(len(TABLE))])
def test_each_edit_names_its_field(changes: dict[str, Any], told: list[str]) -> None:
    """Each edit is told by its field, with what stood there and what stands there, and whether it widens."""
    assert [shown(edit) for edit in policy_edits(pack(CONTAIN), pack(contain(**changes)))] == told


def test_policies_that_come_and_go() -> None:
    """A new policy widens if it changes anything, one that is gone does not."""
    watch = contain(name="watch", then=[CAPTURE, NOTIFY])
    former, now = pack(CONTAIN), pack(CONTAIN, watch)
    assert [shown(edit) for edit in policy_edits(former, now)] == [
        "policy: None -> {'mode': 'approve', 'then': ['capture_evidence', 'notify']}"
    ]
    assert [(edit.policy, edit.widens) for edit in policy_edits(pack(watch), now)] == [("contain", True)]
    renamed = policy_edits(pack(CONTAIN), pack(contain(name="other")))
    assert [(edit.policy, edit.widens) for edit in renamed] == [("contain", False), ("other", False)]
    assert [(edit.policy, edit.widens) for edit in policy_edits(now, pack(watch))] == [("contain", False)]


def test_a_new_policy_that_does_no_more_than_one_from_before() -> None:
    """It widens nothing, unless it counts limits of its own beside those of the other one."""
    part = contain(
        name="part", when={**CONTAIN["when"], "threat": "reverse_shell", "namespace": "shop-1"}, mode="dry_run"
    )
    unlimited = contain(limits=[])
    assert not any(edit.widens for edit in policy_edits(pack(unlimited), pack(unlimited, {**part, "limits": []})))
    assert any(edit.widens for edit in policy_edits(pack(CONTAIN), pack(CONTAIN, part)))
    twins = (contain(name=name) for name in ("one", "two"))
    assert any(edit.widens for edit in policy_edits(pack(CONTAIN), pack(*twins)))
    other = contain(name="other", limits=[], when={"threat": "reverse_shell"})
    assert any(edit.widens for edit in policy_edits(pack(unlimited), pack(unlimited, other)))


def test_what_is_disabled_widens_nothing() -> None:
    """No edit of a policy widens that does nothing now, by its own mode or by the ceiling of all."""
    wide = contain(when={"threat": "*"}, limits=[])
    off = {**wide, "mode": "disabled"}
    assert {edit.widens for edit in policy_edits(pack(CONTAIN), pack(off))} == {False}
    assert {edit.widens for edit in policy_edits(pack(CONTAIN), pack(wide, max_mode=Mode.DISABLED))} == {False}
    assert True in {edit.widens for edit in policy_edits(pack(CONTAIN), pack(wide))}


def test_a_mode_goes_no_further_than_the_ceiling_of_all() -> None:
    """A mode that is raised beyond `max_mode` is told, and widens nothing."""
    former, now = (pack(contain(mode=mode), max_mode=Mode.APPROVE) for mode in ("approve", "enforce"))
    assert [shown(edit) for edit in policy_edits(former, now)] == ["mode: approve -> enforce"]


Affected = dict[tuple[str, AffectedObject], int]
"""The furthest mode in which an action reaches a target."""


def affected(context: Context, policies: PolicySet) -> tuple[Affected, dict[str, set[str]], dict[str, int]]:
    """What the policies do to a target, as decided; what each change waits for, and the time that a deletion gives."""
    now = context.finding.event_time + timedelta(minutes=1)
    decision = guard(context, decide(context, policies.policies), policies.guardrails, now, reach=EVERYWHERE_IN_RUN)
    found: Affected = {}
    waits: dict[str, set[str]] = {}
    grace: dict[str, int] = {}
    for policy in hold_denied(Decision(policies=tuple(each for each in decision.policies if each.matched))).policies:
        for reached in effects(context, policy):
            found[reached] = max(found.get(reached, 0), tuple(Mode).index(policy.mode))
        for item in policy.actions:
            if item.result == ActionResult.PLANNED and not actions()[item.action].observes:
                waits[item.action] = waits.get(item.action, set(needs(policy, item))) & set(needs(policy, item))
                seconds = [getattr(change, "grace_period_seconds", 0) for change in item.changes]
                grace[item.action] = min(*seconds, *seconds, grace.get(item.action, 9999))
    return found, waits, grace


def is_more_affected(context: Context, former: PolicySet, now: PolicySet) -> bool:
    """Whether anything is done to a target that was not, or goes further, or waits for less."""
    (before, waited, gave), (after, waits, gives) = (affected(context, each) for each in (former, now))
    further = any(mode > before.get(reached, -1) for reached, mode in after.items())
    sooner = any(waited[action] - waits[action] for action in waits if action in waited)
    return further or sooner or any(gives[action] < gave[action] for action in gives if action in gave)


def test_whatever_affects_a_target_more_is_told() -> None:
    """Random edits, and targets of the words of both packs and their near misses: none is more affected in silence."""
    silent, widening, felt = [], 0, 0
    for seed in range(EDITED.number):
        case = edited_pack(seed)
        replay = Replay(case.now, case.former)
        comparison = replay.comparison(TODAY)
        assert comparison is not None
        more = any(is_more_affected(context, case.former, case.now) for context in case.contexts)
        widening += comparison.widens
        felt += more
        if more and not comparison.widens:
            silent.append((seed, [shown(edit) for edit in comparison.edits]))
    assert silent == []
    assert felt > EDITED.number // 12
    assert widening < EDITED.number * 0.8


REST = {**CONTAIN, "name": "rest", "otherwise": True, "when": {"threat": "*"}, "unless": {}}


@pytest.mark.parametrize(
    ("before", "after", "widens"),
    [
        pytest.param(
            {}, {"when": {"threat": ["reverse_shell"], "namespace": "shop-a", "severity": "HIGH"}}, True, id="narrower"
        ),
        pytest.param({}, {"mode": "disabled"}, True, id="disabled"),
        pytest.param({}, {"condition": "pod.ready && pod.host_network"}, True, id="one-condition-more"),
        pytest.param({}, {"description": "More words."}, False, id="words"),
        pytest.param({"limits": []}, {}, False, id="limits"),
        pytest.param({}, {"otherwise": True}, True, id="takes-the-rest-too"),
    ],
)
def test_what_a_policy_leaves_is_taken_by_the_rest(before: dict[str, Any], after: dict[str, Any], widens: bool) -> None:
    """So it widens to answer less, where a policy that acts takes what no other answers; else it does not."""
    was, now = contain(**before), contain(**after)
    beside = policy_edits(pack(was, REST), pack(now, REST))
    assert any(edit.widens for edit in beside) is widens
    alone = policy_edits(pack(was), pack(now))
    assert any(edit.widens for edit in alone) is now.get("otherwise", False)
    assert any(edit.widens for edit in policy_edits(pack(was, REST), pack(REST)))


def test_to_take_the_rest_no_more_widens() -> None:
    """It acts beside others then."""
    assert [edit.widens for edit in policy_edits(pack(REST), pack({**REST, "otherwise": False}))] == [True]
