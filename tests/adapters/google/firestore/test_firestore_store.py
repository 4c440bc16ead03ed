"""The production store keeps the stores' contract, on Google's emulator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.adapters.google.firestore.firestore_documents import ALL, DUE, UNFINISHED, FirestoreCollection
from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.domain.errors import StoreUnavailable
from scc_responder.domain.store import Entry
from tests.kits.google.firestore import FirestoreEmulator, Opened
from tests.kits.google.firestore_faults import FaultyFirestore
from tests.kits.store_conformance import CasStoreContract, read


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


def documents(opener: Opened) -> dict[str, dict[str, Any]]:
    """Every document of the collection by its id, as another of Google's clients reads it."""
    _, _, project, database, collection = opener.address.split("/")[:5]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", opener.host)
        client = Client(project=project, database=database, credentials=AnonymousCredentials())
    return {document.id: document.to_dict() or {} for document in client.collection(collection).stream()}


ATTACKERS = ["case/" + "k" * 507, "../../etc/passwd", "__name__", "..", "a/b/c", "事件", "'; DROP TABLE entries"]


@given(key=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=128))
def test_ids_are_digests(key: str) -> None:
    """Whatever a key says, a document's id is 64 hexadecimal digits: no path, nothing reserved, none too long."""
    name = FirestoreCollection.of("firestore://example-project/(default)").document(key)
    parent, _, identity = name.rpartition("/")
    assert parent == "projects/example-project/databases/(default)/documents/scc-responder"
    assert re.fullmatch(r"[0-9a-f]{64}", identity)


@pytest.mark.parametrize("key", ATTACKERS)
def test_a_key_that_means_something_elsewhere_is_a_field(store: FirestoreStore, opener: Opened, key: str) -> None:
    """It is kept where it can do no harm, and a person can still read it."""
    store.create(key, b"value")
    [(identity, document)] = documents(opener).items()
    assert (document["key"], document["value"]) == (key, b"value")
    assert re.fullmatch(r"[0-9a-f]{64}", identity)


def test_what_is_kept_for_a_while_says_until_when(opener: Opened) -> None:
    """`expires_at` is what the collection's time-to-live policy goes by; what is to stay has none."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    store = FirestoreStore(opener.address, emulator=opener.host, now=lambda: now)
    opener.stores.append(store)
    for key in ("closed", "reopened"):
        store.create(key, b"", keep=timedelta(days=400))
    store.create("open", b"")
    store.replace("reopened", b"", read(store, "reopened").version)
    found = {document["key"]: document.get("expires_at") for document in documents(opener).values()}
    assert found == {"closed": now + timedelta(days=400), "reopened": None, "open": None}


def test_an_unfinished_entry_has_a_field_more(opener: Opened) -> None:
    """It holds the key: so its own automatic index answers a scan, in key order, and holds no finished entry."""
    store = opener()
    store.create("case/open", b"", unfinished=True)
    store.create("case/done", b"")
    store.replace("case/closed", b"", store.create("case/closed", b"", unfinished=True).version)
    found = {document["key"]: document.get("unfinished") for document in documents(opener).values()}
    assert found == {"case/open": "case/open", "case/done": None, "case/closed": None}


@pytest.mark.parametrize("field", [ALL, UNFINISHED])
@pytest.mark.parametrize("cursor", ["", "case/1"])
def test_a_scan_needs_the_index_of_one_field(field: str, cursor: str) -> None:
    """The emulator answers any query; Firestore only those that an index serves, and no composite one is made."""
    collection = FirestoreCollection.of("firestore://example-project/(default)")
    query = collection.scan("case/", cursor, 100, field=field)["structured_query"]
    bounds = query["where"]["composite_filter"]["filters"]
    asked = [bound["field_filter"]["field"]["field_path"] for bound in bounds]
    assert {*asked, *(order["field"]["field_path"] for order in query["order_by"])} == {field}


@pytest.mark.parametrize("behind", [False, True])
def test_what_is_due_needs_the_index_of_one_field(behind: bool) -> None:
    """An index of one field is in the order of names where its values are the same: so a page goes on after any."""
    collection = FirestoreCollection.of("firestore://example-project/(default)")
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    after = Entry(key="case/1", value=b"", version="", server_time=now, due_at=now) if behind else None
    query = collection.scan_due(now, 100, after)["structured_query"]
    bounds = query["where"]["composite_filter"]["filters"]
    assert [bound["field_filter"]["field"]["field_path"] for bound in bounds] == [DUE]
    assert [order["field"]["field_path"] for order in query["order_by"]] == [DUE, "__name__"]
    assert ("start_at" in query) == behind


def test_many_are_one_request(opener: Opened) -> None:
    """However many keys, there and not: one call, and one answer to each."""
    opener().create("there", b"")
    with FaultyFirestore(opener.host) as counting:
        store = FirestoreStore(opener.address, emulator=counting.host)
        found = store.get_many(["there", *(f"not/{number}" for number in range(99))])
        assert store.get_many([]) == ()
        store.close()
        assert counting.calls == ["BatchGetDocuments"]
    assert [entry is not None for entry in found] == [True, *[False] * 99]


def test_a_closed_store_opens_again_at_the_next_call(store: FirestoreStore) -> None:
    """`close` lets go of the connection, no more."""
    store.create("key", b"value")
    store.close()
    store.close()
    assert read(store, "key").value == b"value"


def test_collections_are_apart(firestore: FirestoreEmulator, store: FirestoreStore) -> None:
    """Two deployments can share a database."""
    store.create("key", b"value")
    other = Opened(firestore.host, firestore.address())
    assert (other().get("key"), other().scan("").entries) == (None, ())
    other.close()


class Time:
    """A clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def test_pauses_grow_and_end_before_the_deadline() -> None:
    """An outage is not made worse by those who wait for its end."""
    time = Time()
    store = FirestoreStore("firestore://p/(default)", emulator="127.0.0.1:1", clock=time, wait=time.wait)
    with pytest.raises(StoreUnavailable):
        store.get("key")
    assert len(time.pauses) > 10
    assert all(low * 0.1 <= pause <= 1.0 for low, pause in zip((0.5, 1, 2, 4), time.pauses, strict=False))
    assert min(time.pauses[5:]) >= 0.5
    assert time.now <= 10.0
    store.close()


def test_without_an_identity_the_store_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding comes again, and the log says what is missing."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nowhere.json"))
    with pytest.raises(StoreUnavailable, match="no_credentials"):
        FirestoreStore("firestore://example-project/(default)").get("key")


def test_a_malformed_address_is_a_mistake_of_the_caller() -> None:
    """Settings have checked it before."""
    with pytest.raises(ValueError, match="example"):
        FirestoreStore("firestore://example")
