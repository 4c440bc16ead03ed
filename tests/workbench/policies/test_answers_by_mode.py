"""What happens to a threat at each mode, alone and where related findings raise its confidence."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.mode import Mode
from scc_responder.intake.threats import CONFIDENCES, catalogue
from scc_responder.workbench.policies.answers_by_mode import (
    TRIED_MODES,
    ModeAnswer,
    StepAnswer,
    answers_by_mode,
)
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.responder import SHIPPED, policy, write_policies

BY_NAME = {row.name: row for row in catalogue()}
RAILS = "protected: {namespaces: [shop]}\n"


@pytest.fixture(scope="module")
def shipped() -> dict[str, tuple[ModeAnswer, ...]]:
    """Those of the shipped policies."""
    return answers_by_mode(catalogue(), load_policies(SHIPPED))


def told(answers: tuple[ModeAnswer, ...], mode: Mode, *, raised: bool = False) -> dict[str, str]:
    """What becomes of each action."""
    found = next(one for one in answers if one.mode is mode and one.raised is raised)
    return {step.action: step.answer for step in found.steps}


def test_each_threat_has_an_answer_for_each_mode(shipped: dict[str, tuple[ModeAnswer, ...]]) -> None:
    """Alone, and for each confidence that related findings can raise it to."""
    for row in catalogue():
        higher = CONFIDENCES[CONFIDENCES.index(row.confidence) :]
        expected = [(mode, confidence, confidence != row.confidence) for confidence in higher for mode in TRIED_MODES]
        assert [(one.mode, one.confidence, one.raised) for one in shipped[row.name]] == expected


def test_only_enforce_changes_anything_unasked(shipped: dict[str, tuple[ModeAnswer, ...]]) -> None:
    """In dry_run changes are rehearsed, in approve they wait; what only observes is done in all modes."""
    for answers in shipped.values():
        for one in answers:
            changing = {step.answer for step in one.steps if not actions()[step.action].observes}
            allowed = {
                Mode.DRY_RUN: {StepAnswer.REHEARSED},
                Mode.APPROVE: {StepAnswer.ASKED},
                Mode.ENFORCE: {StepAnswer.DONE, StepAnswer.ASKED},
            }[one.mode]
            assert changing <= allowed | {StepAnswer.HELD, StepAnswer.SKIPPED}


def test_a_shell_in_a_pod(shipped: dict[str, tuple[ModeAnswer, ...]]) -> None:
    """The pod is isolated by enforce alone, and the evidence kept by each."""
    answers = [told(shipped["reverse_shell"], mode) for mode in TRIED_MODES]
    assert [one["isolate_pod"] for one in answers] == ["rehearsed", "asked", "done"]
    assert [one["capture_evidence"] for one in answers] == ["done", "done", "done"]


def test_a_raised_threat_is_answered_further(shipped: dict[str, tuple[ModeAnswer, ...]]) -> None:
    """Bad practice beside another threat has its processes frozen, alone not."""
    answers = shipped["added_library_loaded"]
    assert "freeze_process" not in told(answers, Mode.ENFORCE)
    assert told(answers, Mode.ENFORCE, raised=True)["freeze_process"] == "done"


def test_guardrails_hold_in_every_mode(tmp_path: Path) -> None:
    """What is protected stays so, with the reason; the policy's own mode does not matter."""
    folder = write_policies(tmp_path / "policies", policy("isolate_pod", mode="dry_run"), guardrails=RAILS)
    answers = answers_by_mode([BY_NAME["reverse_shell"]], load_policies(folder))["reverse_shell"]
    assert {step.reason for one in answers for step in one.steps} == {"namespace_protected"}
    assert {step.answer for one in answers for step in one.steps} == {StepAnswer.HELD}


def test_a_disabled_policy_answers_nothing(tmp_path: Path) -> None:
    """Only what somebody switched on is tried in other modes."""
    folder = write_policies(tmp_path / "policies", policy("isolate_pod", mode="disabled"), guardrails=RAILS)
    answers = answers_by_mode([BY_NAME["reverse_shell"]], load_policies(folder))["reverse_shell"]
    assert [one.steps for one in answers] == [()] * len(answers)


def test_the_furthest_of_several_policies_is_told(tmp_path: Path) -> None:
    """One that may isolate the pod wins over one that may not."""
    narrow = policy("isolate_pod", "notify", name="narrow")
    loaded = load_policies(write_policies(tmp_path / "policies", narrow, policy("isolate_pod", name="wide")))
    both = answers_by_mode([BY_NAME["reverse_shell"]], loaded)["reverse_shell"]
    one = answers_by_mode([BY_NAME["reverse_shell"]], replace(loaded, policies=loaded.policies[:1]))["reverse_shell"]
    assert told(both, Mode.ENFORCE) == told(one, Mode.ENFORCE) == {"isolate_pod": "done", "notify": "done"}
