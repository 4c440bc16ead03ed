"""Google's side, as fixtures: `security_center`, `cluster_manager` and `emulator`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.google import emulator as pubsub
from tests.google.grpc_servers import ClusterManagerServer, SecurityCenterServer
from tests.requirements import missing


@pytest.fixture
def security_center() -> Iterator[SecurityCenterServer]:
    """A Security Command Center of this test's own, without findings."""
    with SecurityCenterServer() as server:
        yield server


@pytest.fixture
def cluster_manager() -> Iterator[ClusterManagerServer]:
    """A GKE API of this test's own, without clusters."""
    with ClusterManagerServer() as server:
        yield server


@pytest.fixture(scope="session")
def emulator() -> Iterator[pubsub.Emulator]:
    """Google's Pub/Sub emulator, one for the run."""
    with ExitStack() as stack:
        try:
            started = stack.enter_context(pubsub.running())
        except pubsub.EmulatorUnavailable as error:
            missing("Google's Pub/Sub emulator", str(error), pubsub.REMEDY)
        stack.callback(started.close)
        yield started
