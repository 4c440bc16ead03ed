"""An account as plain text. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.journal.account.about_target import meaning_of
from scc_responder.journal.account.answers import KNOWLEDGE, QUESTIONS, Account, Answer
from scc_responder.journal.account.inert_text import inert
from scc_responder.journal.contained import MEANINGS

PLAN_WAITS = "a plan waits for an answer"
# A case that is done keeps the word of its plan, which is carried out by now.
_STATES: dict[tuple[str, str], str] = {
    (CaseState.WAITING, Reason.PLANNED): PLAN_WAITS,
    (CaseState.DONE, Reason.PLANNED): "",
}


def account_text(account: Account) -> Iterator[str]:
    """The whole account, line by line."""
    yield account_heading(account)
    yield from (f"  {name:<10} {text}" for name, text in head_facts(account))
    for answer in account.answers:
        yield ""
        yield from answer_text(answer)
    yield ""
    yield "Links"
    yield from (f"  {inert(link.title)}: {link.url or f'none: {link.why}'}" for link in account.links)
    yield ""
    yield "Commands"
    for command in account.commands:
        yield f"  {inert(command.why)}"
        yield f"    {command.line}"


def account_heading(account: Account) -> str:
    """What the case is about, in a line."""
    return inert(" ".join(filter(None, (account.severity, account.confidence, account.category or account.finding))))


def head_facts(account: Account) -> Iterator[tuple[str, str]]:
    """What stands under the heading, by name."""
    said = _STATES.get((account.state, account.reason), meaning_of(account.reason))
    yield "state", inert(": ".join(filter(None, (account.state, said))))
    meaning = "".join(f": {said}" for word, said in MEANINGS.items() if word == account.containment)
    seconds = "" if account.contained_seconds is None else f", {account.contained_seconds:.1f} s after the event"
    reached = f"{account.containment}{meaning}{seconds}" if account.containment else ""
    yield "contained", inert(reached) or "no: nothing that was read back says so"
    yield "confidence", inert(account.confidence or "not known")
    yield "event", f"{account.event_time:%Y-%m-%d %H:%M:%S} UTC"
    yield "case", account.case
    yield "finding", inert(account.finding)


def answer_text(answer: Answer) -> Iterator[str]:
    """One question with its answer."""
    said = KNOWLEDGE[answer.knowledge]
    yield QUESTIONS[answer.question] + (f": {said}: {inert(answer.why)}" if said else "")
    yield from (f"  {inert(line.name)}: {inert(line.text)}" for line in answer.lines)
