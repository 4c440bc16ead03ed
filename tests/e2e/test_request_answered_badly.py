"""Each request of a containment is answered badly once, on the real API server: only what needs the answer waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cluster import objects
from tests.cluster.control_plane import ControlPlane
from tests.kits.one_request import BAD_ANSWERS, CHANGES, NEEDED_BY, Once, delivered, made_twice, patience, purpose

SHORT = 3.0
"""Seconds that a silence lasts here."""

FAULTS = ("500", "403", "stall-after", "422", "another-uid", "half-an-answer", "reset-after", "another-object")
PAIRS = [(kind, FAULTS[number % len(FAULTS)]) for number, kind in enumerate(NEEDED_BY)]

Object = dict[str, Any]


@pytest.fixture
def pod(control_plane: ControlPlane, namespace: str, node: Object) -> Object:
    """One of two pods of a Deployment, on a node of its own."""
    control_plane.admin.create(objects.deployment("web", namespace, node["metadata"]["name"], replicas=2))
    return objects.running_pods(control_plane.admin, namespace, "web", count=2)[0]


@pytest.mark.parametrize(("kind", "fault"), PAIRS)
def test_a_request_answered_badly_stops_what_needs_it_alone(
    control_plane: ControlPlane, pod: Object, tmp_path: Path, *, kind: str, fault: str
) -> None:
    """Evidence is kept, what does not need the answer is done, and nothing is done twice."""
    once = Once(lambda call: purpose(call) == kind, BAD_ANSWERS[fault])

    result = delivered(tmp_path, control_plane, pod, once, patience(fault, SHORT))

    assert once.kind == kind
    assert result.is_kept
    assert result.done >= CHANGES - NEEDED_BY[kind]
    events = control_plane.audit(namespace=pod["metadata"]["namespace"])
    mine = (event for event in events if event.resource != "nodes" or event.name == pod["spec"]["nodeName"])
    assert not made_twice(mine)
