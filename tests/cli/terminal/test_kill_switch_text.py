"""The kill switch, in lines for people."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli.terminal.kill_switch_text import ceiling_text, control_line, control_notice, setting_text
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.guard.kill_switch import Control, KillSwitchCeiling
from scc_responder.guard.switch_documents import SwitchDocuments

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE = "projects/example-project/locations/europe-west1/clusters/prod-1"


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("", "dry_run"),
        (Reason.CONTROL_MISSING, "dry_run (no document says otherwise, so nothing is changed)"),
        (Reason.CONTROL_UNUSABLE, "dry_run (the document makes no sense, so nothing is changed)"),
    ],
)
def test_a_ceiling_says_why_it_is_low(reason: str, text: str) -> None:
    """Where a person set it, the mode is enough."""
    assert ceiling_text(KillSwitchCeiling(mode=Mode.DRY_RUN, reason=reason)) == text


def test_a_start_says_how_to_enforce(tmp_path: Path) -> None:
    """An empty store changes nothing, and the command that turns the switch is shown."""
    store = SqliteStore(tmp_path / "store.db")
    try:
        notice = control_notice(SwitchDocuments(store), "sqlite:///x.db")
    finally:
        store.close()
    assert notice.startswith("control: dry_run (no document")
    assert notice.endswith("scc-responder control set enforce --reason WHY --store sqlite:///x.db")


def test_a_document_reads_as_one_line() -> None:
    """Mode, place, since when, by whom and why; text of others is made visible."""
    control = Control(mode=Mode.ENFORCE, at=NOON, by="ann", reason="go\x1b")
    assert setting_text(control) == "since 2026-03-02T12:00:00+00:00 by ann: go\x1b"
    assert control_line(control).startswith("enforce    everywhere since")
    assert "\x1b" not in control_line(control)
    assert ONE in control_line(Control(mode=Mode.DISABLED, at=NOON, by="ann", reason="stop", cluster=ONE))
