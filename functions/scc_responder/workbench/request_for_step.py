"""A person asks for one step that a limit, a breaker or its age held: it becomes a plan like any other. Pure.

Nothing is done by asking. The case is opened again, and the next sweep plans the step anew (`guard.asked_step`).
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.words import Trait
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.again.persons_request import asked_of, open_for_sweep
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Transition
from scc_responder.journal.messages import modes_of
from scc_responder.journal.plan import AskedStep, RequestKind
from scc_responder.journal.step import Step


def ask_for(record: CaseRecord, is_held: bool, *, action: str, by: str, said: str, now: datetime) -> Transition:
    """Reopen the case for this step alone; the next sweep plans it. A `journal.TransitionRule`, but for the names.

    Refused with 409: `case_in_progress`, `still_open`, `plan_waits`, `no_step_to_ask_for`.
    """
    step = _held_step(record, action)
    refused = _refused(record, step, is_held=is_held)
    if refused or step is None:
        return Transition(reason=refused or Reason.NO_STEP_TO_ASK_FOR, status=409)
    asked = AskedStep(policy=step.policy, action=action, reason=step.reason, by=by, said=said, at=now)
    opened = replace(open_for_sweep(asked_of(record, RequestKind.STEP, now)), asked=asked)
    return Transition(reason=Reason.ASKED_BY_PERSON, status=204, record=opened)


def _refused(record: CaseRecord, step: Step | None, *, is_held: bool) -> Reason | None:
    if is_held or record.state is CaseState.OPEN:
        return Reason.CASE_IN_PROGRESS if is_held else Reason.STILL_OPEN
    if record.plan and record.plan.is_pending:
        return Reason.PLAN_WAITS
    return None if step else Reason.NO_STEP_TO_ASK_FOR


def _held_step(record: CaseRecord, action: str) -> Step | None:
    """The step that may be asked for. One whose policy would only rehearse it may not."""
    modes = modes_of(record.decision)
    acting = {name for name, mode in modes.items() if capped(Mode(mode), Mode.APPROVE) == Mode.APPROVE}
    steps = (step for step in record.current_steps if step.action == action and step.policy in acting)
    return next((step for step in steps if step.status is StepStatus.HELD and _yields(record, step)), None)


def _yields(record: CaseRecord, step: Step) -> bool:
    """Whether a person may have it done: also where the plan that was asked for came to nothing."""
    reason = Reason.read(step.reason)
    again = record.asked is not None and record.asked.means(step.policy, step.action)
    return again or (reason is not None and Trait.YIELDS in reason.traits)
