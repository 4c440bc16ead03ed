"""What a capture stores, and what it does while that takes long."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from scc_responder.domain.changes import StepRun
from scc_responder.domain.errors import ApiError
from scc_responder.execute.evidence import EvidenceObject
from scc_responder.execute.publish import store_side_by_side
from scc_responder.journal.claimed_case import LostLease

OBJECTS = [EvidenceObject(name=f"cases/c/{n}.json", content=b"{}", kind="pod") for n in range(3)]


class SlowStore:
    """`ports.Evidence` that stores nothing before it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.names: list[str] = []

    def put(self, name: str, _content: bytes) -> bool:
        assert self.may.wait(timeout=10)
        self.names.append(name)
        return True


def step(renew: object) -> StepRun:
    """A step whose case is kept by this."""
    return StepRun(action_id="a", dry_run=False, intended=False, intend=lambda: None, renew=renew)


def test_a_long_capture_keeps_its_case() -> None:
    """The lease is renewed while objects are being stored, so that no other delivery takes over."""
    store = SlowStore()
    with ThreadPoolExecutor(3) as pool:
        store_side_by_side(OBJECTS, store, pool, step(store.may.set), renew_seconds=0.01)

    assert sorted(store.names) == [item.name for item in OBJECTS]


def test_a_lost_case_stops_the_capture() -> None:
    """Where another delivery has taken over, the capture ends, and no manifest follows."""
    store = SlowStore()

    def lost() -> None:
        store.may.set()
        raise LostLease("lease_lost")

    with ThreadPoolExecutor(3) as pool, pytest.raises(LostLease):
        store_side_by_side(OBJECTS, store, pool, step(lost), renew_seconds=0.01)


def test_a_refused_object_is_told() -> None:
    """One object that cannot be stored fails the capture."""

    class Refusing:
        def put(self, _name: str, _content: bytes) -> bool:
            raise ApiError("evidence_forbidden", status=403, permission="storage.objects.create")

    with ThreadPoolExecutor(3) as pool, pytest.raises(ApiError, match="evidence_forbidden"):
        store_side_by_side(OBJECTS, Refusing(), pool, step(lambda: None))
