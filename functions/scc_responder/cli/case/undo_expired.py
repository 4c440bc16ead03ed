"""`case undo --expired`: uncordon each node whose cordon has a time that is over. A person types it, or a scheduler."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from scc_responder.cli.case.odd_records import report_unreadable
from scc_responder.cli.case.stored_cases import stored_cases
from scc_responder.cli.case.undo_lines import undo_facts, undo_lines
from scc_responder.cli.terminal.terminal import visible_lines
from scc_responder.domain.errors import RetryableError
from scc_responder.domain.finding import case_id
from scc_responder.pipeline.undo.expired_cordons import expired_cordons
from scc_responder.pipeline.undo.undo import Undo
from scc_responder.workbench.undo.undo_services import UndoServices

_NONE = "no cordon whose time is over stands"


def undo_expired(services: UndoServices, options: argparse.Namespace) -> int:
    """Take them back, or say that it would. 0 if all can be or were, also where there is none; else 1.

    A case that a delivery works on is named, and left to the next time.
    """
    facts: list[dict[str, Any]] = []
    cases = stored_cases(services.journal)
    is_good, is_any = not report_unreadable(cases.unreadable), False
    for key, names in expired_cordons(cases.records, services.clock()).items():
        asked = Undo(services, key, by=options.by, said=options.reason or "its time is over", steps=names)
        try:
            undone = asked.apply() if options.apply else asked.look()
        except RetryableError as error:
            print(f"scc-responder: case {case_id(key)}: {error.reason}: {visible_lines(str(error))}", file=sys.stderr)
            is_good = False
            continue
        facts += map(undo_facts, undone)
        is_good &= all(each.is_good for each in undone)
        is_any |= any(each.is_good for each in undone)
        if options.format != "json":
            print("\n".join(undo_lines(asked.cases, undone)))
    if options.format == "json":
        print(json.dumps({"applied": options.apply, "steps": facts}, indent=2))
    elif not facts and is_good:
        print(f"scc-responder: {_NONE}")
    elif is_any and not options.apply:
        print("\nNothing was changed. To do it: scc-responder case undo --expired --apply")
    return 0 if is_good else 1
