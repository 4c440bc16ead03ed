"""For any order and any outcomes what observes runs, and a step runs if and only if what it needs is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.actions import actions
from scc_responder.collect.confirm import Settled
from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Means, StepRun
from scc_responder.domain.errors import ResponderError, RetryableError, StoreUnavailable
from scc_responder.domain.mode import Mode
from scc_responder.domain.permissions import observes
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, Result, StepStatus
from scc_responder.execute.dependencies import needs
from scc_responder.execute.execute import execute
from scc_responder.journal.claimed_case import LostLease
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision
from scc_responder.policy.policy_set import OnFailure
from tests.kits.decision_contexts import POD
from tests.kits.executions import ExecutionWorld
from tests.kits.journal_worlds import JournalWorld

NAMES = ("label_pod", "annotate_pod", "isolate_pod", "capture_evidence", "cordon_node", "delete_pod", "notify")
AGAIN, CRASH = "again", "crash"
ENDS = (StepStatus.DONE, StepStatus.FAILED, StepStatus.TARGET_GONE, StepStatus.TARGET_REPLACED, AGAIN, CRASH)
LAST: dict[str, ResponderError] = {
    "late": RetryableError(Reason.OUT_OF_TIME),
    "unwritten": StoreUnavailable(Reason.STORE_UNAVAILABLE),
    "taken": LostLease(Reason.LEASE_LOST),
    "disabled": Settled(Reason.CONTROL_DISABLED, CaseState.HELD),
}
"""What ends a delivery at once."""
LOST = {StepStatus.TARGET_GONE, StepStatus.TARGET_REPLACED}
ran: list[str] = []


class Scripted(Change, frozen=True, kw_only=True, tag="scripted"):
    """A change that ends as the test says, and notes that it was carried out."""

    declares: ClassVar[ChangeKind] = ChangeKind(permissions=observes("pods", "get"))

    kind: str
    name: str
    end: str

    @property
    def target(self) -> ChangedObject:
        """The node that is cordoned, or the pod."""
        return ChangedObject(kind=self.kind, name="a", uid=POD.uid if self.kind == "Pod" else "n")

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """End as the test says."""
        ran.append(self.name)
        if self.end == AGAIN:
            raise RetryableError(Reason.SERVER_ERROR)
        if self.end in LAST:
            raise LAST[self.end]
        if self.end == CRASH:
            raise KeyError("metadata")
        return Result(status=StepStatus(self.end), reason=Reason.DONE)


def planned(name: str, end: str, needed: Sequence[str], *, chained: bool) -> PlannedAction:
    """One step of the policy."""
    on_failure = OnFailure.STOP if chained else OnFailure.CONTINUE
    change = Scripted(kind="Node" if name == "cordon_node" else "Pod", name=name, end=end)
    return PlannedAction(
        action=name,
        result=ActionResult.PLANNED,
        reason=Reason.PLANNED,
        changes=(change,),
        needs=tuple(needed),
        on_failure=on_failure,
    )


@st.composite
def policies(draw: st.DrawFn) -> PolicyDecision:
    """A policy with steps in any order, with any needs, chains and outcomes."""
    order = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    steps = [
        planned(
            name,
            draw(st.sampled_from(ENDS)),
            draw(st.lists(st.sampled_from(order[:index]), max_size=2, unique=True)) if index else (),
            chained=draw(st.booleans()),
        )
        for index, name in enumerate(order)
    ]
    return PolicyDecision(name="p", mode=Mode.ENFORCE, matched=True, reason=Reason.MATCHED, actions=tuple(steps))


def expected(policy: PolicyDecision) -> Iterator[str]:
    """The actions that run, by the rule as the documentation says it."""
    ended: dict[str, str] = {}
    stopped, lost = False, set()
    for index, step in enumerate(policy.actions):
        before = [item.action for item in policy.actions[:index]]
        wanted = {*step.needs, *({"capture_evidence"} & set(before) if step.action == "delete_pod" else ())}
        watches = step.action in {"capture_evidence", "notify"}
        node = step.action == "cordon_node"
        if any(ended.get(name) != StepStatus.DONE for name in wanted) or (not watches and (stopped or node in lost)):
            continue
        yield step.action
        ended[step.action] = end = step.changes[0].end  # type: ignore[attr-defined]  # it is a `Scripted`
        stopped |= step.on_failure == OnFailure.STOP and end != StepStatus.DONE
        if end in LOST:
            lost.add(node)


def carried_out(
    world: JournalWorld, policy: PolicyDecision, caught: tuple[type[Exception], ...] = (RetryableError, KeyError)
) -> bool:
    """Carry the policy out in one delivery, and say whether another one has to come."""
    ran.clear()
    execution = ExecutionWorld(journal=world).execution(world.held())
    try:
        execution.case.save(*execute(execution.context, Decision(policies=(policy,)), execution.case, execution.world))
    except caught:
        return True
    finally:
        execution.case.release()
    return False


@given(policies())
def test_a_step_runs_if_its_needs_are_done(policy: PolicyDecision) -> None:
    """Nothing else keeps it from running; the delivery has to come again if one of those that ran has to."""
    with TemporaryDirectory() as folder:
        world = JournalWorld(Path(folder, "store.db"))
        again = carried_out(world, policy)
        first = [*ran]
        ends = {step.action: step.changes[0].end for step in policy.actions}  # type: ignore[attr-defined]
        assert first == list(expected(policy))
        assert again == any(ends[name] in {AGAIN, CRASH} for name in first)
        carried_out(world, policy)
        assert {name for name in ran if name in first} == {name for name in first if ends[name] in {AGAIN, CRASH}}
        world.sqlite.close()


@pytest.mark.parametrize("end", LAST)
def test_nothing_is_done_after_the_last_moment(tmp_path: Path, end: str) -> None:
    """A process out of time, without its store, its case or leave to act begins no further step."""
    steps = tuple(planned(name, each, (), chained=False) for name, each in (("label_pod", end), ("notify", "done")))
    policy = PolicyDecision(name="p", mode=Mode.ENFORCE, matched=True, reason=Reason.MATCHED, actions=steps)
    world = JournalWorld(tmp_path / "store.db")
    with pytest.raises(type(LAST[end])):
        carried_out(world, policy, caught=())
    assert ran == ["label_pod"]
    world.sqlite.close()


NEEDS = {
    "evidence-before": (("capture_evidence", "notify", "delete_pod"), (), ("capture_evidence",)),
    "evidence-after": (("delete_pod", "capture_evidence"), (), ()),
    "named-too": (("label_pod", "capture_evidence", "delete_pod"), ("label_pod",), ("label_pod", "capture_evidence")),
    "reversible": (("capture_evidence", "isolate_pod"), (), ()),
}


@pytest.mark.parametrize(("order", "named", "expected"), NEEDS.values(), ids=NEEDS)
def test_what_ends_the_pod_needs_its_evidence(
    order: tuple[str, ...], named: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """By what actions declare of themselves, not by their names; what a step names comes first."""
    changing = [name for name in order if not actions()[name].observes]
    steps = {name: planned(name, "done", named if name == changing[-1] else (), chained=False) for name in order}
    policy = PolicyDecision(
        name="p", mode=Mode.ENFORCE, matched=True, reason=Reason.MATCHED, actions=tuple(steps.values())
    )
    assert needs(policy, steps[changing[-1]]) == expected
