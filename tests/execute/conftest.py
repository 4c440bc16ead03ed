"""A small cluster with a compromised pod (kits/compromised_pod.py), and an empty journal (kits/journal_worlds.py)."""

from __future__ import annotations

from tests.kits.compromised_pod import cluster, pod
from tests.kits.journal_worlds import world

__all__ = ["cluster", "pod", "world"]
