"""Who else runs the image of a case: what the other cases of its store say. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from scc_responder.domain.finding import case_id
from scc_responder.journal.account.about_target import digests_of, facts_of
from scc_responder.journal.account.answers import Account, AccountLine, Answer, Knowledge, Question
from scc_responder.journal.case import CaseRecord

_MOST_CASES = 20


def with_same_digest(account: Account, record: CaseRecord, others: Sequence[CaseRecord]) -> Account:
    """The account, and in it the other cases that name a digest of this one's images."""
    digests = set(digests_of(record, facts_of(record)[0]))
    same = [other for other in others if digests & set(digests_of(other, facts_of(other)[0]))]
    answers = tuple(_answered(each, same) if _is_asked(each) else each for each in account.answers)
    return replace(account, answers=answers)


def _is_asked(answer: Answer) -> bool:
    return answer.question is Question.SAME_DIGEST and answer.knowledge is Knowledge.NOT_ASKED


def _answered(answer: Answer, same: Sequence[CaseRecord]) -> Answer:
    lines = [AccountLine(name=f"case {case_id(one.finding_key)}", text=other_case(one)) for one in same[:_MOST_CASES]]
    if len(same) > _MOST_CASES:
        lines.append(AccountLine(name="left out", text=f"{len(same) - _MOST_CASES} more cases"))
    told = (*answer.lines, *lines) or (AccountLine(name="answer", text="no other case of the store names this digest"),)
    return Answer(question=answer.question, lines=told)


def other_case(record: CaseRecord) -> str:
    """What another case is about, where, and how far it is."""
    pod, run = record.decision.get("pod") or {}, record.decision.get("cloud_run") or {}
    where = f"{pod.get('namespace')}/{pod.get('name')} in {record.cluster}" if pod else str(run.get("name", ""))
    return f"{record.category}: {where or record.cluster or 'nowhere that was read'}; {record.state}"
