"""Keep the account of a case beside its evidence, so that a bundle says by itself what it is about.

A look at a case that changed something and kept evidence leaves a note in the store: no delivery waits for it. Where no
look comes, the end of the case leaves it: it changed nothing that is looked at, was a rehearsal, or looks are off. A
sweep that resumes no case makes the account five minutes later, of the record alone: what else was to be asked again is
in it then, and what the look saw. What says the same is the same object, and no manifest that is sealed is changed.
"""

from __future__ import annotations

import msgspec

from scc_responder.collect.confirm import finding_named
from scc_responder.domain.status import CaseState
from scc_responder.execute.evidence import EvidenceItem, Moment, SourceInput, source
from scc_responder.journal.account.manifest_names import manifests_of
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.watch.looks_due import watched_steps
from scc_responder.pipeline.later.later_notes import ASKED_AFTER, LaterNote, add_evidence, answer_notes, leave_note
from scc_responder.pipeline.services import Services

ACCOUNT_NOTES = "accounts/"
_NOT_OVER = frozenset({CaseState.OPEN, CaseState.WAITING})


def note_account(record: CaseRecord, services: Services) -> None:
    """Leave a note where the case kept evidence. Raises StoreError."""
    if services.evidence is not None and manifests_of(record):
        due_at = services.clock() + ASKED_AFTER
        note = LaterNote(finding_name=record.finding_name, event_time=record.event_time, due_at=due_at)
        leave_note(ACCOUNT_NOTES, record.finding_key, note, services)


def note_unwatched(record: CaseRecord, services: Services) -> None:
    """Leave a note of a case that ends, where no look leaves one. Raises StoreError."""
    if not (services.settings.looks and watched_steps(record)):
        note_account(record, services)


def keep_accounts(services: Services) -> int:
    """Keep the accounts that are due, and return how many were kept. Raises StoreError.

    A case that is not over yet is waited for; one that is closed again later leaves another note.
    """
    if services.evidence is None:
        return 0
    from scc_responder.journal.account.account import account_of  # noqa: PLC0415 - cold start

    def keep(note: LaterNote) -> bool:
        record = services.journal.read(finding_named(note.finding_name).key)
        if record is None or record.state in _NOT_OVER:
            return False
        account = account_of(record, function_url=services.settings.function_url)
        item = EvidenceItem(kind="Account", title=account.case, content=msgspec.to_builtins(account))
        add_evidence(note, _account, (item,), services)
        return True

    return answer_notes(ACCOUNT_NOTES, LaterNote, keep, services)


@source(moment=Moment.LATE, prefix="account")
def _account(_given: SourceInput) -> tuple[EvidenceItem, ...]:
    """Nothing while a case goes on: its account is made once it is over."""
    return ()
