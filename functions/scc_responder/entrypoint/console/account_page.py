"""An account as a page: one file without script that loads nothing, for light and dark, phone and paper."""

from __future__ import annotations

from scc_responder.entrypoint.console.account_text import head_facts
from scc_responder.entrypoint.console.rendering import rendered
from scc_responder.journal.account.answers import Account


def account_page(account: Account) -> str:
    """The page. Its only style is named by its digest, so that a browser takes no other."""
    return rendered("account_page.html", account=account, facts=[*head_facts(account)])
