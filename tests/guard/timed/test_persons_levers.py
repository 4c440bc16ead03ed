"""What a person exempts or ends is written in one turn of the switch, and says by whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import StoreError
from scc_responder.domain.mode import Mode
from scc_responder.guard.kill_switch import GLOBAL, Setting
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.persons_levers import clear, exempt
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope
from scc_responder.guard.timed.timed_exemptions import TimedExemption
from scc_responder.guard.timed.timed_levers import limit

NOW = datetime.now(UTC)
SOON = NOW + timedelta(hours=1)
CEILING = TimedCeiling(
    scope=TimedScope.POLICY, name="contain", mode=Mode.DRY_RUN, reason="INC-1", by="b", at=NOW, until=SOON
)
EXEMPTION = TimedExemption(threat="t", uid="u", case="0123456789ab", reason="r", by="b", at=NOW, until=SOON)


def test_what_is_cleared_says_by_whom(tmp_path: Path) -> None:
    """It stands no more, and is shown for a while with why it was ended; what was not named stands."""
    switch = SwitchDocuments(SqliteStore(tmp_path / "store.db"))
    switch.set(Setting(mode=Mode.ENFORCE, reason="r", by="b", at=NOW))
    limit(switch, CEILING)
    exempt(switch, EXEMPTION)
    assert len(switch.ceiling("").exemptions) == 1
    assert [item.until >= SOON for item in clear(switch, [CEILING], "over").exemptions] == [True]
    control = clear(switch, [CEILING, EXEMPTION], "ended by me: over")
    assert (switch.ceiling("").timed, switch.ceiling("").exemptions) == ((), ())
    assert [item.reason for item in control.timed] == ["INC-1; over; ended by me: over"]
    assert [item.reason for item in control.exemptions] == ["r; ended by me: over"]


def test_without_a_switch_nothing_is_cleared(tmp_path: Path) -> None:
    """There nothing is changed anyway: it must not look as if somebody had turned the switch on."""
    store = SqliteStore(tmp_path / "store.db")
    with pytest.raises(StoreError, match="First say how far"):
        clear(SwitchDocuments(store), [CEILING], "")
    assert store.get(GLOBAL) is None
