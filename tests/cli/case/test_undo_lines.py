"""What an undo says of each step, for people and for programs."""

from __future__ import annotations

from scc_responder.cli.case.undo_lines import undo_facts, undo_lines
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, undo_refused
from scc_responder.journal.step import Step
from scc_responder.pipeline.undo.taken_back import TakenBack
from scc_responder.pipeline.undo.undo import Undone

STEP = Step(action_id="id", action="cordon_node", expected_uid="u1")


def undone(result: Result, key: str = "0a" * 32) -> Undone:
    return Undone(item=TakenBack(key=key, step=STEP, inverse=None), result=result)


def test_nothing_is_a_line_too() -> None:
    """It says that no step stands."""
    assert [*undo_lines((), [])] == [f"nothing_to_undo: {Reason.NOTHING_TO_UNDO.meaning}"]


def test_each_step_has_a_line() -> None:
    """With its case where there are several; a long detail goes on below, and none of it is lost."""
    first, second = undone(done(Reason.UNDONE, "long " * 20)), undone(undo_refused("changed"), "0b" * 32)
    alone = [*undo_lines(("0a" * 6,), [first], 40)]
    assert alone[0] == f"cases  {'0a' * 6}"
    assert [line[38:] for line in alone[1:]] == [" ".join(["long"] * 8)] * 2 + [" ".join(["long"] * 4)]
    assert max(map(len, alone)) < 80
    both = [*undo_lines(("0a" * 6, "0b" * 6), [first, second])]
    assert both[2].split() == ["cordon_node", "undo_refused", "changed", "0b" * 6]


def test_a_program_reads_all_of_it() -> None:
    """Case, action, target, status, reason and detail."""
    facts = undo_facts(undone(Result(status=StepStatus.DONE, reason=Reason.UNDONE, detail="uncordoned")))
    assert facts == {
        "case": "0a" * 6,
        "action": "cordon_node",
        "target_uid": "u1",
        "status": "done",
        "reason": "undone",
        "detail": "uncordoned",
    }
