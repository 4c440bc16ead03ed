"""A person's mark on a case: kept there, and counted for each policy that acted, which a wrong act may lower."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.remedies import Remedy, place_option
from scc_responder.domain.store import CasStore
from scc_responder.guard.trust.error_budget import Verdict, budget_place
from scc_responder.guard.trust.marked_case import marked, verdicts
from scc_responder.guard.trust.spend import spend
from scc_responder.journal.case import CaseRecord, PersonsMark
from scc_responder.journal.journal import Journal
from scc_responder.pipeline.later.left_notices import leave_notice
from scc_responder.policy.guardrails import Guardrails


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptMark:
    """What came of a mark: whether the case took it, for which policies it counts, and which it lowered, where, why."""

    reason: Reason
    taken: bool = False
    policies: Sequence[str] = ()
    lowered: Sequence[dict[str, str]] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What it lowered, in words."""
        return tuple(f"policy {each['policy']} asks a person first in {each['place']} now" for each in self.lowered)


def kept_mark(
    store: CasStore, journal: Journal, key: str, mark: PersonsMark, *, guardrails: Guardrails, plan: str = ""
) -> KeptMark:
    """Keep the mark in the case, and count it for each policy that acted there. Raises StoreError, RetryableError.

    `plan`: the digest of the case's plan, as it was shown to the person.
    """
    transition, _ = journal.apply(key, partial(marked, mark=mark, plan=plan), leaves_line=False)
    record = transition.record
    if record is None:
        return KeptMark(reason=transition.reason)
    lowered = [*_counted(store, record, mark, guardrails)]
    policies = [policy for policy, _ in verdicts(record, mark)]
    return KeptMark(reason=transition.reason, taken=True, policies=policies, lowered=lowered)


def _counted(
    store: CasStore, record: CaseRecord, mark: PersonsMark, guardrails: Guardrails
) -> Iterator[dict[str, str]]:
    """Count the mark for each policy, and tell of those that it lowers."""
    place = budget_place(guardrails, record.cluster)
    for policy, verdict in verdicts(record, mark):
        if why := spend(store, place, policy, verdict, partial(_leave, store, verdict, place.name, policy)):
            yield {"policy": policy, "place": place.name, "why": why}


def _leave(store: CasStore, verdict: Verdict, place: str, policy: str, why: str) -> None:
    """Leave a notice: the policy asks a person first in that place, as its acts were called wrong, the case's last."""
    facts = {"reason": Reason.ERROR_BUDGET_SPENT, "place": place, "policy": policy, "detail": why, "by": verdict.by}
    notice = Notice(
        kind=NoticeKind.POLICY,
        severity=NoticeSeverity.ERROR,
        case=verdict.case,
        reason=Reason.ERROR_BUDGET_SPENT,
        labels={"policy": policy, "place": place},
        facts={**facts, "remedy": Remedy.LET_ACT.sentence(policy=policy, place=place_option(place))},
    )
    leave_notice(store, notice)
