"""What a step must pass before its request: what refuses it, in which order, and what is written then."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scc_responder.collect.confirm import Settled
from scc_responder.domain.errors import RetryableError
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.execute.execution import RESPONDER, Execution, Task
from scc_responder.execute.gate import Gate, Withheld, refuse_disabled
from scc_responder.guard.kill_switch import KillSwitchCeiling
from scc_responder.guard.limiter import cluster_key
from scc_responder.guard.limits.ledger_document import Breaker, Ledger
from scc_responder.journal.case import action_id
from scc_responder.journal.plan import Plan, PlanState
from tests.kits.decision_contexts import POD, REF
from tests.kits.executions import ExecutionWorld, task
from tests.kits.journal_worlds import START, JournalWorld, step

APPROVED = Plan(digest="d", policy_digest="p", steps=(), created_at=START, expires_at=START, state=PlanState.USED)
TARGET = action_id("delete_pod", REF.path, POD.uid, "")


def gate(execution: Execution, wanted: Task, *, withheld: Reason | None = None, dry_run: bool = False) -> Gate:
    return Gate(execution=execution, task=wanted, withheld=withheld, dry_run=dry_run)


def answer(asked: Gate) -> str:
    """The kind and reason of what the gate raises; empty where the step may be carried out."""
    try:
        asked.intend()
    except (Withheld, Settled, RetryableError) as error:
        return f"{type(error).__name__} {error.reason}"
    return ""


def written(journal: JournalWorld) -> list[str]:
    """The keys of what the gate wrote, beside the case itself, and the case's steps."""
    keys = [entry.key.rpartition("/")[0] for prefix in ("ledger/", "reservation/") for entry in scan(journal, prefix)]
    return keys + [f"{item.action} {item.status}" for item in journal.record().steps]


def scan(journal: JournalWorld, prefix: str) -> Any:
    return journal.sqlite.scan(prefix).entries


A, E = Mode.APPROVE, Mode.ENFORCE
LOWERED = "Withheld mode_lowered_by:control"
CONTROL: dict[str, tuple[Task, Mode, str]] = {
    "enforce under enforce": (task(), E, ""),
    "enforce under approve": (task(), A, LOWERED),
    "enforce under dry run": (task(), Mode.DRY_RUN, LOWERED),
    "dry run under dry run": (task(mode=Mode.DRY_RUN), Mode.DRY_RUN, ""),
    "observation under approve": (task("capture_evidence"), A, ""),
    "observation under dry run": (task("capture_evidence"), Mode.DRY_RUN, ""),
    "the responder's message under dry run": (task("notify", policy=RESPONDER), Mode.DRY_RUN, ""),
    "the responder's message once disabled": (
        task("notify", policy=RESPONDER),
        Mode.DISABLED,
        "Settled control_disabled",
    ),
    "anything once disabled": (task(mode=Mode.DRY_RUN), Mode.DISABLED, "Settled control_disabled"),
    "unapproved": (task(mode=A), E, "Withheld waiting_for_approval"),
    "observation in mode approve": (task("capture_evidence", A), E, ""),
}


@pytest.mark.parametrize(("wanted", "mode", "expected"), CONTROL.values(), ids=CONTROL)
def test_the_kill_switch_is_asked_before_each_step(
    world: JournalWorld, wanted: Task, mode: Mode, expected: str
) -> None:
    """A step runs in no further mode than the switch allows at this moment; a refused one writes nothing."""
    execution = ExecutionWorld(journal=world, mode=mode).execution()
    assert answer(gate(execution, wanted)) == expected
    assert not expected or written(world) == []


def test_an_approved_step_may_be_carried_out(world: JournalWorld) -> None:
    """Its case carries the plan that a person approved, and the plan is in use."""
    execution = ExecutionWorld(journal=world).execution()
    execution.case.keep(msgspec.structs.replace(execution.case.record, plan=APPROVED))
    assert answer(gate(execution, task(mode=A))) == ""


def test_an_intent_takes_the_outcomes_before_it_along(world: JournalWorld) -> None:
    """One write has the last step's outcome and this one's intent, with what the change is bound to."""
    execution = ExecutionWorld(journal=world).execution()
    execution.pending.append(step(7))
    world.store.writes = 0
    assert answer(gate(execution, task("capture_evidence"))) == ""
    assert (world.store.writes, execution.pending) == (1, [])
    assert answer(gate(execution, task())) == ""
    first, second, third = world.record().steps
    assert (first, second.action) == (step(7), "capture_evidence")
    assert (third.status, third.expected_uid, third.policy, third.epoch) == ("intent", POD.uid, "contain", 1)


