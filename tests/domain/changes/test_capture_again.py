"""Evidence that is captured again after a change: it observes, and says which change it came after."""

from __future__ import annotations

from datetime import UTC, datetime

from scc_responder.domain.changes import restored, stored
from scc_responder.domain.changes.capture_again import CAPTURES_AGAIN, CaptureAgain


def test_it_observes_and_keeps_the_time_of_the_change() -> None:
    """As the journal stores it, and with no object of Kubernetes."""
    change = CaptureAgain(changed_at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    assert (change.declared, change.declared.observes, change.target) == (CAPTURES_AGAIN, True, None)
    assert restored(stored(change)) == change
