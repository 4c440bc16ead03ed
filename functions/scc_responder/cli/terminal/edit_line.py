"""An edit of policies or guardrails as a person reads it, whichever command tells of it."""

from __future__ import annotations

import json

from scc_responder.cli.terminal.terminal import styled
from scc_responder.workbench.simulation.edits.edit import Edit


def edit_line(of: str, edit: Edit) -> str:
    """One line of what was edited. What people wrote there, and how folders are called, is escaped as JSON."""
    of, field = (json.dumps(text)[1:-1] for text in (of, edit.field))
    word, style = ("WIDENS", "red") if edit.widens else ("edited", "dim")
    return f"{styled(f'{word:<7}', style)}  {of} {styled(field, 'bold')}  {turned_text(edit)}"


def turned_text(edit: Edit) -> str:
    """What was there before, and what is there now, as JSON.

    >>> turned_text(Edit(field="max_mode", before="dry_run", after="enforce", widens=True))
    '"dry_run" -> "enforce"'
    >>> turned_text(Edit(field="protected.namespaces", before="kube-system", widens=True))
    'removed "kube-system"'
    """
    before, after = (None if value is None else json.dumps(value) for value in (edit.before, edit.after))
    if before is None or after is None:
        return f"added {after}" if before is None else f"removed {before}"
    return f"{before} -> {after}"
