"""An account as a page: one file without script that loads nothing, for light and dark, phone and paper."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from scc_responder.journal.account.account_text import KNOWLEDGE, account_heading, head_facts
from scc_responder.journal.account.answers import QUESTIONS, Account
from scc_responder.journal.account.inert_text import inert


def account_page(account: Account) -> str:
    """The page. Its only style is named by its digest, so that a browser takes no other."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - a tenth of a second

    here = Path(__file__)
    loader = FileSystemLoader(here.parent)
    template = Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("account_page.html")
    style = here.with_suffix(".css").read_text(encoding="utf-8")
    return template.render(
        account=account,
        digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        facts=[*head_facts(account)],
        heading=account_heading(account),
        inert=inert,
        knowledge=KNOWLEDGE,
        questions=QUESTIONS,
        style=style,
    )
