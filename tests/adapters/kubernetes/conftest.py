"""Failed comparisons in the shared contract are explained like those in test files."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.adapters.kubernetes.api_contract")
