"""A case as events of the Open Cybersecurity Schema Framework: an incident finding, and each remediation. Pure.

Source: OCSF 1.6.0, classes `incident_finding` (2005), `remediation_activity` (7001), `process_remediation_activity`
(7003) and `network_remediation_activity` (7004); https://schema.ocsf.io/1.6.0/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any

from scc_responder import __version__
from scc_responder.actions import actions
from scc_responder.domain.changes.countermeasure import Countermeasure, RemediationClass
from scc_responder.domain.status import CaseState, StepStatus

OCSF_VERSION = "1.6.0"
_INCIDENT_FINDING = 2005
_NAME = "scc-responder"
_PRODUCT = {"name": _NAME, "vendor_name": _NAME, "version": __version__}
_DIRECTION_UNKNOWN = 0
_SYSTEM = 3


class IncidentStatus(IntEnum):
    """How far an incident is. Source: `incident_finding`, `status_id`."""

    NEW = 1
    IN_PROGRESS = 2
    ON_HOLD = 3
    RESOLVED = 4
    CLOSED = 5
    OTHER = 99


class RemediationStatus(IntEnum):
    """How a remediation ended. Source: `remediation_activity`, `status_id`."""

    SUCCESS = 1
    FAILURE = 2
    DOES_NOT_EXIST = 3
    PARTIAL = 4
    UNSUPPORTED = 5
    ERROR = 6


_SEVERITIES = {"LOW": 2, "MEDIUM": 3, "HIGH": 4, "CRITICAL": 5}
_INCIDENTS = {
    CaseState.OPEN: IncidentStatus.IN_PROGRESS,
    CaseState.DONE: IncidentStatus.RESOLVED,
    CaseState.PARTIAL: IncidentStatus.IN_PROGRESS,
    CaseState.NOTHING_MATCHED: IncidentStatus.NEW,
    CaseState.WAITING: IncidentStatus.ON_HOLD,
    CaseState.HELD: IncidentStatus.ON_HOLD,
    CaseState.SUPERSEDED: IncidentStatus.CLOSED,
    CaseState.REJECTED: IncidentStatus.CLOSED,
}
"""Any other state is `OTHER`: a rehearsal, or a target that is gone."""

_REMEDIATIONS = {
    StepStatus.DONE: RemediationStatus.SUCCESS,
    StepStatus.NOT_EFFECTIVE: RemediationStatus.PARTIAL,
    StepStatus.TERMINATING: RemediationStatus.PARTIAL,
    StepStatus.TARGET_GONE: RemediationStatus.DOES_NOT_EXIST,
    StepStatus.TARGET_REPLACED: RemediationStatus.DOES_NOT_EXIST,
    StepStatus.NOT_POSSIBLE: RemediationStatus.UNSUPPORTED,
    StepStatus.OVERRIDDEN: RemediationStatus.FAILURE,
    StepStatus.FAILED: RemediationStatus.FAILURE,
    StepStatus.UNKNOWN: RemediationStatus.ERROR,
}
"""Of any other step nothing was sent: it was rehearsed, held or skipped, or waits."""


_CLOSED = frozenset({CaseState.DONE, CaseState.SUPERSEDED, CaseState.REJECTED})


def ocsf_events(facts: Mapping[str, Any], state: CaseState | None, at: datetime) -> list[dict[str, Any]]:
    """The incident finding, then a remediation activity for each step that was tried.

    `facts` are those of a notice; `state` is the case's, None where the notice is about none. A step may have its
    `settled_at`, else it happened `at`, and the processes that were `frozen`.
    """
    return [_incident(facts, state, at), *_remediations(facts, at)]


def _incident(facts: Mapping[str, Any], state: CaseState | None, at: datetime) -> dict[str, Any]:
    finding, threat = facts.get("finding", {}), facts.get("threat", {})
    status = _INCIDENTS.get(state, IncidentStatus.OTHER) if state else IncidentStatus.NEW
    happened = finding.get("event_time")
    return {
        **_event(_INCIDENT_FINDING, 3 if state in _CLOSED else 2, facts, at),
        "status_id": int(status),
        "status": str(state or ""),
        "status_detail": str(facts.get("reason", "")),
        "assignee": {"name": _NAME, "type_id": _SYSTEM},
        **({} if finding else {"unmapped": dict(facts)}),
        "finding_info_list": [
            {
                "uid": finding.get("name") or facts.get("case") or str(facts.get("reason", "")),
                "title": finding.get("category") or str(facts.get("reason", "")),
                **({"created_time": milliseconds(datetime.fromisoformat(happened))} if happened else {}),
                **({"attacks": attacks} if (attacks := _attacks(threat)) else {}),
            }
        ],
    }


def _attacks(threat: Mapping[str, Any]) -> list[dict[str, Any]]:
    known: Sequence[str] = (*threat.get("techniques", ()), *threat.get("techniques_inferred", ()))
    return [{"technique": {"uid": technique}} for technique in known]


def _remediations(facts: Mapping[str, Any], at: datetime) -> Iterator[dict[str, Any]]:
    for step in facts.get("steps", ()):
        action, status = actions().get(step["action"]), _REMEDIATIONS.get(StepStatus(step["status"]))
        if action is not None and action.against is not None and status is not None:
            yield _remediation(facts, step, action.against, status, at)


def _remediation(
    facts: Mapping[str, Any], step: Mapping[str, Any], against: Countermeasure, status: RemediationStatus, at: datetime
) -> dict[str, Any]:
    settled, about = step.get("settled_at"), _about(against.kind, step)
    kind = against.kind if about else RemediationClass.ANY
    return {
        **_event(kind, against.activity, facts, datetime.fromisoformat(settled) if settled else at),
        "status_id": int(status),
        "status": str(step["status"]),
        "status_detail": f"{step['reason']}: {step['detail']}" if step["detail"] else str(step["reason"]),
        "command_uid": f"{facts['case']}/{step['action_id']}",
        "countermeasures": [{"d3f_technique": {"uid": against.uid, "name": against.label}}],
        "unmapped": {name: step[name] for name in ("action", "policy", "target_uid")},
        **about,
    }


def _about(kind: RemediationClass, step: Mapping[str, Any]) -> dict[str, Any]:
    """What the class needs; empty where nobody knows it: which process it was."""
    if kind is RemediationClass.NETWORK:
        return {"connection_info": {"direction_id": _DIRECTION_UNKNOWN}}
    frozen = step.get("frozen") or ()
    return {"process": {"pid": frozen[0]["pid"]}} if kind is RemediationClass.PROCESS and frozen else {}


def _event(kind: int, activity: int, facts: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    severity = facts.get("threat", {}).get("severity") or facts.get("finding", {}).get("severity", "")
    return {
        "class_uid": int(kind),
        "category_uid": kind // 1000,
        "activity_id": int(activity),
        "type_uid": kind * 100 + activity,
        "time": milliseconds(at),
        "severity_id": _SEVERITIES.get(severity, 0),
        "metadata": {"version": OCSF_VERSION, "product": _PRODUCT, "correlation_uid": str(facts.get("case", ""))},
    }


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, as OCSF counts."""
    return round(moment.timestamp() * 1000)
