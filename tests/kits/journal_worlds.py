"""Small worlds for tests of the journal: a clock that is set, a store that fails on demand, findings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Unpack

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import StoreOutcomeUnknown, StoreUnavailable
from scc_responder.domain.finding import Finding
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.domain.store import CasStore, Entry, Page, SearchedBy
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.journal import Claim, Journal
from scc_responder.journal.step import Step

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class SetClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FaultyStore:
    """A store whose next write is lost (`fail = "before"`) or whose answer is (`fail = "after"`); it counts calls.

    With `fail = "unknown"` a write is lost and nobody can tell; with `fail = "all"` nothing answers any more.

    `meanwhile` is what another process does just before the next write.
    """

    def __init__(self, store: CasStore) -> None:
        self.store = store
        self.fail = ""
        self.meanwhile: Callable[[], object] | None = None
        self.reads = 0
        self.writes = 0
        self.kept: dict[str, timedelta | None] = {}

    def get(self, key: str) -> Entry | None:
        return self.get_many((key,))[0]

    def get_many(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        self.reads += 1
        if self.fail == "all":
            raise StoreUnavailable(Reason.STORE_UNAVAILABLE)
        return self.store.get_many(keys)

    def create(self, key: str, value: bytes, *, keep: timedelta | None = None, **by: Unpack[SearchedBy]) -> Entry:
        self.kept[key] = keep
        return self._write(lambda: self.store.create(key, value, keep=keep, **by))

    def replace(
        self, key: str, value: bytes, version: str, *, keep: timedelta | None = None, **by: Unpack[SearchedBy]
    ) -> Entry:
        self.kept[key] = keep
        return self._write(lambda: self.store.replace(key, value, version, keep=keep, **by))

    def delete(self, key: str, version: str) -> None:
        self.store.delete(key, version)

    def scan(self, prefix: str, cursor: str | None = None, limit: int = 100, *, unfinished: bool = False) -> Page:
        return self.store.scan(prefix, cursor, limit, unfinished=unfinished)

    def scan_due(self, now: datetime, limit: int = 100, *, after: Entry | None = None) -> tuple[Entry, ...]:
        return self.store.scan_due(now, limit, after=after)

    def _write(self, write: Callable[[], Entry]) -> Entry:
        self.writes += 1
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        fail, self.fail = self.fail, self.fail if self.fail == "all" else ""
        if fail == "before":
            raise StoreUnavailable(Reason.STORE_UNAVAILABLE)
        if fail in {"unknown", "all"}:
            raise StoreOutcomeUnknown(Reason.STORE_OUTCOME_UNKNOWN)
        entry = write()
        if fail == "after":
            raise StoreOutcomeUnknown(Reason.STORE_OUTCOME_UNKNOWN)
        return entry


def finding(*, minutes: int = 0, content: str = "", **fields: Any) -> Finding:
    """A finding `minutes` after START, of some content."""
    values: dict[str, Any] = {
        "key": "0a" * 32,
        "name": "organizations/1/sources/2/locations/global/findings/f1",
        "canonical_name": "projects/3/sources/2/locations/global/findings/f1",
        "source_id": "2",
        "finding_id": "f1",
        "category": "Reverse Shell",
        "state": "ACTIVE",
        "event_time": START + timedelta(minutes=minutes),
        "principal": content,
    }
    return Finding(**(values | fields))


class JournalWorld:
    """A journal on an empty store, with a clock and faults at hand."""

    def __init__(self, path: Path) -> None:
        self.clock = SetClock()
        self.sqlite = SqliteStore(path, clock=self.clock)
        self.store = FaultyStore(self.sqlite)
        self.journal = Journal(self.store, self.clock)

    def claim(self, **fields: Any) -> Claim:
        return self.journal.claim(finding(**fields))

    def held(self, **fields: Any) -> ClaimedCase:
        case = self.claim(**fields).case
        assert case is not None
        return case

    def closed(self, state: CaseState = CaseState.DONE) -> JournalWorld:
        self.held().close(state, "contained")
        return self

    def record(self) -> CaseRecord:
        record = self.journal.read(finding().key)
        assert record is not None
        return record

    def stored(self) -> dict[str, Any]:
        entry = self.sqlite.get(f"case/{finding().key}")
        assert entry is not None
        fields: dict[str, Any] = json.loads(entry.value)
        return fields

    def rewrite(self, value: bytes) -> None:
        """Put other bytes in the case's place, as another version of the product or an intruder would."""
        entry = self.sqlite.get(f"case/{finding().key}")
        assert entry is not None
        self.sqlite.replace(entry.key, value, entry.version)


def step(number: int = 1, status: StepStatus = StepStatus.INTENT, **fields: Any) -> Step:
    """A step of a case, meant unless it has another status."""
    return Step(action_id=f"{number:032x}", action="label_pod", status=status, expected_uid=f"uid-{number}", **fields)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[JournalWorld]:
    """A journal on an empty store."""
    world = JournalWorld(tmp_path / "store.db")
    yield world
    world.sqlite.close()
