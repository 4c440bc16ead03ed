"""What every test may use."""

from __future__ import annotations

import pytest

from tests.requirements import RequirementsReport


def pytest_configure(config: pytest.Config) -> None:
    """Report requirements that could not be met."""
    config.pluginmanager.register(RequirementsReport(), "requirements-report")
