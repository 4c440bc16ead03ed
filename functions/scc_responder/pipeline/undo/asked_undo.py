"""What came of a person's undo, in lines for that person: on this machine and from the service of its own."""

from __future__ import annotations

from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.pipeline.undo.undo import Undo, Undone

_OPENING = "nothing was done yet: the opening is what is taken back"


class UndoAnswer(Value, frozen=True, kw_only=True):
    """What came of it: `undone`, `undo_refused` where something stands that could go, or `nothing_to_undo`."""

    reason: Reason
    lines: tuple[str, ...] = ()


def answered_undo(asked: Undo, *, apply: bool) -> UndoAnswer:
    """Take it back, or say what would be taken back. Raises what `Undo.apply` and `Undo.look` do."""
    undone = asked.apply() if apply else asked.look()
    if asked.is_open_again and not any(each.item.inverse for each in undone):
        if apply:
            asked.end_opening()
        return UndoAnswer(reason=Reason.UNDONE, lines=(_OPENING,))
    if not undone:
        return UndoAnswer(reason=Reason.NOTHING_TO_UNDO)
    whole = all(each.is_good for each in undone)
    return UndoAnswer(reason=Reason.UNDONE if whole else Reason.UNDO_REFUSED, lines=tuple(map(_line, undone)))


def _line(undone: Undone) -> str:
    result = undone.result
    detail = f"; {result.detail}" if result.detail else ""
    return f"{undone.item.step.action}: {result.status}, {result.reason.meaning}{detail}"
