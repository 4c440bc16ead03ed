"""A Cloud Run with one service of two revisions, and the client of it, for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from tests.kits.google.cloud_run.samples import deploy, image
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import World


@pytest.fixture
def run_server() -> Iterator[CloudRunServer]:
    """Changes are reconciled a tenth of a second after they were asked for."""
    world = World(reconcile_seconds=0.1)
    deploy(world, image("a"))
    deploy(world, image("b"))
    with CloudRunServer(world) as server:
        yield server


@pytest.fixture
def run_admin(run_server: CloudRunServer) -> Iterator[CloudRunAdmin]:
    """The adapter, asking this test's server."""
    admin = CloudRunAdmin(endpoint=run_server.endpoint, timeout_seconds=5.0)
    yield admin
    admin.close()
