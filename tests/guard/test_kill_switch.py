"""The kill switch in a store: what a person set counts from the next read on, and a store that fails gives nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import RetryableError, StoreError
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import Entry
from scc_responder.guard.kill_switch import KillSwitchCeiling, Setting, key_of
from scc_responder.guard.switch_documents import SwitchDocuments
from tests.kits.google.firestore import FirestoreEmulator, Opened
from tests.kits.journal_worlds import FaultyStore

CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
OTHER = "projects/example-project/locations/europe-west1/clusters/prod-2"


@pytest.fixture(params=["sqlite", "firestore"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FaultyStore]:
    """Each kind of store, which fails when told."""
    if request.param == "sqlite":
        opened = SqliteStore(tmp_path / "store.db")
        yield FaultyStore(opened)
        opened.close()
        return
    emulator: FirestoreEmulator = request.getfixturevalue("firestore")
    addresses = Opened(emulator.host, emulator.address())
    yield FaultyStore(addresses())
    addresses.close()


def setting(mode: Mode, reason: str = "INC-1") -> Setting:
    return Setting(mode=mode, reason=reason, by="secops@example.com", at=datetime(2026, 3, 1, tzinfo=UTC))


def test_a_change_counts_at_once(store: FaultyStore) -> None:
    """It counts at once, for another process too; one cluster's is its own."""
    switch, other_process = SwitchDocuments(store), SwitchDocuments(store)
    assert other_process.ceiling(CLUSTER) == KillSwitchCeiling(mode=Mode.DRY_RUN, reason="control_missing")
    switch.set(setting(Mode.ENFORCE))
    assert other_process.ceiling(CLUSTER) == KillSwitchCeiling(mode=Mode.ENFORCE)
    switch.set(setting(Mode.DISABLED), CLUSTER)
    assert other_process.ceiling(CLUSTER) == KillSwitchCeiling(mode=Mode.DISABLED)
    assert other_process.ceiling(OTHER) == KillSwitchCeiling(mode=Mode.ENFORCE)
    assert other_process.ceiling("") == KillSwitchCeiling(mode=Mode.ENFORCE)


def test_reading_costs_one_request(store: FaultyStore) -> None:
    """It costs one request, whether a cluster is meant or not: neither document is newer than the other by a moment."""
    switch = SwitchDocuments(store)
    switch.ceiling(CLUSTER)
    assert store.reads == 1
    switch.ceiling("")
    assert store.reads == 2


def test_an_unreadable_store_allows_nothing(store: FaultyStore) -> None:
    """While the store does not answer, nobody is told that anything may be done."""
    switch = SwitchDocuments(store)
    switch.set(setting(Mode.ENFORCE))
    store.fail = "all"
    with pytest.raises(RetryableError) as caught:
        switch.ceiling(CLUSTER)
    assert caught.value.reason == "control_unreadable"


class Broken(FaultyStore):
    """A store whose answer about one key is none."""

    def __init__(self, store: FaultyStore, key: str) -> None:
        super().__init__(store.store)
        self.key = key

    def get_many(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        if self.key in keys:
            raise StoreError(Reason.LEDGER_UNUSABLE, self.key)
        return super().get_many(keys)


@pytest.mark.parametrize("cluster", ["", CLUSTER], ids=["everywhere", "one-cluster"])
def test_an_unusable_entry_means_dry_run(store: FaultyStore, cluster: str) -> None:
    """What stands there and is no entry of ours means `dry_run`, also where the other document enforces."""
    SwitchDocuments(store).set(setting(Mode.ENFORCE))
    SwitchDocuments(store).set(setting(Mode.ENFORCE), CLUSTER)
    switch = SwitchDocuments(Broken(store, key_of(cluster)))
    assert switch.ceiling(CLUSTER) == KillSwitchCeiling(mode=Mode.DRY_RUN, reason="control_unusable")
