"""Google's side, as fixtures: `security_center`, `cluster_manager` and `emulator`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

import pytest

from tests.google import emulator as pubsub
from tests.google import firestore as firestore_emulator
from tests.google.emulator_process import Component, EmulatorUnavailable
from tests.google.firestore import FirestoreEmulator
from tests.google.grpc_servers import ClusterManagerServer, SecurityCenterServer
from tests.requirements import missing

T = TypeVar("T")


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
        started = _entered(stack, pubsub.running(), pubsub.PUBSUB, "Google's Pub/Sub emulator")
        stack.callback(started.close)
        yield started


@pytest.fixture(scope="session")
def firestore() -> Iterator[FirestoreEmulator]:
    """Google's Firestore emulator, one for the run. Tests are kept apart by their collections."""
    with ExitStack() as stack:
        yield _entered(stack, firestore_emulator.running(), firestore_emulator.FIRESTORE, "Google's Firestore emulator")


def _entered(stack: ExitStack, running: AbstractContextManager[T], component: Component, name: str) -> T:
    """The running emulator; without it, the test is skipped, and said to be."""
    try:
        return stack.enter_context(running)
    except EmulatorUnavailable as error:
        missing(name, str(error), component.remedy)
