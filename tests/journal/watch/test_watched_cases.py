"""What cases under watch have in common, by what our own records say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.store import MAX_VALUE_BYTES
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.watch.watched_cases import (
    COMPARED_FOR,
    KEY,
    MOST_ALIKE,
    MOST_CASES,
    WatchedCase,
    WatchedCases,
    watched_case,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "store.db")


def watched(case: str, threat: str = "miner", workload: str = "c shop/Deployment/web", *images: str) -> WatchedCase:
    return WatchedCase(case=case, threat=threat, workload=workload, images=images, at=NOON)


OWN = watched("own", "miner", "c shop/Deployment/web", "sha256:1")
OTHERS = (
    watched("same", "miner", "c shop/Deployment/web"),
    watched("other-threat", "shell", "c shop/Deployment/web", "sha256:1"),
    watched("elsewhere", "shell", "c pay/Deployment/api", "sha256:2", "sha256:1"),
    watched("other-cluster", "miner", "d shop/Deployment/web", "sha256:3"),
)


def test_cases_of_one_workload_and_image_are_named(store: SqliteStore) -> None:
    """By a later sweep too, which knows them from the store."""
    known = WatchedCases(store, NOON)
    known.add((OWN, *OTHERS))
    known.keep()
    for each in (known, WatchedCases(store, NOON + timedelta(hours=1))):
        assert (each.same_threat(OWN), each.same_image(OWN)) == (("same",), ("elsewhere",))
    assert WatchedCases(store, NOON + COMPARED_FOR).same_threat(OWN) == ()


def test_nothing_new_is_no_write(store: SqliteStore) -> None:
    """A look at a case that is known costs one read of them."""
    known = WatchedCases(store, NOON)
    known.add([OWN])
    known.keep()
    entry = store.get(KEY)
    again = WatchedCases(store, NOON)
    again.add([OWN])
    again.keep()
    assert entry is not None
    assert entry.version == getattr(store.get(KEY), "version", "")


def test_the_entry_of_all_is_bounded(store: SqliteStore) -> None:
    """Many cases, with long names, are kept as far as they fit, the newest first to stay."""
    known = WatchedCases(store, NOON)
    known.add(watched(f"{number}", "t", f"c {'n' * 900}/Deployment/web") for number in range(MOST_CASES + 100))
    known.keep()
    entry = store.get(KEY)
    assert entry is not None
    assert len(entry.value) <= MAX_VALUE_BYTES
    assert len(known.same_threat(watched("x", "t", f"c {'n' * 900}/Deployment/web"))) == MOST_ALIKE


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b"\xff"])
def test_an_entry_that_cannot_be_read_is_begun_anew(store: SqliteStore, damage: bytes) -> None:
    """It is a convenience: no look fails for it."""
    store.create(KEY, damage)
    known = WatchedCases(store, NOON)
    known.add([OWN, *OTHERS])
    known.keep()
    assert WatchedCases(store, NOON).same_threat(OWN) == ("same",)


def test_a_case_without_a_workload_is_not_compared() -> None:
    """Nor one about which nothing was decided."""
    fields = {"finding_key": "0a" * 32, "finding_name": "f", "event_time": NOON, "digest": "d", "cluster": "c"}
    pod = {"namespace": "shop", "workload": "Deployment/web"}
    decided = CaseRecord(**fields, decision={"pod": pod, "threat": {"name": "miner"}, "images": ["sha256:1"]})
    assert watched_case(decided, NOON) == watched("0a0a0a0a0a0a", "miner", "c shop/Deployment/web", "sha256:1")
    for decision in ({}, {"pod": None}, {"pod": {"namespace": "shop", "workload": ""}}):
        assert watched_case(CaseRecord(**fields, decision=decision), NOON) is None


def test_a_service_of_cloud_run_is_a_workload() -> None:
    """By its path, which names project and region; a case without either is compared with none."""
    record = CaseRecord(finding_key="0a" * 32, finding_name="f", event_time=NOON, digest="d")
    run = {"kind": "service", "name": "projects/p/locations/l/services/checkout", "uid": "u", "meant": "r"}
    known = watched_case(replace(record, decision={"cloud_run": run, "images": ["sha256:1"], "pod": None}), NOON)
    assert known is not None
    assert (known.workload, known.images) == (run["name"], ("sha256:1",))
    assert watched_case(record, NOON) is None