def test_a_dry_run_writes_nothing(world: JournalWorld) -> None:
    """No intent, no reservation and no place of a limit; outcomes stay for the next write."""
    execution = ExecutionWorld(journal=world).execution()
    execution.pending.append(step(7))
    world.store.writes = 0
    assert answer(gate(execution, task(mode=Mode.DRY_RUN), dry_run=True)) == ""
    assert (world.store.writes, written(world), execution.pending) == (0, [], [step(7)])


def test_what_is_withheld_says_why(world: JournalWorld) -> None:
    """The caller's own reason comes before every other one."""
    execution = ExecutionWorld(journal=world, mode=Mode.DISABLED).execution()
    withheld = gate(execution, task(), withheld=Reason.HELD_BEFORE_RESUMED)
    assert answer(withheld) == "Withheld held_before_resumed"


@pytest.mark.parametrize(("seconds", "expected"), [(0, ""), (-1, "RetryableError out_of_time")])
def test_no_step_starts_too_late(world: JournalWorld, seconds: float, expected: str) -> None:
    """A later delivery does the rest, and finds nothing reserved or counted for it."""
    execution = ExecutionWorld(journal=world, seconds=seconds).execution()
    assert answer(gate(execution, task())) == expected
    assert not expected or written(world) == []


def test_what_cannot_be_undone_is_reserved_once(world: JournalWorld) -> None:
    """A delivery reserves the deletion of one pod with one write, for all the changes that it takes."""
    execution = ExecutionWorld(journal=world).execution()
    for index in range(2):
        assert answer(gate(execution, task(index=index))) == ""
    assert [entry.key for entry in scan(world, "reservation/")] == [f"reservation/{TARGET}"]
    assert execution.reserved == {"id-of-delete_pod"}


def test_what_another_finding_did_is_withheld(world: JournalWorld) -> None:
    """Another finding has deleted the same pod: this one neither deletes it nor takes a place of a limit."""
    other = world.held(key="0b" * 32)
    other.reserve(TARGET, step(1).action_id)
    done = msgspec.structs.replace(step(1), status=StepStatus.DONE, change={"change": "delete_pod"})
    other.close(CaseState.DONE, "", done)
    execution = ExecutionWorld(journal=world).execution()
    assert answer(gate(execution, task())) == "Withheld reserved_by_other_finding"
    assert written(world) == ["reservation"]


def test_a_full_limit_withholds_the_step(world: JournalWorld) -> None:
    """One of the four pods of a workload was disrupted: no other one is, in a dry run neither; it may be observed."""
    executions = ExecutionWorld(journal=world)
    assert answer(gate(executions.execution(), task())) == ""
    other = {"uid": "44444444-4444-4444-8444-444444444444"}
    another = executions.execution(world.held(key="0b" * 32), pod=other)
    assert answer(gate(another, task(action_id="b"))) == "Withheld limit_owner"
    assert answer(gate(another, task(action_id="b"), dry_run=True)) == "Withheld limit_owner"
    assert answer(gate(another, task("capture_evidence"))) == ""


def test_a_tripped_breaker_withholds_what_disrupts(world: JournalWorld) -> None:
    """Marks and evidence disrupt nothing: no breaker holds them."""
    breaker = Breaker(tripped_at=START, detail="11 pods", paging_since=START, told_at=START)
    world.store.create(cluster_key(REF.path), msgspec.json.encode(Ledger(cluster=REF.path, breaker=breaker)))
    execution = ExecutionWorld(journal=world).execution()
    for action in ("isolate_pod", "cordon_node", "delete_pod"):
        assert answer(gate(execution, task(action))) == "Withheld storm_breaker"
    for action in ("label_pod", "annotate_pod", "thaw_process", "capture_evidence"):
        assert answer(gate(execution, task(action))) == ""


def test_only_a_disabled_switch_ends_a_delivery() -> None:
    """The case is held with its finding as it was read, so that a person can let it continue."""
    for mode in Mode:
        if mode is not Mode.DISABLED:
            refuse_disabled(KillSwitchCeiling(mode=mode))
    with pytest.raises(Settled) as caught:
        refuse_disabled(KillSwitchCeiling(mode=Mode.DISABLED))
    assert (caught.value.state, caught.value.reason) == ("held", "control_disabled")
