"""A message says what is known of the target: what ran, where and as whom, with links; and nothing in it is active."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given

from scc_responder.domain.text import ascii_json
from scc_responder.journal.account.case_facts import facts_in
from scc_responder.journal.account.known_fields import known_fields
from scc_responder.journal.case import CaseRecord
from tests.kits.account_cases import contained_case, held_case, waiting_case
from tests.kits.hostile_accounts import (
    THOUSAND,
    hidden_in,
    hostile_records,
    links_in,
    mentions_in,
    missing_from,
)


def strings(data: Any) -> list[str]:
    """All texts of JSON data, and the names of its fields."""
    if isinstance(data, dict):
        return [text for name, value in data.items() for text in (name, *strings(value))]
    return [text for item in data for text in strings(item)] if isinstance(data, list) else [str(data)]


@THOUSAND
@given(hostile_records())
def test_a_thousand_hostile_cases_are_inert_in_a_message(made: tuple[CaseRecord, list[str]]) -> None:
    """Whoever puts a text of it into chat or mail makes no link and mentions nobody; each text is there."""
    record, texts = made
    facts = facts_in(record.decision)
    assert facts is not None
    fields = json.loads(ascii_json(known_fields("f", record.decision["threat"], facts, record.inspection)))
    urls = {link["url"] for link in fields["links"] if "url" in link}
    told = [text for text in strings(fields) if text not in urls]
    assert [text for text in told if links_in(text) or mentions_in(text) or hidden_in(text)] == []
    assert missing_from("\n".join(told), [texts[0], texts[-1]]) == []


def test_the_message_names_what_ran(tmp_path: Path) -> None:
    """Path, arguments, hash, image by digest and contacts, where they are known; links to read on."""
    with contained_case(tmp_path) as case:
        (message,) = case.deployment.published.messages
    known = message["known"]
    (program,) = known["programs"]
    assert program["command"] == "/tmp/kworkerd --config=/tmp/.c"
    assert program["files"][0]["whole_file"] is True
    assert known["containers"][0]["digest"].startswith("sha256:")
    assert known["contacts"] == ["security[@]example[.]com", "shop-oncall[@]example[.]com"]
    assert "logs" not in known
    assert {link["title"].partition(":")[0].split()[0] for link in message["links"]} == {
        *("Finding", "Runbook", "Logs", "VirusTotal", "MITRE")
    }


def test_a_message_about_a_kept_case_says_it_too(tmp_path: Path) -> None:
    """A plan that was rejected is told with what the case keeps."""
    with waiting_case(tmp_path) as case:
        case.deployment.answer(case.document, "reject")
        message = case.deployment.published.messages[-1]
    assert message["known"]["account"] == "checkout[@]example-project[.]iam[.]gserviceaccount[.]com"


def test_a_held_case_says_whom_it_talked_to(tmp_path: Path) -> None:
    """The one message about it."""
    with held_case(tmp_path) as case:
        message = case.deployment.published.messages[-1]
    assert message["known"]["connections"] == ["TCP to 203.0.113.66:4444"]
