"""What fails, and what is only said."""

from __future__ import annotations

import pytest

from scc_responder.workbench.proof.claims import OF_ONE_PACK, WIDENING, ClaimKind, Shown


@pytest.mark.parametrize("kind", ClaimKind)
def test_what_widens_or_must_never_be_fails(kind: ClaimKind) -> None:
    """What is taken away, and what a guardrail holds, is said."""
    said = {ClaimKind.HELD_BY_GUARDRAILS, ClaimKind.TAKEN_AWAY, ClaimKind.MODE_LOWERED, ClaimKind.TIGHTENED}
    shown = Shown(kind=kind, policy="p", action="isolate_pod")
    assert shown.fails == (kind not in said)
    assert (kind in OF_ONE_PACK | WIDENING) == (kind not in said)


def test_one_more_message_or_piece_of_evidence_is_said() -> None:
    """It affects no target."""
    assert not Shown(kind=ClaimKind.ADDED, policy="p", action="notify", changes=False).fails
