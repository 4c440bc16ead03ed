"""An account as plain text. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scc_responder.journal.account.answers import KNOWLEDGE, QUESTIONS, Account, Answer
from scc_responder.journal.account.inert_text import inert


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
    yield "case", account.case
    yield "finding", inert(account.finding)
    yield "event", f"{account.event_time:%Y-%m-%d %H:%M:%S} UTC"
    yield "state", inert(" ".join(filter(None, (account.state, account.reason))))
    seconds = "" if account.contained_seconds is None else f", {account.contained_seconds:.1f} s after the event"
    yield "contained", f"{inert(account.containment)}{seconds}" if account.containment else "nothing says so"


def answer_text(answer: Answer) -> Iterator[str]:
    """One question with its answer."""
    said = KNOWLEDGE[answer.knowledge]
    yield QUESTIONS[answer.question] + (f": {said}: {inert(answer.why)}" if said else "")
    yield from (f"  {inert(line.name)}: {inert(line.text)}" for line in answer.lines)
