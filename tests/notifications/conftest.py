"""The small cluster of the pipeline's tests."""

from __future__ import annotations

from tests.pipeline.conftest import cluster, pod

__all__ = ["cluster", "pod"]
