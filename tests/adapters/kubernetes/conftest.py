"""The server of local clusters; failed comparisons in the shared contract are explained like those in test files."""

from __future__ import annotations

import pytest

from tests.kits.local_clusters import context_server

__all__ = ["context_server"]

pytest.register_assert_rewrite("tests.adapters.kubernetes.api_contract")
