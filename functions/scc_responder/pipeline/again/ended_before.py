"""A case that had an end before: whether a person's word still ends it, and what people are told of it."""

from __future__ import annotations

from scc_responder.collect.confirm import Settled
from scc_responder.domain.context import Context
from scc_responder.domain.notices.notice import NoticeKind
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.journal.again.reopening import opened_anew, undone_by_others
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.notices import case_notice
from scc_responder.journal.persons_word import is_about
from scc_responder.pipeline.services import Services

_WORDS = {
    WordKind.UNDONE: Reason.UNDONE,
    WordKind.REJECTED: Reason.REJECTED_BY_PERSON,
    WordKind.EXEMPTED: Reason.EXEMPTED,
}
_SAID = {
    Reason.UNDONE_BY_OTHERS: "somebody took away what the responder did; what is asked for still is done again",
    Reason.FOUGHT_OVER: "what the responder does is taken away each time: it does nothing more for this case; "
    "find out who or what does that",
}


def is_another_target(case: ClaimedCase, context: Context, services: Services) -> bool:
    """Whether the case is opened anew, as a person's word on it was about another pod than the one that was read.

    Only the cluster can tell, where the finding does not. Raises Settled where it is the same, or none was read.
    """
    word, opened_at = case.record.word, case.record.opened_at
    if word is None or opened_at is None or word.at >= opened_at:
        return False
    uids = context.run_uids | ({context.pod.uid} if context.pod else frozenset())
    if not uids or is_about(word, uids):
        raise Settled(_WORDS[word.kind], CaseState.HELD, confirmed=context.finding)
    before = case.record.opened_epoch - 1
    case.keep(opened_anew(case.record, services.clock(), before=before))
    return True


def tell_undone(record: CaseRecord, services: Services) -> Reason | None:
    """Tell people what others took away since the case was opened, and return why; None where that is nothing."""
    reason, is_news = undone_by_others(record)
    if reason is not None and is_news:
        services.notify(case_notice(NoticeKind.UNDONE_BY_OTHERS, record, reason, _SAID[reason]))
    return reason
