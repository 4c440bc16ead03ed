"""What a person can do now about a case: each command once, with the case's own names."""

from __future__ import annotations

from scc_responder.domain.reasons.remedies import Remedy
from scc_responder.domain.status import StepStatus
from scc_responder.journal.step import Step
from scc_responder.journal.to_do import to_do

CASE, PLACE = "0123456789ab", "projects/example-project/locations/europe-west1/clusters/prod-1"


def step(action: str, reason: str, status: StepStatus = StepStatus.HELD) -> Step:
    return Step(action_id=f"a-{action}", policy="contain", action=action, status=status, reason=reason)


def test_each_command_is_said_once() -> None:
    """Two steps that one breaker holds are one reset; what another step has to be done for says nothing."""
    steps = [step("isolate_pod", "storm_breaker"), step("delete_pod", "storm_breaker"), step("notify", "needs_x")]
    reset = f"scc-responder breaker reset --cluster {PLACE} --reason 'WHY' --store STORE"
    assert [*to_do(steps, CASE, PLACE)] == [reset, f"scc-responder case resume {CASE} --apply"]


def test_a_step_is_named_in_its_command() -> None:
    """So is its policy, and the case by which a person exempted it."""
    found = to_do([step("delete_pod", "limit_owner"), step("isolate_pod", f"exempt:{CASE}")], CASE, PLACE)
    asked, ended, *_ = found
    assert asked == f"scc-responder case do {CASE} delete_pod --reason 'WHY'"
    assert ended == f"scc-responder control clear --exemption {CASE} --reason 'WHY' --store STORE"
    assert found[asked] is Remedy.DO


def test_what_was_done_needs_nothing() -> None:
    """Nor what was rehearsed; what failed does, and the end of a case without such steps."""
    done = [step("isolate_pod", "isolated", StepStatus.DONE), step("notify", "dry_run", StepStatus.DRY_RUN)]
    assert to_do(done, CASE, PLACE) == {}
    assert [*to_do(done, CASE, "", "cluster_paused")] == ["kubectl annotate namespace default scc-responder/mode-"]
    failed = [step("isolate_pod", "quota_exceeded", StepStatus.FAILED)]
    assert [*to_do(failed, CASE, PLACE, "partial")] == [f"scc-responder case resume {CASE} --apply"]


def test_what_a_person_did_not_get_back_is_not_tried_again() -> None:
    """A refused undo is no step that a case left undone: `case undo` said what stands in its way."""
    refused = Step(action_id="u", action="isolate_pod", status=StepStatus.FAILED, reason="undo_refused", undoes="a/0")
    assert to_do([refused], CASE, PLACE) == {}
