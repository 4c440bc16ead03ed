"""The server of local clusters."""

from __future__ import annotations

from tests.kits.local_clusters import context_server

__all__ = ["context_server"]
