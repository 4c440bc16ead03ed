"""Refuse a folder without policies: "nothing is wrong" would mislead."""

from __future__ import annotations

from pathlib import Path

from scc_responder.domain.errors import SettingsError


def require_policies(count: int, folder: Path) -> None:
    """Raises SettingsError `no_policies` for a folder without any."""
    if not count:
        raise SettingsError("no_policies", f"no policies in {folder}; name their folder with --policies")
