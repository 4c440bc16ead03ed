"""The AI agent of a finding: by its full name, with what the finding says of it; nothing else makes one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.finding import AgentTarget, Surface
from scc_responder.intake.agent import MAX_DETECTORS, MAX_SESSIONS, read_agent
from scc_responder.intake.notification import content_digest, parse_notification
from scc_responder.intake.threats import UNKNOWN, catalogue, classify
from tests.findings import notification

ENGINE = (
    "//aiplatform.googleapis.com/projects/example-project/locations/europe-west1/reasoningEngines/7770001112223334445"
)
OTHER = ENGINE.replace("7770001112223334445", "1")
CLUSTER = "//container.googleapis.com/projects/example-project/locations/europe-west1/clusters/prod-1"
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["agent", "agentSessions", "agentAnomaly", "displayName", "sessionId", "confidenceScore"]),
            inner,
        )
    ),
    max_leaves=8,
)


def told_of(**changed: Any) -> dict[str, Any]:
    """The golden with fields of its finding changed."""
    return notification("agent_anomaly", finding=changed)


def test_an_agent_is_read_with_its_sessions_and_what_flagged_it() -> None:
    """The golden of an anomaly says it all, in the names of the v2 API."""
    finding = parse_notification(notification("agent_anomaly"))
    assert finding.agent == AgentTarget(
        project="example-project",
        location="europe-west1",
        name="7770001112223334445",
        display_name="checkout-agent",
        sessions=("session-1", "session-2"),
        detectors=("tool_misuse",),
        score=0.87,
    )
    assert finding.contradictions == ()
    threat = classify(finding)
    assert (threat.name, threat.surface) == (UNKNOWN, Surface.AGENT)


@pytest.mark.parametrize(
    "row", [row for row in catalogue() if row.detector == "agent_platform_threat_detection"], ids=lambda row: row.name
)
def test_a_category_means_the_agents_threat_by_detector_and_resource(row: Any) -> None:
    """Three detectors share it: without the detector's name the resource still says which is meant."""
    finding = parse_notification(told_of(category=row.category, parentDisplayName=""))
    assert classify(finding).name == row.name
    former = told_of(category=row.category, parentDisplayName="Agent Engine Threat Detection")
    assert classify(parse_notification(former)).name == row.name
    elsewhere = told_of(category=row.category, resourceName=CLUSTER, parentDisplayName="")
    elsewhere["resource"] = {"name": CLUSTER}
    assert classify(parse_notification(elsewhere)).surface != Surface.AGENT


def test_two_places_are_a_contradiction() -> None:
    """Nothing that changes is done about a finding that names an agent and a cluster, or two agents."""
    both = notification("agent_anomaly")
    both["resource"] = {"name": CLUSTER}
    assert parse_notification(both).contradictions == ("resource",)
    assert classify(parse_notification(both)).name == UNKNOWN
    two = notification("agent_anomaly")
    two["resource"] = {"name": OTHER}
    assert parse_notification(two).contradictions == ("agent",)


def test_an_update_that_says_more_of_an_agent_is_news() -> None:
    """And one that says the same is none; findings without an agent count as they always did."""
    told = [told_of(agentSessions=[{"sessionId": name}]) for name in ("a", "a", "b")]
    first, same, more = (content_digest(parse_notification(one)) for one in told)
    assert first == same != more


@pytest.mark.parametrize("name", ["//aiplatform.googleapis.com/projects/p/locations/l/endpoints/1", f"{ENGINE}/x", ""])
def test_only_a_reasoning_engine_is_an_agent(name: str) -> None:
    """A finding that only says a display name is about no agent that anybody could find."""
    assert read_agent([name], {"agent": {"displayName": "checkout-agent"}}) == (None, [])


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), float("inf"), True, "0.5", None])
def test_a_score_outside_its_range_says_nothing(score: object) -> None:
    """It is a number from 0 to 1."""
    agent, _ = read_agent([ENGINE], {"agentAnomaly": {"confidenceScore": score}})
    assert agent is not None
    assert agent.score is None


def test_lists_are_bounded() -> None:
    """A finding of any size makes an agent of a bounded one."""
    sessions = [{"sessionId": str(number)} for number in range(MAX_SESSIONS + 1)]
    flagged = [{"detectorId": str(number)} for number in range(MAX_DETECTORS + 1)]
    agent, _ = read_agent([ENGINE], {"agentSessions": sessions, "agentAnomaly": {"detectorReferences": flagged}})
    assert agent is not None
    assert (len(agent.sessions), len(agent.detectors)) == (MAX_SESSIONS, MAX_DETECTORS)


@given(JSON)
def test_no_json_breaks_it(told: Any) -> None:
    """Whatever stands where the agent should, the finding is read."""
    agent, faults = read_agent([ENGINE], told if isinstance(told, dict) else {"agent": told, "agentSessions": told})
    assert agent is not None
    assert (agent.name, faults) == ("7770001112223334445", [])
