"""A person's choice between the revisions of a Cloud Run service: when a case takes one, and which. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from scc_responder.collect.meant_revision import MAX_CANDIDATES
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import is_namespace
from scc_responder.domain.status import CaseState
from scc_responder.guard.resumed_case import opened_again
from scc_responder.journal.again.persons_request import asked_of
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Transition
from scc_responder.journal.plan import RequestKind

_CHOICES = frozenset({Reason.SEVERAL_REVISIONS, Reason.REVISION_GONE, Reason.REVISION_NOT_KNOWN})
"""Why a step is held until a person names the revision that is meant."""

_AT_REST = frozenset({CaseState.HELD, CaseState.WAITING, CaseState.PARTIAL})


def awaits_choice(record: CaseRecord) -> bool:
    """Whether a person may choose the revision that is meant, or another one than was chosen before."""
    return record.state in _AT_REST and any(step.reason in _CHOICES for step in record.current_steps)


def revision_candidates(record: CaseRecord) -> tuple[str, ...]:
    """The names between which the case asks to choose, newest first; empty where it knows none."""
    checks = record.decision.get("identity", {}).get("checks", {})
    return tuple(name for name in checks.get("one_revision_of", "").split(", ") if name)


def refused_choice(record: CaseRecord, revision: str) -> Reason | None:
    """Why the case does not take this choice: `invalid_revision`, `no_choice_awaited`, `revision_not_offered`."""
    if not is_namespace(revision):
        return Reason.INVALID_REVISION
    if not awaits_choice(record):
        return Reason.NO_CHOICE_AWAITED
    names = revision_candidates(record)
    # A full list may have been cut: what is not in it may be meant, too.
    is_offered = not names or revision in names or len(names) >= MAX_CANDIDATES
    return None if is_offered else Reason.REVISION_NOT_OFFERED


def choose_revision(record: CaseRecord, is_held: bool, revision: str, *, now: datetime) -> Transition:
    """Open a case again for the revision that a person chose, for a sweep to resume. A `journal.TransitionRule`.

    It is planned for that one, and people are asked anew, whatever they answered to the plan before.
    """
    asked = replace(asked_of(record, RequestKind.REVISION, now), word=None, revision=revision)
    return opened_again(record, is_held, refused_choice(record, revision), asked)
