"""The kustomization in force: `shipped` with its own RBAC alone, `wide` with an identity that is a cluster-admin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.admission.installed import Installed
from tests.cluster import objects
from tests.cluster.control_plane import ControlPlane


def _installed(plane: ControlPlane, *, wide: bool) -> Iterator[Installed]:
    installed = Installed(plane, objects.create_namespace(plane.admin), wide=wide)
    try:
        installed.apply()
        yield installed
    finally:
        installed.remove()
        plane.admin.delete(f"/api/v1/namespaces/{installed.namespace}")


@pytest.fixture(scope="module")
def shipped(control_plane: ControlPlane) -> Iterator[Installed]:
    """What is shipped, and nothing else."""
    yield from _installed(control_plane, wide=False)


@pytest.fixture(scope="module")
def wide(control_plane: ControlPlane) -> Iterator[Installed]:
    """What is shipped, for an identity that RBAC allows everything."""
    yield from _installed(control_plane, wide=True)
