"""The policies that come with the product, as they were shipped: `scc_responder/pack`, recorded from `policies/`."""

from __future__ import annotations

from pathlib import Path

PACK = Path(__file__).parents[2] / "pack"
"""A folder of policies: each with its cases, and the guardrails that teams begin with."""
