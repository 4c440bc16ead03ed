"""What a person can do now about what a case left undone. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.remedies import Remedy, place_option, remedies
from scc_responder.domain.status import StepStatus
from scc_responder.journal.step import Step

_UNDONE = frozenset({StepStatus.HELD, StepStatus.FAILED})


def to_do(steps: Sequence[Step], case: str, place: str, end: str = "") -> dict[str, Remedy]:
    """Each command once, in its order, about the steps that were held or failed.

    Where there is none, about the `end` of the case, a reason. `place` is its cluster's path, or `projects/P`.
    """
    undone = [step for step in steps if step.status in _UNDONE and not step.undoes]
    about = undone or ([Step(action_id="", reason=end)] if end else [])
    found: dict[str, Remedy] = {}
    for step in about:
        reason = Reason.read(step.reason)
        names = {"action": step.action, "policy": step.policy, "detail": reason.detail if reason else ""}
        names |= {"place": place_option(place)} if place else {}
        for remedy in remedies(step.reason):
            found.setdefault(remedy.typed(case=case, **names), remedy)
    return found
