"""Google's Firestore emulator, from the gcloud SDK."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection

from scc_responder.adapters.google.firestore.firestore_documents import FirestoreCollection
from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from tests.kits.google.emulator_process import Component

FIRESTORE = Component(
    name="cloud-firestore-emulator",
    jar="platform/cloud-firestore-emulator/cloud-firestore-emulator.jar",
    main="com.google.cloud.datastore.emulator.firestore.CloudFirestore",
    options=("-Duser.language=en",),
)


@dataclass(frozen=True)
class FirestoreEmulator:
    """A running emulator."""

    host: str
    pid: int

    def address(self) -> str:
        """A collection that nothing was written to yet, as settings name it."""
        return f"firestore://example-project/(default)/test-{uuid.uuid4().hex[:12]}"

    def forget(self, address: str) -> None:
        """Delete every document of the database that settings name."""
        path = f"/emulator/v1/{FirestoreCollection.of(address).database}/documents"
        connection = HTTPConnection(self.host, timeout=30)
        connection.request("DELETE", path)
        status = connection.getresponse().status
        connection.close()
        assert status == 200, f"{path}: {status}"


@contextmanager
def running() -> Iterator[FirestoreEmulator]:
    """A Firestore emulator of one's own; it ends with the block. Raises EmulatorUnavailable."""
    with FIRESTORE.running() as (host, pid):
        started = FirestoreEmulator(host, pid)
        # Its first answer takes seconds, on a busy machine more than the deadline of whoever asks.
        opened = Opened(host, started.address())
        opened().create("first", b"")
        opened.close()
        yield started


class Opened:
    """Opens one collection over and over, from any process, and closes what was opened here."""

    def __init__(self, host: str, address: str) -> None:
        self.host = host
        self.address = address
        self.stores: list[FirestoreStore] = []

    def __call__(self) -> FirestoreStore:
        # A busy machine is no fault: what is tested here does not depend on how long the emulator takes.
        self.stores.append(FirestoreStore(self.address, emulator=self.host, deadline_seconds=60, try_seconds=30))
        return self.stores[-1]

    def __reduce__(self) -> tuple[type[Opened], tuple[str, str]]:
        return Opened, (self.host, self.address)

    def close(self) -> None:
        for store in self.stores:
            store.close()
