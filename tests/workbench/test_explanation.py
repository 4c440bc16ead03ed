"""What every policy would do with a finding, without asking any cluster."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scc_responder.domain.errors import PolicyError
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.explanation import NOTHING_READ, ContextFacts, context_of, explain, read_facts
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.findings import FOLDER, data, notification
from tests.kits.decision_contexts import NODE, POD
from tests.kits.responder import RAILS, policy, write_policies


def explained(folder: Path, content: bytes, **given: Any) -> dict[str, Any]:
    policies = load_policies(write_policies(folder, policy("label_pod", mode="enforce")))
    return explain(content, given.pop("facts", NOTHING_READ), policies, **given)


def test_a_finding_is_explained_in_full(tmp_path: Path) -> None:
    """Finding, threat, what was read, and each policy's answer."""
    found = explained(tmp_path, data(notification("reverse_shell")))
    assert (found["rejected"], found["threat"]["name"]) == (None, "reverse_shell")
    assert found["context"]["missing"]["pod"] == "not_read"
    assert [answer["name"] for answer in found["policies"]] == ["contain"]
    json.dumps(found)


def test_junk_is_rejected_by_name(tmp_path: Path) -> None:
    """Nothing more is said of it."""
    found = explained(tmp_path, b"no JSON")
    assert found["rejected"]
    assert (found["finding"], found["policies"]) == (None, [])


def test_what_is_out_of_scope_keeps_its_finding(tmp_path: Path) -> None:
    """A muted finding is a finding, and nothing is decided."""
    found = explained(tmp_path, data(notification("reverse_shell", finding={"mute": "MUTED"})))
    assert (found["rejected"], found["policies"]) == ("muted", [])
    assert found["finding"]["category"]


def test_an_old_finding_is_explained_as_of_its_event(tmp_path: Path) -> None:
    """Unless it is said when it arrives."""
    content = data(notification("reverse_shell"))
    later = parse_notification(content).event_time + timedelta(days=30)
    facts = ContextFacts(pod=POD, node=NODE)
    assert "finding_too_old" not in json.dumps(explained(tmp_path / "a", content, facts=facts)["policies"])
    assert explained(tmp_path / "b", content, now=later)["policies"]


def test_a_decision_is_made_again_by_its_own_moment(tmp_path: Path) -> None:
    """A condition on `now` is answered by when it is said to be decided, and not by the clock."""
    content = data(notification("reverse_shell"))
    event = parse_notification(content).event_time
    end = (event + timedelta(hours=1)).isoformat()
    before = f"condition: now < timestamp('{end}')\n"
    policies = load_policies(write_policies(tmp_path, policy("label_pod", mode="enforce") + before))
    reasons = [
        explain(content, NOTHING_READ, policies, event + timedelta(minutes=minutes))["policies"][0]["reason"]
        for minutes in (0, 59, 60)
    ]
    assert reasons == ["matched", "matched", "condition_differs"]


def test_facts_are_read_from_a_file() -> None:
    """A misspelt field is named with the file."""
    facts = ContextFacts(pod=POD, related=())
    assert read_facts(msgspec.json.encode(facts), "x.json") == facts
    with pytest.raises(PolicyError, match=r"x.json: .*pood"):
        read_facts(b'{"pood": 1}', "x.json")


def test_a_context_agrees_with_its_finding() -> None:
    """Threat and identity are computed from both."""
    finding = parse_notification(data(notification("reverse_shell")))
    context = context_of(finding, NOTHING_READ)
    assert (context.threat.name, context.identity.level) == ("reverse_shell", "unknown")


def test_a_first_deletion_is_said_to_wait(tmp_path: Path) -> None:
    """As is what people would be told of what holds the answer to a severe finding."""
    rails = f"{RAILS}warm_up: 60s\n"
    policies = load_policies(write_policies(tmp_path, policy("delete_pod"), guardrails=rails))
    facts = read_facts((FOLDER / "reverse_shell.context.json").read_bytes(), "reverse_shell.context.json")
    found = explain(data(notification("reverse_shell")), facts, policies)
    (shot,) = found["first_shots"]
    assert (shot["policy"], shot["actions"], shot["warm_up"], shot["then"]) == (
        "contain",
        ("delete_pod",),
        "60s",
        "passed",
    )
    assert found["told"] is None
    unread = explain(data(notification("reverse_shell", finding={"severity": "HIGH"})), NOTHING_READ, policies)
    assert unread["first_shots"] == []
    assert [(hold["action"], hold["reason"]) for hold in unread["told"]["holds"]] == [("delete_pod", "not_read")]
    json.dumps(found)
