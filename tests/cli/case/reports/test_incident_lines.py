"""An account with its incident: the other cases of it and what is linked with it, each cut and counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from scc_responder.cli.case.reports.incident_lines import incident_size, with_incident
from scc_responder.domain.finding import case_id
from scc_responder.entrypoint.console.incidents import incidents
from scc_responder.journal.account.account import account_of
from scc_responder.journal.account.answers import Account, Question
from scc_responder.journal.case import CaseRecord
from tests.kits.journal_worlds import START


def made(number: int, uid: str, **decision: Any) -> CaseRecord:
    pod = {"uid": uid, "namespace": "shop", "name": "web-1", "node": "n1", "workload": ""}
    return CaseRecord(
        finding_key=f"{number:012x}{'0' * 52}",
        finding_name="f",
        category="Reverse Shell",
        event_time=START + timedelta(minutes=number),
        digest="d",
        cluster="C",
        decision={"policy_digest": "p", "pod": pod, "subject": {"about": [f"pod {uid}"]}, **decision},
    )


def lines(account: Account, question: Question) -> list[str]:
    answer = next(each for each in account.answers if each.question is question)
    return [f"{line.name}: {line.text}" for line in answer.lines if line.name.startswith(("incident", "left"))]


def test_each_line_stands_where_a_person_looks_for_it() -> None:
    """Under what ran, the incident; under where, the node; under who else runs it, the image and in which clusters."""
    record, sibling, neighbour = made(1, "u1", images=["sha256:aa"]), made(2, "u1"), made(3, "u2", images=["sha256:aa"])
    account = with_incident(account_of(record), record, [sibling, neighbour])
    own, other = case_id(record.finding_key), case_id(neighbour.finding_key)
    size = f"1 case, in C, {START + timedelta(minutes=3):%Y-%m-%d %H:%M} UTC"
    ran = f"incident {own}: case {case_id(sibling.finding_key)}: Reverse Shell: shop/web-1 in C; open"
    assert lines(account, Question.WHAT_RAN) == [ran]
    assert lines(account, Question.WHERE) == [f"incident {other}: the same node is also in it: {size}"]
    assert lines(account, Question.SAME_DIGEST) == [f"incident {other}: the same image runs also there: {size}"]


def test_a_case_alone_adds_nothing() -> None:
    """Its account is what it was."""
    record = made(1, "u1")
    assert with_incident(account_of(record), record, []) == account_of(record)


def test_a_storm_is_cut_and_counted() -> None:
    """Twenty cases are named, and it is said how many are not."""
    record, *others = [made(number, "u1") for number in range(1, 27)]
    told = lines(with_incident(account_of(record), record, others), Question.WHAT_RAN)
    assert (len(told), told[-1]) == (21, "left out: 5 more")
    assert incident_size(incidents([record, *others])[0]).startswith("26 cases, in C, ")
