"""`label_pod`: the labels that it sets, and which it may not."""

from __future__ import annotations

import pytest

from scc_responder.actions import AllowedKeys, Skip
from scc_responder.actions.label_pod import LabelPodParams
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.policy_files.rule_mistakes import parameter_mistakes
from tests.kits.decision_contexts import POD_TARGET, plan

ALWAYS = {"scc-responder/case": "0a" * 6, "scc-responder/case-" + "0a" * 6: ""}


def test_case_and_uid_are_always_labeled() -> None:
    """The policy's own labels come beside them, bound to the UID that was read."""
    own = {"scc-responder/threat": "x"}
    assert plan("label_pod", {"labels": own}) == [PatchObject(kind="Pod", **POD_TARGET, labels={**ALWAYS, **own})]


def test_a_labeled_pod_is_skipped() -> None:
    """Nothing is written where every label stands already."""
    assert plan("label_pod", pod={"labels": {**ALWAYS, "app": "web"}}) == Skip(reason=Reason.ALREADY_LABELED)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"scc-responder/threat": "x"}, ""),
        ({"example.com/team": "x"}, ""),
        ({"example.com/other": "x"}, "does not start with"),
        ({"scc-responder/case": "x"}, "is written by the responder itself"),
        ({"scc-responder/threat": "not a value"}, "is no label value"),
    ],
)
def test_only_allowed_labels_are_accepted(labels: dict[str, str], told: str) -> None:
    """A key is ours or listed in the guardrails, never one that the responder goes by; a value is one of Kubernetes."""
    allowed = AllowedKeys(labels=("example.com/team",))
    found = list(parameter_mistakes(LabelPodParams(labels=labels), allowed, ("with",)))
    assert [(told in mistake.text, mistake.path) for mistake in found] == [(True, ("with", "labels"))] * bool(told)
