"""An account on a terminal, by `rich` where it is installed (extra `desk`); else as plain text."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from scc_responder.cli.terminal.terminal import styled
from scc_responder.entrypoint.console.account_text import answer_text
from scc_responder.journal.account.account_links import AccountLink
from scc_responder.journal.account.answers import KNOWLEDGE, QUESTIONS, Account, Answer, Knowledge, Question
from scc_responder.journal.account.inert_text import inert

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_LEFT_OUT = frozenset({Question.DONE, Question.NOT_DONE, Question.LEFT_TO_DO})
"""What stands above: the case's own steps, its plan, and what is to do."""


def print_account(account: Account) -> None:
    """Print what `case show` does not say of itself: the target, what is felt, and the links."""
    answers = [answer for answer in account.answers if answer.question not in _LEFT_OUT]
    if not (sys.stdout.isatty() and _print_rich(answers, account.links)):
        print("\n".join(_plain(answers, account.links)))


def _plain(answers: Iterable[Answer], links: Iterable[AccountLink]) -> Iterator[str]:
    for answer in answers:
        title, *lines = answer_text(answer)
        yield from ("", styled(title, "bold"), *lines)
    yield from ("", styled("Links", "bold"))
    yield from (f"  {inert(link.title)}: {link.url or f'none: {link.why}'}" for link in links)


def _print_rich(answers: Sequence[Answer], links: Sequence[AccountLink]) -> bool:
    """Print it by `rich`; False where that is not installed. Nothing is taken for its markup, nor highlighted."""
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra, and a tenth of a second
        from rich.text import Text  # noqa: PLC0415
    except ImportError:
        return False
    console = Console(markup=False, highlight=False, emoji=False)
    for answer in answers:
        said = KNOWLEDGE[answer.knowledge]
        colour = "bold" if answer.knowledge is Knowledge.KNOWN else "bold yellow"
        console.print()
        console.print(Text(QUESTIONS[answer.question], style=colour))
        if said:
            console.print(Text(f"  {said}: {inert(answer.why)}", style="dim"))
        rows = [(inert(line.name), Text(inert(line.text), overflow="fold")) for line in answer.lines]
        console.print(_table(rows))
    console.print()
    console.print(Text("Links", style="bold"))
    for link in links:
        # Where a terminal has no links, the address is there to be copied.
        shown = Text(f"  {inert(link.title)}", style=f"link {link.url}" if link.url else "")
        console.print(shown.append(f"\n    {link.url or f'none: {link.why}'}", style="dim"), soft_wrap=True)
    return True


def _table(rows: Iterable[tuple[str, Text]]) -> Table:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table.grid(padding=(0, 2), expand=False)
    table.add_column(style="dim", overflow="fold", max_width=16)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(Text(f"  {name}"), text)
    return table
