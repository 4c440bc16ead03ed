"""A healthy deployment on Google's emulators, local gRPC servers and the real API server, for tests that break it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.doctor.member import Member
from tests.cli.doctor.patient import Patient
from tests.cluster.control_plane import ControlPlane
from tests.kits.google.emulator import Emulator
from tests.kits.google.firestore import FirestoreEmulator
from tests.kits.google.grpc_servers import ClusterManagerServer, SecurityCenterServer

Google = tuple[SecurityCenterServer, ClusterManagerServer]


@pytest.fixture(scope="module")
def sound(control_plane: ControlPlane) -> Iterator[Member]:
    """The responder in the cluster, with its role and admission policies. Nobody may break it."""
    with Member(control_plane) as member:
        member.install()
        yield member


@pytest.fixture
def member(control_plane: ControlPlane) -> Iterator[Member]:
    """The responder in the cluster, of this test's own, and nothing installed yet."""
    with Member(control_plane) as member:
        yield member


@pytest.fixture
def google(security_center: SecurityCenterServer, cluster_manager: ClusterManagerServer) -> Google:
    """Google's APIs that have no emulator."""
    return security_center, cluster_manager


@pytest.fixture
def patient(
    sound: Member, emulator: Emulator, firestore: FirestoreEmulator, google: Google, tmp_path: Path
) -> Iterator[Patient]:
    """The deployment, healthy."""
    with Patient(tmp_path, emulator, firestore, *google) as made:
        made.joined(sound)
        yield made
