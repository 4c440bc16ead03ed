"""Of each hold: one command that a person can run now."""

from __future__ import annotations

import pytest

from scc_responder.cli.main import COMMANDS
from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.remedies import remedy

ROWS = [
    ("limit_owner", "scc-responder case do 0a0a delete_pod --reason 'WHY'"),
    ("finding_too_old", "scc-responder case do 0a0a delete_pod --reason 'WHY'"),
    ("storm_breaker", "scc-responder breaker reset --cluster c --reason 'WHY' --store STORE"),
    ("cluster_paused", "kubectl annotate namespace default scc-responder/mode-"),
    ("namespace_protected", "scc-responder case resume 0a0a"),
    ("of_a_later_version", "scc-responder case resume 0a0a"),
]


@pytest.mark.parametrize(("reason", "command"), ROWS)
def test_each_hold_has_a_command(reason: str, command: str) -> None:
    """Also one that this version does not know."""
    assert remedy(reason, "0a0a", "delete_pod", "c") == command


def test_each_command_is_one_of_ours() -> None:
    """No reason leads to a command that is not there."""
    for reason in Reason:
        first, second, *_ = remedy(reason, "0a0a", "delete_pod", "c").split()
        assert first == "kubectl" or second in COMMANDS
