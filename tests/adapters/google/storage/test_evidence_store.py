"""Evidence is created, never changed, in a folder and in a bucket alike."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from scc_responder.adapters.google.storage.evidence_store import EvidenceStore
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.finding import Threat
from scc_responder.domain.ports import Evidence
from scc_responder.execute.evidence.manifest import evidence_statement
from scc_responder.execute.evidence.sealing import seal
from tests.kits.captures import evidence
from tests.kits.journal_worlds import START, finding
from tests.kits.racers import in_threads

NAME = "cases/0a0a0a0a0a0a/pod-0123456789abcdef.json"


class Bucket(ThreadingHTTPServer):
    """Google Cloud Storage's XML API, as far as creating an object goes. `answer` is the status of the next ones."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Upload)
        self.objects: dict[str, bytes] = {}
        self.requests: list[dict[str, str]] = []
        self.answer = 200

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Upload(BaseHTTPRequestHandler):
    """One PUT."""

    server: Bucket
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.requests.append({name.lower(): value for name, value in self.headers.items()})
        status = self.server.answer
        path = unquote(self.path)
        if status == 200 and self.headers["x-goog-if-generation-match"] == "0" and path in self.server.objects:
            status = 412
        if status == 200:
            self.server.objects[path] = content
        self.send_response(status)
        self.send_header("etag", '"1"')
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Keep the test output quiet."""


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    server = Bucket()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["folder", "bucket"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Evidence, Any]:
    """A store, and a function that reads one of its objects by another way."""
    if request.param == "folder":
        return EvidenceStore(f"file://{tmp_path}/evidence"), lambda name: (tmp_path / "evidence" / name).read_bytes()
    server = request.getfixturevalue("bucket")
    store = EvidenceStore("gs://example-evidence/responder", endpoint=server.endpoint)
    return store, lambda name: server.objects[f"/example-evidence/responder/{name}"]


def test_a_new_object_is_stored(kept: tuple[Evidence, Any]) -> None:
    """True says so."""
    store, read = kept
    assert store.put(NAME, b"content") is True
    assert read(NAME) == b"content"


def test_an_object_that_is_there_is_left_as_it_is(kept: tuple[Evidence, Any]) -> None:
    """Who can repeat a finding can not overwrite what was kept of it."""
    store, read = kept
    store.put(NAME, b"first")
    assert [store.put(NAME, content) for content in (b"second", b"first", b"")] == [False, False, False]
    assert read(NAME) == b"first"


def test_of_many_that_store_one_name_at_once_one_does(kept: tuple[Evidence, Any]) -> None:
    """Two captures at the same moment."""
    assert sum(in_threads(8, lambda: kept[0].put(NAME, b"content"))) == 1


def test_a_second_capture_leaves_the_first_byte_for_byte(kept: tuple[Evidence, Any]) -> None:
    """Fifty repetitions of a finding, each with a changed pod."""
    store, read = kept
    first: dict[str, bytes] = {}
    for number in range(50):
        items = {"pod": {"kind": "Pod", "metadata": {"name": "web-1", "labels": {"turn": str(number)}}}}
        threat = Threat(name="reverse_shell", surface="pod", kind="ioc", confidence="likely")
        context = Context(finding=finding(), threat=threat, objects=items)
        objects = evidence(context)
        statement = evidence_statement(context, (), [item.stored for item in objects], START)
        for item in (*objects, seal("0a0a0a0a0a0a", statement, None).manifest):
            store.put(item.name, item.content)
            first.setdefault(item.name, item.content)
    assert len(first) == 101
    assert first == {name: read(name) for name in first}


BAD_NAMES = [
    *(
        "",
        "A",
        "../x",
        "a/../b",
        "a/./b",
        "..",
        "/etc/passwd",
        "a//b",
        "a/",
        "a\0b",
        "a b",
        "ä",
        "a\n",
        "a\\b",
        "a%2fb",
    ),
    *("x" * 201, ".", "\ud800", "a/..."),
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_a_name_of_other_than_plain_words_is_refused(kept: tuple[Evidence, Any], tmp_path: Path, name: str) -> None:
    """Nothing is written, least of all elsewhere."""
    with pytest.raises(ApiError) as caught:
        kept[0].put(name, b"content")
    assert caught.value.reason == "invalid_name"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_object_in_a_bucket_is_created_only_and_never_shown_as_a_page(bucket: Bucket) -> None:
    """Evidence must not attack the analyst's browser."""
    store = EvidenceStore("gs://example-evidence", endpoint=bucket.endpoint)
    store.put(NAME, b"{}")
    store.put("cases/a/memory", b"\0")
    names = ("x-goog-if-generation-match", "content-type", "content-disposition")
    assert [tuple(request[name] for name in names) for request in bucket.requests] == [
        ("0", "application/json", "attachment"),
        ("0", "application/octet-stream", "attachment"),
    ]


ANSWERS = {
    "forbidden": (403, "evidence_forbidden", "storage.objects.create"),
    "not signed in": (401, "evidence_forbidden", "storage.objects.create"),
    "no such bucket": (404, "evidence_unavailable", ""),
    "a bad request": (400, "evidence_unavailable", ""),
}


@pytest.mark.parametrize(("status", "reason", "permission"), list(ANSWERS.values()), ids=list(ANSWERS))
def test_an_error_names_its_class_and_the_missing_permission(
    bucket: Bucket, status: int, reason: str, permission: str
) -> None:
    """So that a person knows what to grant."""
    bucket.answer = status
    with pytest.raises(ApiError) as caught:
        EvidenceStore("gs://example-evidence", endpoint=bucket.endpoint).put(NAME, b"content")
    assert (caught.value.reason, caught.value.permission) == (reason, permission)


def test_a_server_that_fails_for_good_is_unavailable(bucket: Bucket) -> None:
    """It is tried three times."""
    bucket.answer = 503
    with pytest.raises(ApiError) as caught:
        EvidenceStore("gs://example-evidence", endpoint=bucket.endpoint).put(NAME, b"content")
    assert (caught.value.reason, len(bucket.requests)) == ("evidence_unavailable", 3)


def test_a_folder_that_vanished_is_unavailable_or_made_again(tmp_path: Path) -> None:
    """A file in its place is an error."""
    store = EvidenceStore(f"file://{tmp_path}/evidence")
    (tmp_path / "evidence").rmdir()
    (tmp_path / "evidence").write_text("")
    with pytest.raises(ApiError) as caught:
        store.put(NAME, b"content")
    assert caught.value.reason == "evidence_unavailable"


BAD_ADDRESSES = [
    "",
    "evidence",
    "s3://bucket",
    "gs://",
    "gs:///x",
    "file://host/x",
    "https://example.com/",
    "file:x/\0",
]


@pytest.mark.parametrize("url", BAD_ADDRESSES)
def test_an_address_that_can_not_be_used_stops_the_start(url: str) -> None:
    """The message says what one looks like."""
    with pytest.raises(SettingsError) as caught:
        EvidenceStore(url)
    assert caught.value.reason == "evidence_unusable"
    assert "gs://BUCKET/PREFIX" in str(caught.value)


def test_a_folder_under_a_file_stops_the_start(tmp_path: Path) -> None:
    """The start, not the first finding."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError):
        EvidenceStore(f"file://{tmp_path}/file/evidence")


def test_a_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Evidence holds what an attacker left."""
    EvidenceStore(f"file://{tmp_path}/a%20b")
    assert (tmp_path / "a b").stat().st_mode & 0o777 == 0o700
