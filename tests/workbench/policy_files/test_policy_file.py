"""What can be wrong with a policy beyond its types."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.mode import Mode
from scc_responder.policy.guardrails import Guardrails, Protected
from scc_responder.policy.limits import Limit
from scc_responder.policy.match import Match
from scc_responder.policy.policy_set import Policy, PolicyStep
from scc_responder.workbench.policy_files.policy_file import policy_mistakes

RAILS = Guardrails(protected=Protected())
FILE = Policy(
    name="contain",
    description="d",
    owner="o",
    mode=Mode.DRY_RUN,
    when=Match(threat="*"),
    then=(PolicyStep(action="capture_evidence"), PolicyStep(action="delete_pod", needs=("capture_evidence",))),
)


def told(rails: Guardrails | None = RAILS, **changes: Any) -> list[tuple[tuple[str | int, ...], str]]:
    return [(mistake.path, mistake.text) for mistake in policy_mistakes(replace(FILE, **changes), "contain", rails)]


def test_a_right_policy_has_no_mistake() -> None:
    """The one that is changed below."""
    assert told() == []
    assert told(condition='pod.namespace == "shop"', limits=(Limit(most=1, within="1h"),)) == []


def label(**labels: str) -> PolicyStep:
    return PolicyStep(action="label_pod", parameters={"labels": labels})


@pytest.mark.parametrize(
    ("changes", "path", "text"),
    [
        ({"name": "other"}, ("name",), "must be the file's own name"),
        ({"description": " "}, ("description",), "say what the policy is for"),
        ({"owner": ""}, ("owner",), "say who answers for it"),
        ({"when": Match()}, ("when",), "at least one condition"),
        ({"when": Match(threat="x")}, ("when", "threat"), "unknown threat"),
        ({"unless": Match(namespace=())}, ("unless", "namespace"), "empty"),
        ({"condition": "pod.nam"}, ("condition",), "unknown field"),
        ({"then": ()}, ("then",), "at least one action"),
        ({"then": (PolicyStep(action="delete_pods"),)}, ("then", 0, "action"), "did you mean 'delete_pod'?"),
        ({"then": (PolicyStep(action="notify"),) * 2}, ("then", 1), "is then[0] already"),
        ({"then": (PolicyStep(action="notify", needs=("x",)),)}, ("then", 0, "needs", 0), "this step is the first"),
        (
            {"then": (PolicyStep(action="notify"), PolicyStep(action="delete_pod", needs=("notfy",)))},
            ("then", 1, "needs", 0),
            "did you mean 'notify'?",
        ),
        ({"then": (label(app="web"),)}, ("then", 0, "with", "labels"), "does not start with"),
        (
            {"then": (PolicyStep(action="delete_pod", parameters={"grace": 1}),)},
            ("then", 0, "with", "grace"),
            "unknown",
        ),
        ({"limits": (Limit(most=0, within="1h"),)}, ("limits", 0, "most"), "would allow nothing"),
    ],
)
def test_a_mistake_stands_at_its_place(changes: dict[str, Any], path: tuple[Any, ...], text: str) -> None:
    """One change, one mistake."""
    ((place, said),) = told(**changes)
    assert place == path
    assert text in said


def test_unread_guardrails_refuse_no_key() -> None:
    """Which keys are allowed is not known then."""
    assert told(None, then=(label(app="web"),)) == []


def test_parameters_are_those_of_the_action() -> None:
    """They come typed, with their defaults."""
    step: Any = PolicyStep(action="delete_pod", parameters={"grace_period_seconds": 5}).params
    assert (step.grace_period_seconds, step.identity) == (5, "proved")
