"""How people turn the kill switch: nothing of what two of them say at once is lost."""

from __future__ import annotations

from scc_responder.domain.mode import Mode
from scc_responder.guard.kill_switch import key_of
from scc_responder.guard.switch_documents import SwitchDocuments
from tests.guard.test_kill_switch import CLUSTER, setting, store
from tests.kits.journal_worlds import FaultyStore

__all__ = ["store"]


def test_two_writers_both_stay_in_history(store: FaultyStore) -> None:
    """Two people at the same moment: both are kept, the later one counts."""
    switch = SwitchDocuments(store)
    switch.set(setting(Mode.ENFORCE, "first"))
    store.meanwhile = lambda: SwitchDocuments(store.store).set(setting(Mode.DRY_RUN, "meanwhile"))
    switch.set(setting(Mode.DISABLED, "last"))
    found = switch.read()
    assert found is not None
    assert (found.mode, [item.reason for item in found.history]) == (Mode.DISABLED, ["meanwhile", "first"])


def test_first_at_the_same_moment(store: FaultyStore) -> None:
    """The first document of a store, made by two people at once."""
    store.meanwhile = lambda: SwitchDocuments(store.store).set(setting(Mode.DRY_RUN, "meanwhile"), CLUSTER)
    made = SwitchDocuments(store).set(setting(Mode.DISABLED, "last"), CLUSTER)
    assert [item.reason for item in made.history] == ["meanwhile"]


def test_nonsense_is_replaced(store: FaultyStore) -> None:
    """A document that makes no sense is listed as such, and can be set anew."""
    store.create(key_of(CLUSTER), b"junk")
    store.create("control/cluster/forged", b'{"mode":"enforce","reason":"","by":"","at":"2026-03-01T00:00:00Z"}')
    switch = SwitchDocuments(store)
    assert dict(switch.documents()) == {key_of(CLUSTER): None, "control/cluster/forged": None}
    switch.set(setting(Mode.DRY_RUN), CLUSTER)
    assert switch.read(CLUSTER) == dict(switch.documents())[key_of(CLUSTER)]
