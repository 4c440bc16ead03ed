"""The production store keeps the stores' contract, on Google's emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scc_responder.adapters.firestore_store import FirestoreStore
from tests.google.firestore import FirestoreEmulator, Opened
from tests.store.conformance import CasStoreContract


@pytest.fixture
def opener(firestore: FirestoreEmulator) -> Iterator[Opened]:
    opened = Opened(firestore.host, firestore.address())
    yield opened
    opened.close()


@pytest.fixture
def store(opener: Opened) -> FirestoreStore:
    return opener()


class TestFirestoreStore(CasStoreContract):
    """All of the contract."""
