"""`annotate_pod`: the annotations that it sets, and which it may not."""

from __future__ import annotations

import pytest

from scc_responder.actions import AllowedKeys, Skip
from scc_responder.actions.annotate_pod import AnnotatePodParams
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.policy_files.rule_mistakes import parameter_mistakes
from tests.kits.decision_contexts import FINDING, POD_TARGET, plan

ALWAYS = {"scc-responder/finding": FINDING.canonical_name, "scc-responder/threat": "reverse_shell"}


def test_finding_and_threat_are_always_noted() -> None:
    """The policy's own annotations come beside them, bound to the UID that was read."""
    own = {"scc-responder/runbook": "r"}
    expected = [PatchObject(kind="Pod", **POD_TARGET, annotations={**ALWAYS, **own})]
    assert plan("annotate_pod", {"annotations": own}) == expected


def test_an_annotated_pod_is_skipped() -> None:
    """Nothing is written where every annotation stands already."""
    assert plan("annotate_pod", pod={"annotations": ALWAYS}) == Skip(reason=Reason.ALREADY_ANNOTATED)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("scc-responder/runbook", ""),
        ("example.com/team", ""),
        ("example.com/other", "does not start with"),
        ("scc-responder/finding", "is written by the responder itself"),
        ("scc-responder/threat", "is written by the responder itself"),
    ],
)
def test_only_allowed_annotations_are_accepted(key: str, told: str) -> None:
    """A key is ours or listed in the guardrails, never one that the responder goes by."""
    allowed = AllowedKeys(annotations=("example.com/team",))
    found = list(parameter_mistakes(AnnotatePodParams(annotations={key: "x"}), allowed, ("with",)))
    assert [(told in mistake.text, mistake.path) for mistake in found] == [(True, ("with", "annotations"))] * bool(told)
