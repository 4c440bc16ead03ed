"""The client of Security Command Center, for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scc_responder.adapters.google.security_center import SecurityCenter
from tests.kits.google.grpc_servers import SecurityCenterServer
from tests.kits.google.scc_findings import SOURCES


@pytest.fixture
def client(security_center: SecurityCenterServer) -> Iterator[SecurityCenter]:
    """The adapter, asking this test's server."""
    adapter = SecurityCenter(sources=SOURCES, endpoint=security_center.endpoint, timeout_seconds=5.0)
    yield adapter
    adapter.close()
