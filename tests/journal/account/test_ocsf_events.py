"""A case as events of OCSF is valid by OCSF's own schema, and says no more than the case does."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from scc_responder.actions import actions
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.account.ocsf_events import OCSF_VERSION, ocsf_events

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_NAMES = {
    2005: "incident_finding",
    7001: "remediation_activity",
    7003: "process_remediation_activity",
    7004: "network_remediation_activity",
}


@cache
def _validator(kind: int) -> Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(OCSF_VERSION)).get_class_schema(_NAMES[kind])
    return Draft202012Validator(schema)


def faults(event: dict[str, Any]) -> list[str]:
    """What OCSF's own schema says against an event."""
    return [f"{error.json_path}: {error.message[:200]}" for error in _validator(event["class_uid"]).iter_errors(event)]


def step(action: str = "isolate_pod", status: StepStatus = StepStatus.DONE, **more: Any) -> dict[str, Any]:
    """A step as a notice has it."""
    told = {"action": action, "policy": "isolate", "action_id": f"isolate/0/{action}", "target_uid": "uid-1"}
    return {**told, "status": str(status), "reason": "isolated", "detail": "", **more}


def facts(*steps: dict[str, Any]) -> dict[str, Any]:
    """A notice's facts about a case."""
    found = {"name": "organizations/1/sources/2/findings/3", "category": "Reverse Shell", "severity": "HIGH"}
    threat = {"severity": "HIGH", "techniques": ["T1059.004"], "techniques_inferred": []}
    return {
        "case": "0a0a0a0a0a0a",
        "finding": {**found, "event_time": AT.isoformat()},
        "threat": threat,
        "steps": steps,
    }


@pytest.mark.parametrize("state", [*CaseState, None])
def test_each_state_is_a_valid_incident(state: CaseState | None) -> None:
    """The word of ours stands beside OCSF's number."""
    (incident,) = ocsf_events(facts(), state, AT)
    assert faults(incident) == []
    assert (incident["class_uid"], incident["severity_id"], incident["status"]) == (2005, 4, str(state or ""))


@pytest.mark.parametrize("name", sorted(actions()))
@pytest.mark.parametrize("status", StepStatus)
def test_each_outcome_of_each_action_is_valid(name: str, status: StepStatus) -> None:
    """What was not tried is no remediation; a rehearsal least of all."""
    _, *activities = ocsf_events(facts(step(name, status, frozen=[{"pid": 7, "start_ticks": 1}])), CaseState.DONE, AT)
    assert [fault for activity in activities for fault in faults(activity)] == []
    untried = {StepStatus.INTENT, StepStatus.SKIPPED, StepStatus.HELD, StepStatus.DRY_RUN, StepStatus.WAITING}
    assert len(activities) == int(actions()[name].against is not None and status not in untried)


def test_a_remediation_is_a_success_only_if_it_was_read_back() -> None:
    """Of nothing else OCSF's `Success` is said."""
    told = {status: ocsf_events(facts(step(status=status)), CaseState.DONE, AT)[1:] for status in StepStatus}
    assert [status for status, events in told.items() if events and events[0]["status_id"] == 1] == [StepStatus.DONE]


def test_a_process_is_named_where_it_is_known() -> None:
    """Else the remediation is one of no class: no number is made up."""
    frozen, unknown = step("freeze_process", frozen=[{"pid": 7, "start_ticks": 1}]), step("freeze_process")
    _, named, plain = ocsf_events(facts(frozen, unknown), CaseState.DONE, AT)
    assert (named["class_uid"], named["process"], plain["class_uid"]) == (7003, {"pid": 7}, 7001)


@pytest.mark.parametrize(
    ("field", "value"), [("status_id", 42), ("time", "now"), ("metadata", {}), ("finding_info_list", [{}])]
)
def test_the_schema_refuses_what_is_no_event(field: str, value: Any) -> None:
    """So an event that it lets pass is one."""
    (incident,) = ocsf_events(facts(), CaseState.DONE, AT)
    assert faults({**incident, field: value}) != []


@given(text=st.text(max_size=200), reason=st.text(max_size=60))
@settings(max_examples=40, deadline=None)
def test_an_attackers_text_leaves_an_event_valid(text: str, reason: str) -> None:
    """It is a value in it, and nothing else."""
    told = facts(step(detail=text, reason=reason, target_uid=text))
    told["finding"]["category"] = text
    assert [fault for event in ocsf_events(told, CaseState.HELD, AT) for fault in faults(event)] == []
