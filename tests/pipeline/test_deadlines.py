"""How a request's time is shared out, for every timeout that the Terraform module allows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scc_responder.pipeline.containment import COLLECT_SECONDS
from scc_responder.pipeline.deadlines import cases_end, steps_end, waits_end
from scc_responder.settings import Settings, read_settings
from tests.docs.examples import ROOT

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RULE = re.search(
    r"timeout_seconds >= (\d+) && var.limits.timeout_seconds < (\d+)", (ROOT / "terraform" / "variables.tf").read_text()
)
assert RULE
SHORTEST, LONGEST = int(RULE[1]), int(RULE[2]) - 1


@given(st.integers(SHORTEST, LONGEST))
def test_late_cases_keep_their_share(timeout: int) -> None:
    """A case that a sweep begins last is read to its end; a step that starts last has 20 seconds."""
    settings = Settings(policies=Path(), clusters=(), sources=(), store="", timeout_seconds=timeout)
    end = NOON + timedelta(seconds=timeout)
    assert cases_end(NOON, settings) + timedelta(seconds=COLLECT_SECONDS) < end
    assert steps_end(NOON, settings) + timedelta(seconds=20) <= end
    assert steps_end(NOON, settings) < waits_end(NOON, settings) <= end - timedelta(seconds=10)
    assert NOON < cases_end(NOON, settings) < steps_end(NOON, settings)


def test_an_unknown_timeout_is_the_shortest() -> None:
    """Where nobody says the timeout, it is taken to be no longer than the shortest that the module allows."""
    given = {"CLUSTERS": "projects/p/locations/l/clusters/c", "SOURCES": "1", "STORE": "sqlite:///x.db"}
    environment = {f"SCC_RESPONDER_{name}": value for name, value in given.items()}
    assert read_settings(environment, Path()).timeout_seconds <= SHORTEST
    assert read_settings({**environment, "SCC_RESPONDER_TIMEOUT_SECONDS": "119"}, Path()).timeout_seconds == 119
