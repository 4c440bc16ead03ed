"""A record that a command cannot go by: it is named, with what is odd in it and what a person can do."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from scc_responder.cli.terminal.terminal import visible_lines
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.journal.listed_cases import Unreadable

_REMEDIES: dict[str, str] = {
    Reason.RECORD_NEWER: "deploy the later version again, or use its command line: see terraform/docs/upgrades.md",
    Reason.RECORD_UNREADABLE: "respond by hand, find out who writes the store besides the responder, and report this "
    "line. A newer event of the finding cannot open the case either",
}


def report_unreadable(unreadable: Sequence[Unreadable]) -> int:
    """Print on stderr which cases cannot be read, why, and what to do; 1 if there is any."""
    for item in unreadable:
        tell_unreadable(case_id(item.finding_key), item.reason, item.why)
    return 1 if unreadable else 0


def tell_unreadable(case: str, reason: str, why: str) -> None:
    """Print it of one case, by its id, or by how it was asked for."""
    text = f"case {case} cannot be read: {reason}: {why}. {remedy_for(reason)}"
    print(f"scc-responder: {visible_lines(text)}", file=sys.stderr)


def remedy_for(reason: str) -> str:
    """What a person can do about a case that cannot be read for this reason; empty for any other reason."""
    return _REMEDIES.get(reason, "")


def oddity(error: Exception) -> str:
    """What a command met in a record that it cannot go by, and where."""
    places = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    return f"the record has a part that no version writes: {type(error).__name__}: {error}{where}"
