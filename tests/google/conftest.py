"""Google's side, for the tests in this folder."""

from __future__ import annotations

from tests.google.fixtures import cluster_manager, emulator, firestore, security_center

__all__ = ["cluster_manager", "emulator", "firestore", "security_center"]
