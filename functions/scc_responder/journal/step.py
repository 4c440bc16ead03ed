"""One step of a case as stored: a change of an action, and what became of it. Pure."""

from __future__ import annotations

from typing import Any

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import FrozenProcess, StepStatus
from scc_responder.domain.value import AwareDatetime, Value

FOR_SWEEP = (Reason.DELETION_AWAITED, Reason.BUDGET_AWAITED, Reason.WARMING_UP)
"""Why a step, and with it an open case, is left to a sweep from its `due_at` on; the first says more of a case."""

UNDONE = frozenset({Reason.UNDONE_BY_OTHERS, Reason.FOUGHT_OVER})
"""Why a step is held that was made before."""


class Step(Value, frozen=True, kw_only=True):
    """One change of one action. (action_id, index) names it; a settled one is never carried out again.

    `change` is the change as data, `expected_uid` the object it is bound to, `reason` a snake_case word. `epoch` is the
    claim under which its intent was last written. `answers` counts the equal answers in a row by which the API server
    itself refused the object (`ApiError.is_about_object`). `containment` (empty, or one of `Containment`),
    `contained_at`, `due_at`, `frozen`, `left` and `unknown` are those of `Result`. An earlier version leaves them out.
    `undoes` is the name of the step that a person took back with this one.
    `extra` holds fields that this version does not know.
    """

    action_id: str
    index: int = 0
    policy: str = ""
    action: str = ""
    status: StepStatus = StepStatus.INTENT
    reason: str = ""
    detail: str = ""
    expected_uid: str = ""
    change: dict[str, Any] = {}
    epoch: int = 0
    answers: int = 0
    containment: str = ""
    contained_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    frozen: tuple[FrozenProcess, ...] = ()
    left: str = ""
    unknown: str = ""
    intended_at: AwareDatetime | None = None
    settled_at: AwareDatetime | None = None
    undoes: str = ""
    extra: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """What tells it from the other steps of its case: `ACTION_ID/INDEX`."""
        return f"{self.action_id}/{self.index}"

    @property
    def is_settled(self) -> bool:
        """Whether its outcome is known."""
        return self.status not in {StepStatus.INTENT, StepStatus.UNKNOWN}

    @property
    def is_awaited(self) -> bool:
        """Whether it was carried out, and a sweep has to look what came of it."""
        return self.reason == Reason.DELETION_AWAITED

    @property
    def comes_again(self) -> bool:
        """Whether a sweep goes on with it: it is awaited, or is tried again."""
        return self.reason in FOR_SWEEP

    @property
    def is_undone(self) -> bool:
        """Whether it was made, and others took away what it did."""
        return self.reason in UNDONE

    @property
    def is_warming_up(self) -> bool:
        """Whether it waits for the warm-up of its policy: then it is planned anew."""
        return self.reason == Reason.WARMING_UP

    @property
    def is_so_already(self) -> bool:
        """Whether there was nothing to do because the target is as it should be."""
        reason = Reason.read(self.reason)
        return self.status is StepStatus.SKIPPED and reason is not None and reason.is_already

    @property
    def is_left_out(self) -> bool:
        """Whether this deployment goes without what it takes."""
        reason = Reason.read(self.reason)
        return self.status is StepStatus.NOT_POSSIBLE and reason is not None and reason.is_left_out
