"""Cases as text: what waits, how long, and what to type."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.cli.case.case_text import answered, case, case_list, urgency
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.entrypoint.console.answer_client import FunctionAnswer
from scc_responder.journal.case import CaseRecord, Closing, PersonsMark, PersonsWord, WordKind
from scc_responder.journal.listed_cases import Unreadable
from scc_responder.journal.plan import Approval, AskedStep, PersonsRequest, Plan, PlanState, PlanStep, RequestKind
from scc_responder.journal.step import Step
from scc_responder.journal.watch.watch import Look, LookNote, Watch

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLAN = Plan(
    state=PlanState.WAITING,
    digest="d" * 64,
    policy_digest="p",
    created_at=NOON,
    expires_at=NOON + timedelta(minutes=30),
    needed=2,
    approvals=(Approval(by="ann@example.com", at=NOON),),
    steps=(
        PlanStep(
            policy="contain",
            action="label_pod",
            changes=({"change": "patch_object", "labels": {"a": "b"}, "namespace": ""},),
        ),
    ),
)
RECORD = CaseRecord(
    finding_key="0a" * 32,
    finding_name="organizations/1/sources/1/findings/f",
    event_time=NOON,
    digest="d",
    updated_at=NOON,
    category="Reverse Shell",
    state=CaseState.WAITING,
    reason="waiting_for_approval",
    decision={"pod": {"namespace": "shop", "name": "web-1", "uid": "u", "node": "n"}},
    plan=PLAN,
    steps=(Step(action_id="a", policy="", action="notify", status=StepStatus.DONE, reason="published", detail="m1"),),
)


def test_a_list_has_a_line_for_each_case() -> None:
    """What waits says how long; what cannot be read comes last, and why."""
    done = replace(RECORD, finding_key="0b" * 32, state=CaseState.DONE, reason="done", plan=None)
    unreadable = Unreadable(finding_key="0c" * 32, reason="record_newer", why="schema 3, of 2")
    lines = list(case_list([RECORD, done], NOON, [unreadable]))
    assert [line.split()[:2] for line in lines] == [["0a" * 6, "waiting"], ["0b" * 6, "done"], ["0c" * 6, "unreadable"]]
    assert "expires in 30 min, at 12:30:00 UTC" in lines[0]
    assert "schema 3, of 2" in lines[2]
    assert list(case_list([], NOON)) == ["There are no such cases."]


def test_what_needs_a_person_comes_first() -> None:
    """What waits, then what went wrong, then what is held; all else is as urgent as anything that is over."""
    found = sorted(CaseState, key=urgency)
    assert found[:3] == [CaseState.WAITING, CaseState.PARTIAL, CaseState.HELD]
    assert len({urgency(state) for state in found[3:]}) == 1


def test_a_long_state_keeps_its_distance() -> None:
    """The columns stand below each other."""
    records = [replace(RECORD, plan=None, state=state) for state in (CaseState.DONE, CaseState.NOTHING_MATCHED)]
    assert len({line.index("Reverse Shell") for line in case_list(records, NOON)}) == 1


def test_a_waiting_case_says_what_to_type() -> None:
    """The plan, who approved it, each change without what is empty, and the commands."""
    text = "\n".join(case(RECORD, NOON))
    assert "approved  1 of 2 needed: ann@example.com at 12:00:00" in text
    assert "asked for by policy contain" in text
    assert 'change patch_object, labels {"a": "b"}' in text
    assert "namespace ," not in text
    assert "shop/web-1, UID u, on n" in text
    assert "To do exactly this:  scc-responder case approve" in text
    assert "published  m1" in text


@pytest.mark.parametrize(
    ("changes", "now", "told"),
    [
        ({}, NOON + timedelta(hours=1), "expires   expired"),
        ({"state": PlanState.REJECTED, "reason": "rejected", "by": "bob", "said": "no"}, NOON, "rejected by bob no"),
        ({"after": "the pod changed"}, NOON, "the plan before it is void: the pod changed"),
    ],
)
def test_an_ended_plan_says_why(changes: dict[str, Any], now: datetime, told: str) -> None:
    """What has expired or was answered cannot be approved any more."""
    text = "\n".join(case(replace(RECORD, plan=replace(PLAN, **changes)), now))
    assert told in text
    assert ("To do exactly this" in text) is ("after" in changes)


@pytest.mark.parametrize(
    ("verb", "status", "taken", "told"),
    [
        ("approve", 200, True, "approval taken"),
        ("reject", 200, True, "rejected; nothing of the plan is done"),
        ("approve", 200, False, "not known to be taken"),
        ("reject", 204, False, "not known to be taken"),
        ("approve", 404, False, "no such address"),
        ("approve", 405, False, "something else at this address"),
        ("approve", 409, False, "answered, expired or changed"),
        ("approve", 418, False, "not taken: the function answered 418"),
        ("approve", 500, False, "not known to be taken"),
        ("approve", 504, False, "not known to be taken"),
    ],
)
def test_each_answer_is_put_in_words(verb: str, status: int, taken: bool, told: str) -> None:
    """What became of it, and what to do."""
    untold = FunctionAnswer(status=status).is_untold
    assert told in answered(verb, "c", status, taken=taken, untold=untold)


SEVERED = Step(
    action_id="c",
    action="sever_connections",
    status=StepStatus.DONE,
    epoch=1,
    containment="severed",
    contained_at=NOON + timedelta(seconds=2.25),
)
ISOLATED = replace(SEVERED, action="isolate_pod", containment="isolated", contained_at=None)
REACHED: list[Any] = [
    (SEVERED, "severed: no connection is left, and no new one is possible; 2.2 s from event to containment"),
    (ISOLATED, "isolated: no new connection is possible; established ones may go on"),
]


@pytest.mark.parametrize(("step", "text"), REACHED)
def test_a_case_says_how_far_it_is_contained(step: Step, text: str) -> None:
    """In the word of the record, with what it means, and only where it is one with the time."""
    record = replace(RECORD, state=CaseState.DONE, reason="planned", plan=None, steps=(step,))
    (said,) = (line for line in case(record, NOON) if "  threat " in line)
    assert said.split(None, 1)[1] == text
    assert next(case_list([record], NOON)).endswith(step.containment)
    assert not any("  threat " in line for line in case(RECORD, NOON))


def test_an_approval_says_that_a_switch_holds_it() -> None:
    """It is not used up: what it waits for is named."""
    told = answered("approve", "c", 200, taken=True, reason="mode_lowered_by:control_policy")
    assert "approval taken; it waits (mode_lowered_by:control_policy): see `scc-responder control show`" in told
    assert "says what came of it" in answered("approve", "c", 200, taken=True, reason="done")


def test_what_no_look_sees_is_said() -> None:
    """As the last look that was made has it, with the reason: nobody takes it for looked at."""
    note = LookNote(about="frozen", reason="only_in_container", detail="whether they are still stopped")
    seen = Look(at=NOON, unseen=(note,), noted=(LookNote(about="web-2", reason="deployed_since", detail="gets 5 %"),))
    watch = Watch(since=NOON, looks=(Look(at=NOON), seen, Look(at=NOON, unread="timeout")))
    lines = list(case(replace(RECORD, watch=watch), NOON))
    assert [line.split(None, 1)[1] for line in lines if line.startswith("  unseen ")] == [
        "frozen: only_in_container (only a container of ours in the pod could tell); whether they are still stopped"
    ]
    assert any(line.endswith("UTC: as it was left; web-2: deployed_since, gets 5 %") for line in lines)


def test_a_persons_words_are_shown() -> None:
    """Who said it, when, why and until when; and the responder takes nothing back."""
    word = PersonsWord(kind=WordKind.EXEMPTED, by="ann", at=NOON, said="a load test", until=NOON + timedelta(hours=1))
    mark = PersonsMark(is_wrong=True, by="bob", at=NOON)
    assert next(case_list([replace(RECORD, word=word)], NOON)).endswith("exempted")
    assert not next(case_list([replace(RECORD, word=word)], NOON + timedelta(hours=2))).endswith("exempted")
    asked = AskedStep(
        policy="contain", action="delete_pod", reason="limit_namespace", by="ann", said="it mines", at=NOON
    )
    told = "\n".join(case(replace(RECORD, plan=None, asked=asked), NOON))
    assert "asked     delete_pod, which limit_namespace held, by ann: it mines. The next sweep plans it" in told
    back = Step(action_id="b", policy="", action="label_pod", status=StepStatus.DONE, reason="undone", undoes="a:0")
    text = "\n".join(case(replace(RECORD, word=word, mark=mark, steps=(*RECORD.steps, back)), NOON))
    assert "word      exempted by ann, 2026-03-02 12:00 UTC: a load test, until 2026-03-02 13:00 UTC" in text
    assert "marked    wrong by bob, 2026-03-02 12:00 UTC\n" in text
    lines = [line.split("  ") for line in text.splitlines() if line.startswith(("  label_pod", "  notify"))]
    assert [line[-1] for line in lines] == ["the responder", "by a person"]


def test_what_was_taken_back_before_is_shown() -> None:
    """Below the steps of now, with the word by which it was done."""
    word = PersonsWord(kind=WordKind.UNDONE, by="ann", at=NOON, said="a \x1b[2J load test")
    back = Step(action_id="b", policy="", action="label_pod", status=StepStatus.DONE, reason="undone", undoes="a:0")
    undone = Closing(state=CaseState.DONE, epoch=0, word=word, taken_back=(back,))
    plain = Closing(state=CaseState.HELD, epoch=0)
    lines = list(case(replace(RECORD, history=(plain, undone, replace(undone, word=None))), NOON))
    assert [line for line in lines if line.startswith("Taken back before")] == [
        "Taken back before  undone by ann, 2026-03-02 12:00 UTC: a \\u001b[2J load test",
        "Taken back before",
    ]
    assert lines[-1].startswith("  label_pod         done         undone  by a person")


def test_a_held_case_says_what_to_do() -> None:
    """First what a person finds out, then the command with the case's own names; once for each command."""
    step = Step(
        action_id="a", policy="contain", action="delete_pod", status=StepStatus.HELD, reason="limit_owner", epoch=1
    )
    held = replace(RECORD, state=CaseState.HELD, reason="limit_owner", plan=None, steps=(step, step))
    lines = list(case(held, NOON))
    at = lines.index("To do")
    assert lines[at + 1 : at + 3] == [
        "  find out whether the attack is real, and goes on",
        f"    scc-responder case do {'0a' * 6} delete_pod --reason 'WHY'",
    ]
    assert "\n".join(lines).count("case do") == 1


