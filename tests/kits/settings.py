"""Settings of a deployment on this machine."""

from __future__ import annotations

from pathlib import Path

from scc_responder.settings import Settings, read_settings


def local_settings(**more: str) -> Settings:
    """The least that a deployment needs, and these variables, given without their prefix."""
    given = {
        "CLUSTERS": "projects/example-project/locations/*/clusters/*",
        "SOURCES": "1",
        "STORE": "sqlite:////tmp/example.db",
        **more,
    }
    return read_settings({f"SCC_RESPONDER_{name}": value for name, value in given.items()}, Path("policies"))
