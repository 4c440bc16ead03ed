"""What Security Command Center shows of a case: written where it differs, and never over somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.cloud.securitycenter_v2.types import ExternalSystem
from msgspec.structs import replace

from scc_responder.adapters.google.external_systems import SYSTEM, ExternalSystems
from scc_responder.domain.errors import ApiError, RejectedMessage
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import case_digest
from tests.kits.google.grpc_servers import SecurityCenterServer
from tests.kits.google.scc_findings import FINDING, REVERSE_SHELL

NAME = FINDING.canonical_name or FINDING.name

FIELDS: dict[str, Any] = {
    "external_uid": "0a0a0a0a0a0a",
    "status": "waiting",
    "case_uri": "https://console.example.com/case/0a0a0a0a0a0a",
    "assignees": [],
    "case_sla": None,
}


@pytest.fixture
def server() -> Iterator[SecurityCenterServer]:
    """Security Command Center with one finding."""
    with SecurityCenterServer([REVERSE_SHELL]) as started:
        yield started


@pytest.fixture
def systems(server: SecurityCenterServer) -> Iterator[ExternalSystems]:
    """A writer on it."""
    opened = ExternalSystems(endpoint=server.endpoint)
    yield opened
    opened.close()


def test_it_is_written_once(server: SecurityCenterServer, systems: ExternalSystems) -> None:
    """The same said again is no write, so nothing echoes; what differs is one."""
    assert systems.write(NAME, FIELDS) == systems.write(NAME, FIELDS)
    assert len(server.updates) == 1
    systems.write(NAME, {**FIELDS, "status": "done", "assignees": ["ada@example.com"]})
    assert [request.external_system.status for request in server.updates] == ["waiting", "done"]
    (shown,) = server.items[0].finding.external_systems.values()
    assert (shown.status, list(shown.assignees), shown.name.rpartition("/")[2]) == ("done", ["ada@example.com"], SYSTEM)


def test_another_system_is_left_alone(server: SecurityCenterServer, systems: ExternalSystems) -> None:
    """The mask has fields of our own resource alone."""
    theirs = f"{NAME}/externalSystems/jira"
    server.items[0].finding.external_systems[theirs] = ExternalSystem(name=theirs, status="todo")
    systems.write(NAME, FIELDS)
    assert server.items[0].finding.external_systems[theirs].status == "todo"
    assert len(server.items[0].finding.external_systems) == 2


def test_a_finding_of_no_name_is_refused(systems: ExternalSystems) -> None:
    """No text of a finding enters a request unchecked."""
    with pytest.raises(RejectedMessage):
        systems.write('x" OR name:"', FIELDS)


@pytest.mark.parametrize("passed", [0, 1], ids=["read", "write"])
def test_a_refusal_names_the_permission(passed: int, server: SecurityCenterServer, systems: ExternalSystems) -> None:
    """Whoever reads the log line knows what to grant."""
    server.pass_next(count=passed)
    server.fail_next(grpc.StatusCode.PERMISSION_DENIED, "denied")
    with pytest.raises(ApiError) as refused:
        systems.write(NAME, FIELDS)
    assert refused.value.permission.startswith("securitycenter.finding")


def test_the_notification_that_follows_is_nothing_new() -> None:
    """Its finding has the case's own digest: it is settled as a duplicate."""
    finding = parse_notification(REVERSE_SHELL)
    document = {**REVERSE_SHELL, "finding": {**REVERSE_SHELL["finding"], "externalSystems": {"x": {"status": "done"}}}}
    assert case_digest(parse_notification(document)) == case_digest(finding)
    assert case_digest(replace(finding, category="Other")) != case_digest(finding)
