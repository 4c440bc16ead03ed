"""What a case did and did not do; and the commands that a person may type next are commands that there are."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from msgspec.structs import replace

from scc_responder.domain.changes import stored
from scc_responder.domain.finding import case_id
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.account.about_acts import about_acts, account_commands
from scc_responder.journal.account.answers import Question
from scc_responder.journal.case import CaseRecord, PersonsMark, PersonsWord, WordKind
from scc_responder.journal.step import Step
from tests.docs.command_lines import mistakes
from tests.domain.changes.test_changes import EXAMPLES
from tests.kits.account_cases import CASES, FUNCTION
from tests.kits.hostile_accounts import THOUSAND, hostile_records
from tests.kits.journal_worlds import START

BARE = CaseRecord(finding_key="0a" * 32, finding_name="f", event_time=START, digest="d")


def said(record: CaseRecord, question: Question) -> list[str]:
    found = next(answer for answer in about_acts(record) if answer.question is question)
    return [f"{line.name}: {line.text}" for line in found.lines]


def step(name: str, action: str, status: StepStatus = StepStatus.DONE, reason: str = "") -> Step:
    change = stored(EXAMPLES[name])
    return Step(
        action_id=name,
        action=action,
        policy="p",
        status=status,
        reason=reason,
        change=change,
        epoch=1,
        settled_at=START,
    )


@pytest.mark.parametrize("name", sorted(CASES))
def test_each_command_that_is_printed_is_one_that_there_is(name: str, tmp_path: Path) -> None:
    """With its options; of the real cases, and none of them twice."""
    with CASES[name](tmp_path) as case:
        lines = [command.line for command in account_commands(case.record, FUNCTION)]
    assert {line: [*mistakes(line)] for line in lines if [*mistakes(line)]} == {}
    assert len(lines) == len(set(lines)) >= 2


@THOUSAND
@given(hostile_records())
def test_no_command_takes_a_word_of_an_attacker(made: tuple[CaseRecord, list[str]]) -> None:
    """Whoever pastes a line runs what it says: one program, without a shell's own characters."""
    for command in account_commands(made[0]):
        program, *words = shlex.split(command.line)
        assert program in {"scc-responder", "kubectl", "gcloud"}
        assert not set("".join(words)) & set(';|&$`<>()\\"\n*?~#!{}[]'), command.line


def test_a_change_that_was_made_is_felt_and_can_be_undone() -> None:
    """In plain words, once for each action; what only observes is not felt, nor taken back."""
    isolated = step("create_network_policy", "isolate_pod")
    captured = step("capture_evidence", "capture_evidence")
    made = replace(BARE, steps=(captured, isolated), state=CaseState.DONE)
    assert said(made, Question.FELT) == [
        "isolate_pod: whoever calls the pod gets no answer, nor does the pod from others"
    ]
    command = f"undo: scc-responder case undo {case_id(made.finding_key)}"
    assert any(line.startswith(command) for line in said(made, Question.LEFT_TO_DO))
    assert "case undo" in [command.line for command in account_commands(made)][-1]
    kept = replace(BARE, steps=(captured,), state=CaseState.DONE)
    assert said(kept, Question.FELT) == ["answer: nothing: nothing was changed"]
    assert "case undo" not in " ".join(command.line for command in account_commands(kept))
    back = replace(isolated, action_id="2", undoes=isolated.name)
    assert said(replace(made, steps=(isolated, back)), Question.FELT) == [
        "answer: nothing: what was changed is taken back"
    ]


def test_what_was_held_says_why_and_what_to_do() -> None:
    """The remedy is the reason's."""
    held = step("delete_pod", "delete_pod", StepStatus.HELD, "finding_too_old")
    made = replace(BARE, steps=(held,), state=CaseState.HELD, reason="finding_too_old")
    (line,) = said(made, Question.NOT_DONE)
    assert line.startswith("delete_pod: held: finding_too_old (")
    assert said(made, Question.LEFT_TO_DO)[0] == "first: find out whether the attack is real, and goes on"
    assert next(account_commands(made)).line == "scc-responder case do 0a0a0a0a0a0a delete_pod --reason 'WHY'"


def test_what_people_said_is_part_of_what_was_done() -> None:
    """Who, when, and in which words."""
    made = replace(
        BARE,
        word=PersonsWord(kind=WordKind.UNDONE, by="a@example.com", at=START, said="a load test"),
        mark=PersonsMark(is_wrong=True, by="", at=START + timedelta(minutes=1), said=""),
    )
    undone, marked = said(made, Question.DONE)
    assert undone == f"undone: {START:%Y-%m-%d %H:%M:%S} UTC, by a@example.com: a load test"
    assert marked.startswith("marked wrong: ")
    assert "nobody named" in marked


def test_a_command_with_another_word_in_it_is_left_out() -> None:
    """A record names an action that a shell would take apart: nobody can paste it."""
    step_of = Step(action_id="1", action="x; id", policy="p", status=StepStatus.HELD, reason="finding_too_old", epoch=1)
    made = replace(BARE, steps=(step_of,), state=CaseState.HELD, reason="finding_too_old")
    assert [command.line for command in account_commands(made)] == ["scc-responder case verify 0a0a0a0a0a0a"]
