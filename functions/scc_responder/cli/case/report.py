"""`case report`: the account of one case as text, Markdown, a page, or JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from scc_responder.cli.case.reports.account_markdown import account_markdown
from scc_responder.cli.case.reports.incident_lines import with_incident
from scc_responder.cli.case.reports.same_digest import with_same_digest
from scc_responder.cli.case.set_back import set_back
from scc_responder.cli.case.stored_cases import stored_cases
from scc_responder.cli.terminal.existing_store import existing_store, store_option
from scc_responder.cli.terminal.printed_report import print_report
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import SettingsError
from scc_responder.entrypoint.console.account_page import account_page
from scc_responder.entrypoint.console.account_text import account_text
from scc_responder.journal.account.account import account_of
from scc_responder.journal.account.answers import Account, Command
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal

FORMS = ("text", "markdown", "html", "json")


def report_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `case report`."""
    command.add_argument("case", metavar="CASE", help="the case's id, or the first digits of it")
    store_option(command)
    command.add_argument("--output", type=Path, metavar="FILE", help="write it there, not to the screen")
    url = "the function's address, for the commands that answer a plan"
    command.add_argument("--url", default="", metavar="URL", help=url)


def report_case(options: argparse.Namespace) -> int:
    """Print or write the account; 1 where a record of the store could not be read. Raises SettingsError."""
    with closing(existing_store(options.store)) as opened:
        journal = Journal(opened, utc_now)
        key = journal.find(options.case)
        cases = stored_cases(journal)
    record = next((record for record in cases.records if record.finding_key == key), None)
    if record is None:
        raise SettingsError("no_such_case", f"{options.case[:40]!a}: no such case can be read; see `case list`")
    others = [other for other in cases.records if other.finding_key != key]
    account = desk_account(record, others, options.url)
    print_report(_FORMS[options.format](account), options.output, f"the account of case {account.case}")
    return 1 if cases.unreadable else 0


def desk_account(record: CaseRecord, others: list[CaseRecord] | None = None, url: str = "") -> Account:
    """The account, with the lines by which a person sets back what was changed on Cloud Run, and its incident."""
    account = account_of(record, function_url=url)
    if others is not None:
        account = with_same_digest(with_incident(account, record, others), record, others)
    return msgspec.structs.replace(account, commands=(*account.commands, *_set_back(record)))


def _set_back(record: CaseRecord) -> Iterator[Command]:
    for item in set_back(record.current_steps):
        yield from (Command(line=line, why=f"set back {item.action}: {item.before}") for line in item.lines)


def _json(account: Account) -> str:
    data: Any = msgspec.to_builtins(account)
    return json.dumps(data, indent=2)


_FORMS = {
    "text": lambda account: "\n".join(account_text(account)),
    "markdown": lambda account: "\n".join(account_markdown(account)),
    "html": account_page,
    "json": _json,
}
