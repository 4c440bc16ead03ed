"""What people see of a notice, whichever way it comes: title, what to do first, lines, links. Pure.

Nothing in it is active but the addresses of `links`, which are made of checked parts. Outlets escape their own markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.notices.routed_notice import NoticeContent, RoutedNotice
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.journal.account.account_links import AccountLink
from scc_responder.journal.account.answers import KNOWLEDGE, AccountLine, Knowledge
from scc_responder.journal.account.inert_text import inert

MOST_CARD_LINES = 20
MOST_CARD_LINKS = 10
LINE_BYTES = 700
_NAME_BYTES = 80
_KINDS = {
    NoticeKind.OUTCOME: "a finding was answered",
    NoticeKind.UNDECIDED: "nothing is decided",
    NoticeKind.REJECTED: "a plan was rejected",
    NoticeKind.EXPIRED: "nobody answered a plan in time",
    NoticeKind.COUNTED: "instances still run after a change",
    NoticeKind.UNDONE: "what was done was taken back",
    NoticeKind.UNDONE_BY_OTHERS: "somebody else took away what was done",
    NoticeKind.REMINDER: "what was cut off is so still",
    NoticeKind.LOOKED: "a look saw what is left to people",
    NoticeKind.BREAKER: "a storm breaker tripped",
    NoticeKind.POLICY: "a policy may not act alone",
    NoticeKind.FEED: "what sends findings is not as it was made",
    NoticeKind.DIGEST: "more notices came than are told one by one",
    NoticeKind.TRIAL: "this is a test: nothing happened",
}
_WAITS = "a plan waits for approval"
_CASE = re.compile(r"[0-9a-f]{12}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_]{1,80}", re.ASCII)
_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]+)?/[A-Za-z0-9._~%/;=?&+-]{0,1500}", re.ASCII)
_TOLD_APART = frozenset({"answers", "approval", "finding", "known", "links", "policies", "remedy", "steps", "to_do"})


class NoticeCard(Value, frozen=True, kw_only=True):
    """What is shown. `title` is in our words alone; `about` names the finding. `first`: what a person must do first.

    `case` is its id and `threat` the catalogue's name; empty where there is none. No text of lines and links is empty.
    """

    case: str = ""
    threat: str = ""
    title: str
    about: str
    severity: NoticeSeverity
    first: str
    lines: tuple[AccountLine, ...] = ()
    links: tuple[AccountLink, ...] = ()
    footer: str

    @property
    def text(self) -> str:
        """The whole card as plain text."""
        lines = (f"{line.name}: {line.text}" for line in self.lines)
        links = (f"{link.title}: {link.url}" for link in self.links)
        parts = (self.title, self.about, f"First: {self.first}", *lines, *links, self.footer)
        return "\n".join(filter(None, parts))


def notice_card(routed: RoutedNotice) -> NoticeCard:
    """The card of a routed notice. One of minimal content says nothing that the finding's own text has a part in."""
    notice, facts = routed.notice, routed.notice.facts
    is_full, case = routed.content is NoticeContent.FULL, notice.case if _CASE.fullmatch(notice.case) else ""
    incident = f"incident {routed.thread}" if routed.thread != case and _CASE.fullmatch(routed.thread) else ""
    waits = isinstance(facts.get("approval"), Mapping) and "to_approve" in facts["approval"]
    links = (*_console(routed, case, waits=waits), *(_read_on(facts) if is_full else ()))
    show = f"scc-responder case show {case}" if case else ""
    return NoticeCard(
        case=case,
        threat=_label(notice, "threat"),
        title=f"{notice.severity}: {_WAITS if waits else _KINDS[notice.kind]}",
        about=_about(notice, full=is_full),
        severity=notice.severity,
        first=_first(routed, show, waits=waits),
        lines=(_state(notice), *([*_lines(facts)][:MOST_CARD_LINES] if is_full else ())),
        links=links[:MOST_CARD_LINKS],
        footer=" - ".join(filter(None, (f"case {case}" if case else "", incident, str(notice.kind), show))),
    )


