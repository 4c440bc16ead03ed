"""An account as Markdown. What an attacker can write stands in code, where no renderer looks for links or mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scc_responder.cli.terminal.markdown import escaped
from scc_responder.entrypoint.console.account_text import account_heading, head_facts
from scc_responder.journal.account.account_links import AccountLink
from scc_responder.journal.account.answers import KNOWLEDGE, QUESTIONS, Account, Answer
from scc_responder.journal.account.inert_text import inert

_PLAIN = re.compile(r"[A-Za-z0-9 ]+", re.ASCII)


def account_markdown(account: Account) -> Iterator[str]:
    """The whole account, line by line."""
    yield f"# Case {account.case}"
    yield ""
    yield _code(account_heading(account))
    yield ""
    yield from (f"- {name}: {_code(text)}" for name, text in head_facts(account))
    for answer in account.answers:
        yield ""
        yield from _answer(answer)
    yield ""
    yield "## Links"
    yield ""
    yield from map(_link, account.links)
    yield ""
    yield "## Commands"
    for command in account.commands:
        yield from ("", f"{_name(command.why)}:", "", "```sh", command.line, "```")


def _answer(answer: Answer) -> Iterator[str]:
    said = KNOWLEDGE[answer.knowledge]
    yield f"## {QUESTIONS[answer.question]}"
    yield ""
    if said:
        yield f"{said.capitalize()}: {_code(inert(answer.why))}"
        yield ""
    yield from (f"- {_name(line.name)}: {_code(inert(line.text))}" for line in answer.lines)


def _link(link: AccountLink) -> str:
    title = escaped(inert(link.title))
    return f"- [{title}]({link.url})" if link.url else f"- {title}: none, {_code(inert(link.why))}"


def _name(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _code(inert(text))


def _code(text: str) -> str:
    """Inert text holds no backtick: one on either side is enough."""
    return f"`{text}`" if text.strip() else "(nothing)"