def test_a_case_without_a_command_says_so() -> None:
    """Where nothing gets on with it, `case show` does not name itself."""
    held = replace(RECORD, state=CaseState.HELD, reason="pod_replaced", plan=None, steps=())
    lines = list(case(held, NOON))
    assert lines[lines.index("To do") + 1 :] == ["  no command gets on with it: respond by hand"]


@pytest.mark.parametrize("state", [CaseState.DONE, CaseState.WAITING, CaseState.OPEN])
def test_nothing_is_to_do_where_nothing_is_left(state: CaseState) -> None:
    """A plan says by itself how it is answered; an open case is gone on with."""
    assert "To do" not in list(case(replace(RECORD, state=state), NOON))


DONE_STEP = Step(action_id="a", policy="contain", action="label_pod", status=StepStatus.DONE, epoch=1)
WHY = {
    "done": (DONE_STEP, CaseState.DONE, ""),
    "held": (replace(DONE_STEP, status=StepStatus.HELD, reason="limit_owner"), CaseState.HELD, "limit_owner"),
    "failed": (replace(DONE_STEP, status=StepStatus.FAILED, reason="not_verified"), CaseState.PARTIAL, "not_verified"),
}


@pytest.mark.parametrize(("step", "state", "why"), WHY.values(), ids=WHY)
def test_a_case_says_what_of_its_plan_was_not_done(step: Step, state: CaseState, why: str) -> None:
    """That something was planned tells nobody anything; a list says which pod each case is about, too."""
    decision = {"pod": {"namespace": "shop", "name": "web-1"}}
    record = replace(RECORD, state=state, reason="planned", plan=None, steps=(step,), decision=decision)
    (line,) = case_list([record], NOON)
    assert re.split(" {2,}", line)[-2:] == (["shop/web-1", why] if why else ["Reverse Shell", "shop/web-1"])
    assert f"  state     {state} {why}".rstrip() in case(record, NOON)


def test_a_case_says_what_a_person_asked_for() -> None:
    """Until the next sweep has done it."""
    request = PersonsRequest(kind=RequestKind.TRY, at=NOON, state=CaseState.HELD)
    (told,) = (line for line in case(replace(RECORD, plan=None, request=request), NOON) if "  asked " in line)
    assert told.endswith("that it is tried again, 2026-03-02 12:00 UTC. The next sweep does it")
