"""Cases in which each text that an attacker, or a stranger in the store, may write is hostile, and what must hold.

What a text would do is asked of those who would do it: the finder of links of mail and chat, a renderer of Markdown.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from linkify_it import LinkifyIt

from scc_responder.domain.kubernetes.container_facts import Artefact, ArtefactHash, Inspection, Origin
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.domain.text import visible
from scc_responder.journal.account.account import account_of
from scc_responder.journal.account.answers import Account
from scc_responder.journal.account.inert_text import inert
from scc_responder.journal.case import CaseRecord, PersonsWord, WordKind
from scc_responder.journal.step import Step
from tests.counts import Count
from tests.kits.journal_worlds import START

HOSTILE_CASES = Count("hostile cases in each outlet of an account", few=100, full=1000)
THOUSAND = settings(max_examples=HOSTILE_CASES.number, deadline=None, suppress_health_check=list(HealthCheck))
MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'\"><svg/onload=alert(1)>",
    "</code></pre><a href=//evil.example>x</a>",
    "{{ 7 * 7 }}{% raw %}",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "`` `<b>` ``",
    "```\n# heading\n",
    "[bold red]x[/] [link=https://evil.example]y[/link] :skull:",
    "<!channel> <!here> <@U012345> <#C012345> <https://evil.example|bank>",
    "@everyone @here @octocat cc @team/ops",
    "https://evil.example/a?b=c#d http://203.0.113.9/x ftp://evil.example",
    "www.evil.example evil.example evil.co/x //evil.example //203.0.113.9/x run.sh",
    "a@evil.example mailto:a@evil.example ssh://root@evil.example",
    "evil\u3002example ev\u0456l.example xn--e1afmkfd.xn--p1ai",
    "\x1b[31mred\x1b]8;;https://evil.example\x07x\x1b]8;;\x07",
    "\u202egnp.exe\u2066 \u200bzero\u00ad \ufeff",
    "line\r\nSubject: other\n\n",
    "&#60;b&#62; &lt;b&gt; &amp;",
    "$(id) ; rm -rf / | `id` > /dev/null",
    "\\`code\\` ~~x~~ |a|b| ***",
    "web@sha256:0d85 @sha256:0d85",
    "A" * 10_000,
    "<!channel>" * 900,
    "evil.example/" * 900,
)
TEXT = st.one_of(
    st.sampled_from(MARKUP),
    st.lists(st.sampled_from(MARKUP[:-3]), min_size=2, max_size=3).map(" ".join),
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.text(alphabet="<>@!#[]()`.:/\\&;=|*_~ -aoz0\u202e\n", max_size=40),
)
"""What an attacker writes."""

VISIBLE_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Format characters that are seen: Unicode's property `Prepended_Concatenation_Mark`."""

_SEEN = 4_000
"""So many bytes of a text are in an outlet at least; what is longer is cut, and says so."""


@st.composite
def hostile_records(draw: st.DrawFn) -> tuple[CaseRecord, list[str]]:
    """A case, and the texts in it."""
    texts = draw(st.lists(TEXT, min_size=8, max_size=8))
    a, b, c, d, e, f, g, h = texts
    facts: dict[str, Any] = {
        "programs": [{"command": a, "files": [{"role": b, "path": c, "sha256": d, "whole_file": True}]}],
        "containers": [{"name": e, "image": f, "digest": g}],
        "connections": [a],
        "indicators": [b],
        "account": c,
        "principal": d,
        "caller": e,
        "method": f,
        "labels": [g],
        "contacts": [h],
        "deployer": a,
        "untold": [h],
        "project": a,
        "logs": {b: c},
        "cut": [d],
    }
    decision = {
        "threat": {
            "severity": e,
            "confidence": f,
            "runbook": g,
            "techniques": [h, "T1611"],
            "techniques_inferred": [a],
        },
        "identity": {"level": draw(st.sampled_from(["proved", "unknown", b])), "reason": c, "checks": {d: e}},
        "pod": draw(st.sampled_from([None, dict.fromkeys(("namespace", "name", "uid", "node", "workload"), f)])),
        "images": [g],
        "facts": facts,
        "policies": [],
    }
    read = Artefact(role=h, path=a, hash=ArtefactHash.MATCHES, origin=Origin.ADDED, sha256=b)
    steps = (
        Step(action_id="1", action="isolate_pod", policy=c, status=StepStatus.DONE, reason=d, detail=e, epoch=1),
        Step(action_id="2", action=f, policy=g, status=StepStatus.HELD, reason=h, detail=a, epoch=1),
    )
    record = CaseRecord(
        finding_key="0a" * 32,
        finding_name=b,
        category=c,
        event_time=START,
        digest="d",
        cluster=d,
        state=CaseState.PARTIAL,
        reason=e,
        steps=steps,
        decision=decision,
        inspection=Inspection(artefact=read),
        word=draw(st.sampled_from([None, PersonsWord(kind=WordKind.UNDONE, by=f, at=START + timedelta(1), said=g)])),
    )
    shown = [a, c, *([e] if record.word is None else [e, f, g]), h]
    return record, shown


def account_and_texts(made: tuple[CaseRecord, list[str]]) -> tuple[Account, list[str]]:
    """The account of a hostile case, and the texts that have to be in it."""
    record, texts = made
    return account_of(record), texts


def addresses(account: Account) -> set[str]:
    """The addresses that the account itself makes."""
    return {link.url for link in account.links if link.url}


def links_in(text: str) -> set[str]:
    """What mail and chat would make a link of."""
    return {found.url for line in text.splitlines() for found in LinkifyIt().match(line) or ()}


def mentions_in(text: str) -> list[str]:
    """What chat and code hosts would take for a mention, or for markup of their own."""
    return re.findall(r"<[!@#a-z/][^\s]*|(?<![\w\[])@[A-Za-z0-9][^\s]*", text, re.IGNORECASE)


def hidden_in(text: str) -> list[str]:
    """The characters that hide or reorder what stands beside them."""
    known = {"\n", *VISIBLE_FORMATS}
    return [letter for letter in text if letter not in known and unicodedata.category(letter) in {"Cc", "Cf", "Cs"}]


def missing_from(outlet: str, texts: list[str]) -> list[str]:
    """The texts that are not in an outlet, as they are once brackets and escapes are undone; white space is let be."""
    whole = _plain(outlet)
    return [text for text in texts if _plain(visible(inert(text))[: _SEEN // 2]) not in whole]


def _plain(text: str) -> str:
    before, text = "", re.sub(r"\s", "", text)
    while text != before:
        before, text = text, re.sub(r"\[(.)\]", r"\1", text)
    return text
