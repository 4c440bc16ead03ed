"""Notices on their way to a receiver: an ordinary one, and as many hostile ones as are asked for."""

from __future__ import annotations

import html
import re
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.notices.routed_notice import NoticeContent, RoutedNotice
from scc_responder.domain.reasons import Reason
from scc_responder.journal.notices import case_notice
from tests.counts import Count
from tests.kits.hostile_accounts import TEXT, hidden_in, hostile_records, links_in, mentions_in

CONSOLE = "https://console.example.com"
HOSTILE = Count("hostile notices to each receiver", 60, 1000)
HOSTILE_NOTICES = settings(max_examples=HOSTILE.number, deadline=None, suppress_health_check=list(HealthCheck))

FINDING_LINK = "https://console.cloud.google.com/security/command-center/findingsv2;name=f?organizationId=1"
NOTICE = Notice(
    kind=NoticeKind.OUTCOME,
    severity=NoticeSeverity.WARNING,
    case="0a0a0a0a0a0a",
    reason=Reason.WAITING_FOR_APPROVAL,
    labels={"threat": "reverse_shell", "severity": "HIGH"},
    facts={
        "case": "0a0a0a0a0a0a",
        "finding": {"name": "f", "category": "Execution: Reverse <Shell>"},
        "approval": {"to_approve": "scc-responder case approve 0a0a0a0a0a0a --plan x"},
        "links": [
            {"title": "Finding", "url": FINDING_LINK},
            {"title": "VirusTotal", "why": "a part of the file"},
            {"title": "Other", "url": "javascript:alert(1)"},
        ],
        "answers": [
            {
                "question": "what_ran",
                "title": "What ran",
                "knowledge": "known",
                "lines": [{"name": "program", "text": "/tmp/run & co"}],
            },
            {"question": "owner", "title": "Who owns it", "knowledge": "unknown", "why": "no label", "lines": []},
        ],
    },
)


def routed(**changes: Any) -> RoutedNotice:
    """The ordinary notice, routed."""
    fields: dict[str, Any] = {"id": "n1", "thread": "0a0a0a0a0a0a", "console_url": CONSOLE, "notice": NOTICE}
    return RoutedNotice(**{**fields, **changes})


@st.composite
def hostile_notices(draw: st.DrawFn) -> RoutedNotice:
    """A notice in which each text that an attacker, or a stranger in the store, may write is hostile."""
    record, texts = draw(hostile_records())
    a, b, *_ = texts
    kind = draw(st.sampled_from(list(NoticeKind)))
    notice = case_notice(kind, record, draw(st.sampled_from([Reason.STORM_BREAKER, a])), b)
    other = draw(st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.lists(TEXT, max_size=2)), max_size=3))
    facts = draw(
        st.sampled_from(
            [
                notice.facts,
                {**other, "detail": a, "remedy": b, "finding": {"category": a}},
                {
                    **other,
                    "to_do": [b],
                    "known": {},
                    "links": [{"title": a, "url": b}, {"title": b, "url": "https://x/"}],
                },
            ]
        )
    )
    return RoutedNotice(
        id="n1",
        thread=draw(st.sampled_from(["0a0a0a0a0a0a", a or "t"])),
        receipt=draw(st.sampled_from(["", a])),
        content=draw(st.sampled_from(list(NoticeContent))),
        closes=draw(st.booleans()),
        console_url=draw(st.sampled_from(["", CONSOLE])),
        notice=Notice(
            kind=kind,
            severity=draw(st.sampled_from(list(NoticeSeverity))),
            case=draw(st.sampled_from([notice.case, a])),
            reason=notice.reason,
            labels={"threat": draw(st.sampled_from(["reverse_shell", a])), "severity": b},
            facts=facts,
        ),
    )


def active_in(texts: list[str]) -> list[str]:
    """Those of the shown texts that make a link, mention somebody or hide something."""
    return [text for text in texts if links_in(text) or mentions_in(text) or hidden_in(text)]


def is_own(url: str) -> bool:
    """Whether an address is one that an account or the console makes: of a host that is listed here."""
    hosts = r"(?:console\.cloud\.google\.com|cloud\.google\.com|www\.virustotal\.com|attack\.mitre\.org|x)"
    return bool(re.fullmatch(rf"(?:https://{hosts}/|{re.escape(CONSOLE)}/)[\x21-\x7e]*", url))


def unmarked(text: str) -> str:
    """What is shown of escaped text. Raises AssertionError where markup is left in it."""
    assert not re.search(r"[<>]|&(?!(?:amp|lt|gt|quot|#x27);)", text), text
    return html.unescape(text)


def largest() -> RoutedNotice:
    """A notice whose card has as many lines, links and bytes as a card can have, each letter of which is escaped."""
    line = {"name": "n", "text": "&" * 2_000}
    answers = [{"title": f"{'&' * 70} {number}", "knowledge": "known", "lines": [line]} for number in range(60)]
    links = [{"title": "&" * 300, "url": f"https://x/{'u' * 1_400}{number}"} for number in range(30)]
    facts = {"answers": answers, "links": links, "finding": {"category": "&" * 900}, "remedy": "&" * 2_000}
    return routed(notice=Notice(kind=NOTICE.kind, severity=NOTICE.severity, case=NOTICE.case, facts=facts))
