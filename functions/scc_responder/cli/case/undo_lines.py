"""What an undo says of each step: as lines for a person, and as JSON data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import visible
from scc_responder.pipeline.undo.undo import Undone

MAX_SAID = 500


def undo_lines(cases: Sequence[str], undone: Sequence[Undone], width: int = MAX_SAID) -> Iterator[str]:
    """Each step with its action, what comes of it, and why: in further lines where that is wider than this."""
    if not undone:
        yield f"{Reason.NOTHING_TO_UNDO}: {Reason.NOTHING_TO_UNDO.meaning}"
        return
    yield styled(f"cases  {', '.join(cases)}", "dim")
    for each in undone:
        color = "green" if each.is_good and each.item.inverse else "yellow"
        shown = styled(f"{each.result.reason:<17}", color)
        case = styled(f"  {case_id(each.item.key)}", "dim") if len(cases) > 1 else ""
        why, *more = wrap(visible(each.result.detail or each.result.reason.meaning, MAX_SAID), width) or [""]
        yield f"  {visible(each.item.step.action):<17} {shown} {why}{case}"
        yield from (f"{'':<38}{line}" for line in more)


def undo_facts(undone: Undone) -> dict[str, Any]:
    """One step as JSON data."""
    step, result = undone.item.step, undone.result
    facts = {"case": case_id(undone.item.key), "action": step.action, "target_uid": step.expected_uid}
    return {**facts, "status": str(result.status), "reason": result.reason, "detail": result.detail}