def _about(notice: Notice, *, full: bool) -> str:
    """Severity and threat by the catalogue's name; in full also the finding's own words."""
    words = [word for name in ("severity", "threat") if (word := _label(notice, name))]
    words += [f"{count} notices"] if (count := _label(notice, "count")) else []
    finding = notice.facts.get("finding")
    category = str(finding.get("category", "")) if full and isinstance(finding, Mapping) else ""
    return " - ".join(filter(None, (" ".join(words), inert(category, 200))))


def _label(notice: Notice, name: str) -> str:
    """A label that is one word; empty where it is none."""
    value = notice.labels.get(name, "")
    return value if _WORD.fullmatch(value) else ""


def _first(routed: RoutedNotice, show: str, *, waits: bool) -> str:
    notice, facts, full = routed.notice, routed.notice.facts, routed.content is NoticeContent.FULL
    commands = facts.get("to_do")
    where = " in the console" if show and routed.console_url else f": {show}"
    if waits:
        return f"read the plan, then approve or reject it{where}"
    if full and isinstance(commands, list) and commands:
        return _told(str(commands[0]), LINE_BYTES)
    if full and facts.get("remedy"):
        return _told(str(facts["remedy"]), LINE_BYTES)
    if notice.severity is NoticeSeverity.NOTICE:
        return "nothing has to be done at once"
    return f"look at the case{where}" if show else "read what is said here"


def _state(notice: Notice) -> AccountLine:
    """How far it is, in words of closed sets."""
    reason, reached = Reason.read(notice.reason), notice.facts.get("containment")
    said = [f"contained: {reached}"] if isinstance(reached, str) and _WORD.fullmatch(reached) else []
    said += [f"{reason.word.name.lower()}: {reason.meaning}"] if reason else []
    return AccountLine(name="State", text="; ".join(said) or _KINDS[notice.kind])


def _console(routed: RoutedNotice, case: str, *, waits: bool) -> Iterator[AccountLink]:
    first = [("Read the plan and answer it in the console", "/plan")] if waits else []
    for title, end in [*first, ("Open the case in the console", "")] if case and routed.console_url else ():
        yield AccountLink(title=title, url=f"{routed.console_url}/case/{case}{end}")


def _read_on(facts: Mapping[str, Any]) -> Iterator[AccountLink]:
    for link in facts.get("links") or ():
        if isinstance(link, Mapping) and _ADDRESS.fullmatch(url := str(link.get("url", ""))):
            yield AccountLink(title=_told(str(link.get("title", "")), _NAME_BYTES), url=url)


def _lines(facts: Mapping[str, Any]) -> Iterator[AccountLine]:
    """The twelve answers, inert where they were made; of a notice without them each plain fact."""
    answers = facts.get("answers") or ()
    for answer in answers:
        parts = [f"{line['name']}: {line['text']}" for line in answer["lines"]]
        said = KNOWLEDGE[Knowledge(answer["knowledge"])]
        told = "; ".join([*([f"{said}: {answer['why']}"] if said else ()), *parts])
        yield AccountLine(name=str(answer["title"]), text=_cut(told) or "(nothing)")
    plain = {} if answers else {name: _plain(fact) for name, fact in facts.items() if name not in _TOLD_APART}
    for name, fact in plain.items():
        if isinstance(fact, str | int | float | bool) and fact != "":
            yield AccountLine(name=_told(name, _NAME_BYTES), text=_told(str(fact), LINE_BYTES))


def _plain(fact: Any) -> Any:
    """Counts by their words, in one line; anything else as it is."""
    if isinstance(fact, Mapping) and all(isinstance(count, int) for count in fact.values()):
        return ", ".join(f"{word}: {count}" for word, count in fact.items())
    return fact


def _told(text: str, most: int) -> str:
    """The text, inert: services take no empty one."""
    shown = inert(text, most)
    return shown if shown.strip() else "(nothing)"


def _cut(text: str) -> str:
    """At most so many bytes of what is inert already."""
    cut = text.encode()[:LINE_BYTES].decode(errors="ignore")
    return cut if cut == text else f"{cut} ..."
