"""An account on a terminal: tables where `rich` is installed, else plain text; colour and links on a terminal alone."""

from __future__ import annotations

import builtins
import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings

from scc_responder.cli.case.reports.account_screen import print_account
from scc_responder.journal.account.account import account_of
from scc_responder.journal.account.answers import Account
from scc_responder.journal.case import CaseRecord
from tests.kits.hostile_accounts import (
    THOUSAND,
    account_and_texts,
    addresses,
    hidden_in,
    hostile_records,
    links_in,
    mentions_in,
    missing_from,
)
from tests.kits.journal_worlds import START

SEQUENCE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^;\x1b]*;(?P<url>[^\x1b]*)\x1b\\")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def a_terminal(**environment: str) -> Iterator[None]:
    """A wide terminal that shows colours."""
    wide = {"TERM": "xterm-256color", "COLUMNS": "20000", **environment}
    with patch.dict("os.environ", wide):
        yield


def printed(account: Account, stream: io.StringIO) -> str:
    with redirect_stdout(stream):
        print_account(account)
    return stream.getvalue()


@settings(THOUSAND)
@given(hostile_records())
def test_a_thousand_hostile_cases_are_inert_on_a_terminal(made: tuple[CaseRecord, list[str]]) -> None:
    """The only sequences are those of styles and of the account's own links; nothing is taken for markup of `rich`."""
    account, texts = account_and_texts(made)
    with a_terminal():
        shown = printed(account, Terminal())
    assert {found["url"] for found in SEQUENCE.finditer(shown) if found["url"]} <= addresses(account)
    text = SEQUENCE.sub("", shown)
    assert links_in(text) <= addresses(account)
    assert mentions_in(text) == []
    assert hidden_in(text) == []
    assert missing_from(text, [texts[0], texts[-1]]) == []


def test_without_rich_or_a_terminal_it_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same text, and no sequence at all where the output goes to a file."""
    account = account_of(CaseRecord(finding_key="0a" * 32, finding_name="f", event_time=START, digest="d"))
    plain = printed(account, io.StringIO())
    assert "\x1b" not in plain
    assert "What ran: not known: nothing is decided yet" in plain
    found = builtins.__import__

    def without_rich(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("rich"):
            raise ImportError(name)
        return found(name, *rest, **more)

    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without_rich)
    assert SEQUENCE.sub("", printed(account, Terminal())) == plain


def test_no_color_is_obeyed() -> None:
    """There is no colour then, with `rich` too."""
    account = account_of(CaseRecord(finding_key="0a" * 32, finding_name="f", event_time=START, digest="d"))
    with a_terminal(NO_COLOR="1"):
        shown = printed(account, Terminal())
    assert re.findall(r"\x1b\[[0-9;]*3[0-7][0-9;]*m", shown) == []
