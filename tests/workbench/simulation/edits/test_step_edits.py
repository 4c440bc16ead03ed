"""Edits of steps: a value that does more, less to wait for, another order, and a step that kept a mode low."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scc_responder.actions import actions
from scc_responder.policy.guardrails import Ceiling, Guardrails, Protected
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.simulation.edits.step_edits import step_edits

RAILS = Guardrails(protected=Protected())
DECLARED = {
    "allow_standalone": (False, True),
    "allow_daemonset": (False, True),
    "allow_last_replica": (False, True),
    "close_default_url": (False, True),
    "identity": ("proved", "likely"),
    "grace_period_seconds": (30, 5),
}
"""Of each parameter that says which way widens, a value, and one that does more."""
VALUES: dict[str, tuple[Any, Any]] = {
    "to": ("payments-team", "shop-team"),
    **DECLARED,
    "release_after": ("24h", ""),
    "labels": ({"scc-responder/a": "1"}, {}),
    "annotations": ({"scc-responder/a": "1"}, {}),
}


def steps(*texts: str, mode: str = "enforce") -> Policy:
    """A policy of these steps: `delete_pod needs=capture_evidence`, `label_pod stop`."""
    then = []
    for text in texts:
        action, *words = text.split()
        needs = [word.removeprefix("needs=") for word in words if word.startswith("needs=")]
        then.append({"action": action, "needs": needs, "on_failure": "stop" if "stop" in words else "continue"})
    return msgspec.convert(
        {"name": "p", "description": "d", "owner": "o", "mode": mode, "when": {}, "then": then}, Policy
    )


def told(before: Policy, after: Policy, rails: Guardrails = RAILS) -> list[tuple[str, bool]]:
    """Each edit by its field, and whether it widens."""
    return [(edit.field, edit.widens) for edit in step_edits(before, after, rails)]


def of_parameter(action: str, name: str, before: Any, after: Any) -> list[tuple[str, bool]]:
    """What is told where one parameter differs."""
    first, second = (
        msgspec.structs.replace(
            steps(action), then=(msgspec.structs.replace(steps(action).then[0], parameters={name: value}),)
        )
        for value in (before, after)
    )
    return told(first, second)


@pytest.mark.parametrize(
    ("action", "name"), [(name, field) for name, each in actions().items() for field in each.params.__struct_fields__]
)
def test_every_parameter_is_told(action: str, name: str) -> None:
    """Towards the value with which it does most it widens, from there it does not; of others any change widens."""
    before, after = VALUES[name]
    field = f"then.{action}.with.{name}"
    assert of_parameter(action, name, before, after) == [(field, True)]
    assert of_parameter(action, name, after, before) == [(field, name not in DECLARED)]


def test_between_the_ends_of_a_parameter() -> None:
    """A number nearer to the one that does most widens; of texts in between it is not known."""
    field = "then.cordon_node.with.release_after"
    assert of_parameter("cordon_node", "release_after", "24h", "12h") == [(field, True)]
    assert of_parameter("delete_pod", "grace_period_seconds", 5, 6) == [
        ("then.delete_pod.with.grace_period_seconds", False)
    ]


@pytest.mark.parametrize(
    ("before", "after", "edits"),
    [
        (["label_pod"], ["label_pod"], []),
        (["label_pod"], ["label_pod", "isolate_pod"], [("then.isolate_pod", True)]),
        (
            ["label_pod"],
            ["label_pod", "capture_logs", "notify"],
            [("then.capture_logs", False), ("then.notify", False)],
        ),
        (["label_pod", "isolate_pod"], ["isolate_pod"], [("then.label_pod", False)]),
        (["label_pod", "isolate_pod"], ["isolate_pod", "label_pod"], [("then", True)]),
        (["capture_logs", "isolate_pod"], ["isolate_pod", "capture_logs"], [("then", False)]),
        (
            ["capture_evidence", "delete_pod"],
            ["delete_pod", "capture_evidence"],
            [("then.delete_pod.waits_for", True), ("then", False)],
        ),
        (
            ["capture_evidence", "delete_pod"],
            ["delete_pod"],
            [("then.capture_evidence", False), ("then.delete_pod.waits_for", True)],
        ),
        (
            ["capture_logs", "isolate_pod needs=capture_logs"],
            ["capture_logs", "isolate_pod"],
            [("then.isolate_pod.needs", True), ("then.isolate_pod.waits_for", True)],
        ),
        (
            ["capture_evidence", "delete_pod needs=capture_evidence"],
            ["capture_evidence", "delete_pod"],
            [("then.delete_pod.needs", True)],
        ),
        (
            ["label_pod", "isolate_pod"],
            ["label_pod", "isolate_pod needs=label_pod"],
            [("then.isolate_pod.needs", False)],
        ),
        (
            ["label_pod stop", "isolate_pod"],
            ["label_pod", "isolate_pod"],
            [("then.label_pod.on_failure", False), ("then.isolate_pod.waits_for", True)],
        ),
        (["label_pod", "isolate_pod"], ["label_pod stop", "isolate_pod"], [("then.label_pod.on_failure", False)]),
        (["label_pod stop", "notify"], ["label_pod", "notify"], [("then.label_pod.on_failure", False)]),
        (
            ["label_pod stop", "isolate_pod"],
            ["label_pod", "isolate_pod needs=label_pod"],
            [("then.label_pod.on_failure", False), ("then.isolate_pod.needs", False)],
        ),
    ],
)
def test_what_a_change_waits_for(before: list[str], after: list[str], edits: list[tuple[str, bool]]) -> None:
    """By its needs, its nature and the chain before it: less of these widens, more does not."""
    assert told(steps(*before), steps(*after)) == edits


NO_DELETION = Guardrails(
    protected=Protected(), ceilings=(Ceiling(name="c", max_mode="approve", actions=("delete_pod",)),)
)
SERVING = Guardrails(protected=Protected(), keep_serving=("shop/Deployment/web",))


@pytest.mark.parametrize(
    ("before", "after", "rails", "widens"),
    [
        (["label_pod", "delete_pod"], ["label_pod"], RAILS, False),
        (["label_pod", "delete_pod"], ["label_pod"], NO_DELETION, True),
        (["capture_logs", "delete_pod"], ["capture_logs"], NO_DELETION, False),
        (["label_pod", "cordon_node"], ["label_pod"], NO_DELETION, False),
        (["label_pod", "isolate_pod"], ["label_pod"], SERVING, True),
        (["cut_ingress", "scale_to_zero"], ["cut_ingress"], RAILS, True),
    ],
)
def test_a_step_that_kept_the_mode_low(before: list[str], after: list[str], rails: Guardrails, widens: bool) -> None:
    """A ceiling of one action holds for all that its policy does: without the action the rest goes further."""
    assert told(steps(*before), steps(*after), rails) == [(f"then.{before[1]}", widens)]
    assert told(steps(*before, mode="approve"), steps(*after, mode="approve"), rails) == [(f"then.{before[1]}", False)]


def test_a_step_that_is_held_more_often_lifts_a_ceiling_too() -> None:
    """Where the deletion is held, the ceiling of deletions holds no more, and the rest goes further."""
    before, after = (
        msgspec.structs.replace(policy, then=(policy.then[0], msgspec.structs.replace(policy.then[1], parameters=each)))
        for policy, each in zip([steps("label_pod", "delete_pod")] * 2, ({"identity": "likely"}, {}), strict=True)
    )
    assert told(before, after) == [("then.delete_pod.with.identity", False)]
    assert told(before, after, NO_DELETION) == [("then.delete_pod.with.identity", True)]


def test_steps_of_one_action_are_told_apart() -> None:
    """By their parameters first: one that is gone is not taken for one that was edited."""
    first, second = (
        msgspec.convert(
            {"action": "label_pod", "with": {"labels": {"scc-responder/a": value}}}, type(steps("notify").then[0])
        )
        for value in "12"
    )
    both, one = (msgspec.structs.replace(steps("notify"), then=then) for then in ((first, second), (second,)))
    assert told(both, one) == [("then.label_pod", False)]
    assert told(one, both) == [("then.label_pod", True)]
