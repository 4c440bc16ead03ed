"""A notice on its way to one receiver."""

from __future__ import annotations

from enum import StrEnum

from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import Value

MAIL_ADDRESS = LatePattern(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}")
"""An address that a header of a mail takes as it is."""
_TAG = LatePattern(r"\+[^@]*")


def mailbox(address: str) -> str:
    """The address in lower case, without what follows a plus sign in its name."""
    return _TAG.compiled.sub("", address.lower(), count=1)


class NoticeContent(StrEnum):
    """How much a receiver is told."""

    FULL = "full"
    MINIMAL = "minimal"
    """Case, threat, severity, state and link: nothing of the finding's own text."""


class RoutedNotice(Value, frozen=True, kw_only=True):
    """What one receiver gets.

    `id` is the same each time it is said again: a service that knows the id drops the second one. `thread` joins the
    messages of one incident, by the id of its first case. `receipt` is what the service gave for the thread's first
    message, empty at first. `closes`: the case is over. `alert` joins what is one page, empty where that is the thread;
    `ends` are the alerts that are over then, that of the thread where none is named. `contacts` are addresses that are
    told besides the receiver's own. `console_url`: where the console is, without a slash at its end; empty where there
    is none.
    """

    id: str
    thread: str
    receipt: str = ""
    content: NoticeContent = NoticeContent.FULL
    closes: bool = False
    alert: str = ""
    ends: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    console_url: str = ""
    notice: Notice
