"""One small case from claim to close, run as a program of its own so that it can be killed: STORE EFFECTS.

STORE is a file, or `firestore://...` on the emulator that FIRESTORE_EMULATOR_HOST names.
EFFECTS is the world: a file to which each action appends a line, once, unless its line is there already (the probe).
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.clock import utc_now
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.journal import Journal
from scc_responder.journal.step import Step
from tests.kits.failpoints import FailingStore, Failpoints
from tests.kits.journal_worlds import finding

ACTIONS = ("label_pod", "isolate_pod")


def carry_out(case: ClaimedCase, action: str, effects: Path, points: Failpoints) -> None:
    """The step protocol: intent, probe, apply, outcome."""
    earlier = case.record.step(action)
    if earlier and earlier.is_settled:
        return
    if earlier is None:
        case.save(Step(action_id=action, action=action))
    if action not in effects.read_text().split():
        with points.around(action), effects.open("a") as file:
            file.write(f"{action}\n")
    case.save(Step(action_id=action, action=action, status=StepStatus.DONE))


def _opened(store: str) -> SqliteStore | FirestoreStore:
    if store.startswith("firestore:"):
        return FirestoreStore(store, emulator=os.environ["FIRESTORE_EMULATOR_HOST"])
    return SqliteStore(store)


def main(store: str, effects: str) -> str:
    # The lease has no length, so that a later delivery need not wait for it to run out.
    opened, points = _opened(store), Failpoints()
    claim = Journal(FailingStore(opened, points), utc_now, lease=timedelta(0)).claim(finding())
    if claim.case:
        for action in ACTIONS:
            carry_out(claim.case, action, Path(effects), points)
        claim.case.close(CaseState.DONE)
    opened.close()
    return claim.outcome.value


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
