"""Whoever may read the findings of one project or folder alone: every later look at a finding is under it, too.

A notification's `name` is under the organisation whatever its config is for; its `canonicalName` is under the project
of what it is about. Source: `Finding.canonical_name` in google/cloud/securitycenter/v2/finding.proto.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.google.security_center import SecurityCenter
from scc_responder.domain.mode import Mode
from scc_responder.guard.resumed_case import resume
from scc_responder.intake.envelope import MAX_DATA_BYTES
from scc_responder.journal.journal import LEASE
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import answered
from tests.kits.google.grpc_servers import SecurityCenterServer, item
from tests.kits.responder import ALL, Deployment, deployed, finding_about, policy
from tests.pipeline.test_sweep import crashed, later, swept

PROJECT, ORGANIZATION = "projects/100000000001", "organizations/123456789012"
GRANTS = {
    "organization": {PROJECT, ORGANIZATION},
    "folder": {PROJECT, "folders/300000000003"},
    "project": {PROJECT},
}
"""On what a role counts that is bound on each: on all below it."""


@pytest.fixture(params=GRANTS)
def security_center(request: pytest.FixtureRequest) -> Iterator[SecurityCenterServer]:
    """Security Command Center, as it answers to who has the role on this scope."""
    with SecurityCenterServer() as server:
        server.granted_on = GRANTS[request.param]
        yield server


@pytest.fixture
def mode() -> str:
    return "enforce"


@pytest.fixture
def deployment(
    tmp_path: Path, cluster: SimulatedCluster, security_center: SecurityCenterServer, mode: str
) -> Iterator[Deployment]:
    """A responder that reads findings there."""
    responder = deployed(tmp_path, cluster, policy(*ALL, mode=mode))
    adapter = SecurityCenter(sources=responder.services.settings.sources, endpoint=security_center.endpoint)
    responder.services.findings = adapter
    yield responder
    adapter.close()


@pytest.fixture
def document(pod: dict[str, Any], security_center: SecurityCenterServer) -> dict[str, Any]:
    """A notification of a finding that is listed."""
    made = finding_about(pod)
    assert made["finding"]["name"].startswith(ORGANIZATION)
    assert made["finding"]["canonicalName"].startswith(PROJECT)
    security_center.items = [item(made)]
    return made


def test_every_scope_contains_a_finding(deployment: Deployment, document: dict[str, Any]) -> None:
    """A finding is contained in every scope."""
    assert deployment.deliver(document).reason == "done"


def test_a_crashed_case(deployment: Deployment, document: dict[str, Any]) -> None:
    """The sweep reads the finding by the name that it may read."""
    crashed(deployment, document, 2)
    later(deployment, LEASE + timedelta(seconds=1))
    assert swept(deployment) == {"resumed": 1}
    assert deployment.case(document).state == "done"


def test_a_case_that_the_kill_switch_held(deployment: Deployment, document: dict[str, Any]) -> None:
    """It is gone on with once the switch is turned back."""
    deployment.turn(Mode.DISABLED)
    assert deployment.deliver(document).reason == "control_disabled"
    deployment.turn(Mode.ENFORCE)
    assert swept(deployment) == {"resumed": 1}
    assert deployment.case(document).state == "done"


def test_a_case_that_a_person_resumes(deployment: Deployment, document: dict[str, Any]) -> None:
    """So it is at a person's wish."""
    deployment.turn(Mode.DISABLED)
    deployment.deliver(document)
    deployment.turn(Mode.ENFORCE)
    deployment.services.journal.apply(
        deployment.case(document).finding_key, partial(resume, now=deployment.services.clock())
    )
    assert swept(deployment) == {"resumed": 1}
    assert deployment.case(document).state == "done"


@pytest.mark.parametrize("mode", ["approve"])
def test_an_approved_plan(deployment: Deployment, document: dict[str, Any]) -> None:
    """What a person approved is carried out at once."""
    assert deployment.deliver(document).reason == "waiting_for_approval"
    assert answered(deployment, document).reason == "done"


def test_an_oversize_notification(deployment: Deployment, document: dict[str, Any]) -> None:
    """A padded notification's finding is read by the better of its two names."""
    padded = document | {"padding": "a" * MAX_DATA_BYTES}
    body = {"message": {"data": base64.b64encode(json.dumps(padded).encode()).decode(), "messageId": "1"}}
    assert deployment.push(json.dumps(body).encode()).reason == "done"


def test_a_notification_without_a_canonical_name(
    deployment: Deployment, document: dict[str, Any], security_center: SecurityCenterServer
) -> None:
    """Whoever could read the finding all the same keeps the name that its source gives it."""
    security_center.granted_on = None
    copy = document | {"finding": {key: value for key, value in document["finding"].items() if key != "canonicalName"}}
    assert deployment.deliver(copy).reason == "done"
    assert deployment.case(document).canonical_name == document["finding"]["canonicalName"]
