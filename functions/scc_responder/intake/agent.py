"""The AI agent that a finding is about: a reasoning engine of Agent Platform, by the full names in the finding.

Source: google/cloud/securitycenter/v2 `Agent`, `AgentSession`, `AgentAnomaly`. Their texts may be the attacker's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from scc_responder.domain.finding import AgentTarget
from scc_responder.domain.text import LatePattern
from scc_responder.intake.fields import distinct, field, part, records, text

MAX_SESSIONS = 50
MAX_DETECTORS = 50

_ENGINE = LatePattern(
    r"//aiplatform\.googleapis\.com/projects/([a-z0-9][a-z0-9.:-]{0,99})/locations/([a-z0-9-]{1,63})"
    r"/reasoningEngines/([A-Za-z0-9_-]{1,63})",
)


def read_agent(names: Sequence[str], finding: Mapping[str, Any]) -> tuple[AgentTarget | None, list[str]]:
    """The agent of the first full name, with what the finding says of it; `agent` is contradicted by another's name."""
    engines = [match.groups() for match in map(_ENGINE.fullmatch, names) if match]
    if not engines:
        return None, []
    project, location, name = engines[0]
    anomaly = part(finding, "agentAnomaly")
    flagged = (text(item, "detectorId") or text(item, "displayName") for item in _listed(anomaly, "detectorReferences"))
    agent = AgentTarget(
        project=project,
        location=location,
        name=name,
        display_name=text(part(finding, "agent"), "displayName"),
        sessions=distinct((text(item, "sessionId") for item in _listed(finding, "agentSessions")), MAX_SESSIONS),
        detectors=distinct(flagged, MAX_DETECTORS),
        score=_score(field(anomaly, "confidenceScore")),
    )
    return agent, ["agent"] if any(engine[1:] != engines[0][1:] for engine in engines) else []


def _listed(record: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return records(field(record, name))


def _score(value: object) -> float | None:
    """A confidence between 0 and 1; anything else says nothing."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known and 0 <= value <= 1 else None  # type: ignore[operator,arg-type]
