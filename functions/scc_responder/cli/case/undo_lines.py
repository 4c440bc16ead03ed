"""What an undo says of each step: as lines for a person, and as JSON data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import visible
from scc_responder.pipeline.undo.undo import Undone

MAX_SAID = 500


def undo_lines(cases: Sequence[str], undone: Sequence[Undone], most: int = MAX_SAID) -> Iterator[str]:
    """One line for each step: its action, what comes of it, and in at most so many characters why."""
    if not undone:
        yield f"{Reason.NOTHING_TO_UNDO}: {Reason.NOTHING_TO_UNDO.meaning}"
        return
    yield styled(f"cases  {', '.join(cases)}", "dim")
    for each in undone:
        color = "green" if each.is_good and each.item.inverse else "yellow"
        shown = styled(f"{each.result.reason:<17}", color)
        case = styled(f"  {case_id(each.item.key)}", "dim") if len(cases) > 1 else ""
        why = visible(each.result.detail or each.result.reason.meaning, most)
        yield f"  {visible(each.item.step.action):<17} {shown} {why}{case}"


def undo_facts(undone: Undone) -> dict[str, Any]:
    """One step as JSON data."""
    step, result = undone.item.step, undone.result
    facts = {"case": case_id(undone.item.key), "action": step.action, "target_uid": step.expected_uid}
    return {**facts, "status": str(result.status), "reason": result.reason, "detail": result.detail}
