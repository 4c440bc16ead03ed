"""Ceilings and exemptions in the store: set, read with the switch, ended by time or by a person, and bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import StoreError
from scc_responder.domain.mode import Mode
from scc_responder.guard.kill_switch import GLOBAL, Setting, parse
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.persons_levers import clear, exempt
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope
from scc_responder.guard.timed.timed_exemptions import TimedExemption
from scc_responder.guard.timed.timed_levers import KEEP_ENDED, MOST_STANDING, limit
from tests.kits.journal_worlds import FaultyStore

CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
OTHER = "projects/example-project/locations/europe-west1/clusters/prod-2"
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FaultyStore]:
    opened = SqliteStore(tmp_path / "store.db")
    yield FaultyStore(opened)
    opened.close()


@pytest.fixture
def switch(store: FaultyStore) -> SwitchDocuments:
    turned = SwitchDocuments(store)
    turned.set(Setting(mode=Mode.ENFORCE, reason="r", by="b", at=datetime.now(UTC)))
    return turned


def ceiling(name: str = "contain", length: timedelta = HOUR, **fields: Any) -> TimedCeiling:
    now = datetime.now(UTC)
    values = {"scope": TimedScope.POLICY, "name": name, "mode": Mode.DRY_RUN, "at": now, "until": now + length}
    return TimedCeiling(**{**values, "reason": "INC-1", "by": "secops@example.com", **fields})


def exemption(case: str = "0123456789ab", length: timedelta = HOUR) -> TimedExemption:
    now = datetime.now(UTC)
    return TimedExemption(threat="t", uid=case, case=case, reason="r", by="b", at=now, until=now + length)


def raw(store: FaultyStore) -> dict[str, Any]:
    entry = store.get(GLOBAL)
    assert entry
    document: dict[str, Any] = json.loads(entry.value)
    return document


def test_what_stands_is_read_with_the_switch(store: FaultyStore, switch: SwitchDocuments) -> None:
    """One request reads switch, ceilings and exemptions; what ended, and what is elsewhere, is not among them."""
    standing = ceiling(place=CLUSTER)
    for item in (standing, ceiling("ended", -HOUR), ceiling("elsewhere", place=OTHER)):
        limit(switch, item)
    exempt(switch, exemption())
    store.reads = 0
    found = switch.ceiling(CLUSTER)
    assert store.reads == 1
    assert (found.mode, found.timed) == (Mode.ENFORCE, (standing,))
    assert [item.case for item in found.exemptions] == ["0123456789ab"]


def test_a_projects_ceiling_holds_in_its_clusters(switch: SwitchDocuments) -> None:
    """As the switch itself does."""
    limit(switch, ceiling(place="projects/example-project"))
    assert (len(switch.ceiling(CLUSTER).timed), len(switch.ceiling("").timed)) == (1, 0)


def test_the_last_version_changes_nothing_meanwhile(store: FaultyStore, switch: SwitchDocuments) -> None:
    """A reader that knows schema 1 alone takes the document for none while something stands, and reads it after."""
    assert raw(store)["schema"] == 1
    limit(switch, ceiling())
    assert raw(store)["schema"] == 2
    clear(switch, [ceiling()], "over")
    exempt(switch, exemption("0123456789ab", -HOUR))
    assert raw(store)["schema"] == 1
    exempt(switch, exemption())
    assert raw(store)["schema"] == 2


def test_a_later_schema_without_a_ceiling_is_unusable(store: FaultyStore, switch: SwitchDocuments) -> None:
    """Nobody of this version wrote it."""
    limit(switch, ceiling())
    document = raw(store)
    assert parse(json.dumps(document).encode(), "") is not None
    assert parse(json.dumps({**document, "timed": []}).encode(), "") is None
    assert parse(json.dumps({**document, "schema": 3}).encode(), "") is None


def test_turning_the_switch_keeps_what_stands(switch: SwitchDocuments) -> None:
    """Whoever sets the mode for everywhere does not end another person's ceiling."""
    limit(switch, ceiling())
    switch.set(Setting(mode=Mode.APPROVE, reason="r", by="b", at=datetime.now(UTC)))
    assert (switch.ceiling("").mode, len(switch.ceiling("").timed)) == (Mode.APPROVE, 1)


def test_a_later_one_takes_the_place_of_the_same(switch: SwitchDocuments) -> None:
    """The last word on a policy counts, also where it ends sooner."""
    limit(switch, ceiling(length=2 * HOUR))
    limit(switch, ceiling(mode=Mode.APPROVE))
    (found,) = switch.ceiling("").timed
    assert found.mode is Mode.APPROVE


def test_without_a_switch_nothing_is_set(store: FaultyStore) -> None:
    """There nothing is changed anyway; a ceiling must not look as if somebody had turned the switch on."""
    with pytest.raises(StoreError, match="First say how far"):
        limit(SwitchDocuments(store), ceiling())
    assert store.get(GLOBAL) is None


def test_only_so_many_may_stand(switch: SwitchDocuments) -> None:
    """One more than the most is refused; those that ended make room, and few of them are kept."""
    for number in range(KEEP_ENDED + 5):
        limit(switch, ceiling(f"ended-{number}", -HOUR))
    for number in range(MOST_STANDING):
        limit(switch, ceiling(f"p-{number}"))
    with pytest.raises(StoreError, match="stand already"):
        limit(switch, ceiling("one-more"))
    control = switch.read()
    assert control is not None
    assert len(control.timed) == KEEP_ENDED + MOST_STANDING
    clear(switch, [ceiling("p-0")], "over")
    limit(switch, ceiling("one-more"))


def test_two_people_at_once_both_count(store: FaultyStore, switch: SwitchDocuments) -> None:
    """The second writer reads again what the first one wrote."""
    store.meanwhile = lambda: limit(SwitchDocuments(store.store), ceiling("first"))
    limit(switch, ceiling("second"))
    assert [item.name for item in switch.ceiling("").timed] == ["first", "second"]


@pytest.mark.parametrize("hours", [-100, -3, 3, 100])
def test_a_desk_with_a_wrong_clock_sets_the_length_that_it_says(tmp_path: Path, hours: int) -> None:
    """The store's clock says when it ends: what was asked for two hours stands for two hours, and what lasts, lasts."""
    now = datetime.now(UTC) + timedelta(hours=hours)
    store = SqliteStore(tmp_path / "store.db", clock=lambda: now)
    switch = SwitchDocuments(store)
    switch.set(Setting(mode=Mode.ENFORCE, reason="r", by="b", at=now))
    limit(switch, ceiling(length=2 * HOUR))
    exempt(switch, exemption(length=2 * HOUR))
    lasting = datetime(9999, 12, 31, tzinfo=UTC)
    limit(switch, ceiling("wrong", scope=TimedScope.ERROR_BUDGET, until=lasting))
    for minutes, standing in ((0, 3), (119, 3), (121, 1)):
        at = now + timedelta(minutes=minutes)
        found = SwitchDocuments(SqliteStore(tmp_path / "store.db", clock=lambda at=at: at)).ceiling("")
        assert len(found.timed) + len(found.exemptions) == standing
    assert [item.until for item in found.timed] == [lasting]
