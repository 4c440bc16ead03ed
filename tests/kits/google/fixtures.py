"""Google's side, as fixtures: its APIs (`security_center`, `cluster_manager`, `key_management`) and its emulators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.requirements import missing

if TYPE_CHECKING:  # Google's libraries are imported by a test that asks for one of these.
    from tests.kits.google.emulator import Emulator
    from tests.kits.google.emulator_process import Component
    from tests.kits.google.firestore import FirestoreEmulator
    from tests.kits.google.grpc_servers import ClusterManagerServer, SecurityCenterServer
    from tests.kits.google.key_management import KeyManagementServer

T = TypeVar("T")


@pytest.fixture
def security_center() -> Iterator[SecurityCenterServer]:
    """A Security Command Center of this test's own, without findings."""
    from tests.kits.google.grpc_servers import SecurityCenterServer

    with SecurityCenterServer() as server:
        yield server


@pytest.fixture
def cluster_manager() -> Iterator[ClusterManagerServer]:
    """A GKE API of this test's own, without clusters."""
    from tests.kits.google.grpc_servers import ClusterManagerServer

    with ClusterManagerServer() as server:
        yield server


@pytest.fixture
def key_management() -> Iterator[KeyManagementServer]:
    """A Cloud KMS of this test's own, with one key version."""
    from tests.kits.google.key_management import KeyManagementServer

    with KeyManagementServer() as server:
        yield server


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """Google's Pub/Sub emulator, one for the run."""
    from tests.kits.google import emulator as pubsub

    with ExitStack() as stack:
        started = _entered(stack, pubsub.running(), pubsub.PUBSUB, "Google's Pub/Sub emulator")
        stack.callback(started.close)
        yield started


@pytest.fixture(scope="session")
def firestore() -> Iterator[FirestoreEmulator]:
    """Google's Firestore emulator, one for the run. Tests are kept apart by their collections."""
    from tests.kits.google import firestore as firestore_emulator

    with ExitStack() as stack:
        yield _entered(stack, firestore_emulator.running(), firestore_emulator.FIRESTORE, "Google's Firestore emulator")


def _entered(stack: ExitStack, running: AbstractContextManager[T], component: Component, name: str) -> T:
    """The running emulator; without it, the test is skipped, and said to be."""
    from tests.kits.google.emulator_process import EmulatorUnavailable

    try:
        return stack.enter_context(running)
    except EmulatorUnavailable as error:
        missing(name, str(error), component.remedy)
