"""A folder without policies is the wrong folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.cli.console.policy_folder import require_policies
from scc_responder.domain.errors import SettingsError


def test_an_empty_folder_names_the_option() -> None:
    """One policy is enough."""
    require_policies(1, Path("policies"))
    with pytest.raises(SettingsError, match="no policies in other; name their folder with --policies"):
        require_policies(0, Path("other"))
