"""A small cluster with a compromised pod in it (kits/compromised_pod.py)."""

from __future__ import annotations

from tests.kits.compromised_pod import cluster, pod

__all__ = ["cluster", "pod"]
