"""Files are stored in parts while they come, as they are, and whether they are whole is known."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes.collector_stream import Frame, FrameKind
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence.inspection.artefacts import PART_BYTES, Artefacts
from tests.kits.kept_objects import KeptObjects

POOL = ThreadPoolExecutor(4)
MIB = 1024 * 1024


def begin(name: str = "a1", **fields: Any) -> Frame:
    """The beginning of a file."""
    said = {"id": name, "role": "binary", "path": "/tmp/x", "pid": 43, "by_path": False, **fields}
    return Frame(kind=FrameKind.ARTEFACT, payload=json.dumps(said).encode())


def end(content: bytes, name: str = "a1", **fields: Any) -> Frame:
    """Its end."""
    said = {"id": name, "length": len(content), "sha256": hashlib.sha256(content).hexdigest(), "complete": True}
    return Frame(kind=FrameKind.ARTEFACT_END, payload=json.dumps({**said, "why": "", **fields}).encode())


def taken(content: bytes, *frames: Frame) -> tuple[Artefacts, KeptObjects]:
    """A file of this content, in frames of 1 MiB, then these frames."""
    store = KeptObjects()
    files = Artefacts("5401ff97f041", store, POOL)
    data = [Frame(kind=FrameKind.DATA, payload=content[at : at + MIB]) for at in range(0, len(content), MIB)]
    for frame in (begin(), *data, *frames):
        files.take(frame)
    files.finish()
    return files, store


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 7])
def test_a_file_comes_back_from_its_parts(size: int) -> None:
    """In their order they are the file, byte for byte; no part is larger than 4 MiB, and each is named by its hash."""
    content = bytes(range(251)) * (size // 251 + 1)
    content = content[:size]
    files, store = taken(content, end(content))
    (file,) = files.index()
    assert b"".join(store.objects[item["name"]] for item in file["parts"]) == content
    assert store.largest <= PART_BYTES
    assert [hashlib.sha256(store.objects[item["name"]]).hexdigest() for item in file["parts"]] == [
        item["sha256"] for item in file["parts"]
    ]
    assert (file["sha256"], file["size"]) == (hashlib.sha256(content).hexdigest(), size)
    assert (file["malicious"], file["unredacted"], file["whole"]) == (True, True, True)


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        pytest.param((), "truncated", id="no-end"),
        pytest.param((end(b"abc", complete=False, why="size_limit"),), "size_limit", id="limit"),
        pytest.param((end(b"abcd"),), "differs", id="longer"),
        pytest.param((end(b"abc", sha256="0" * 64),), "differs", id="other-hash"),
        pytest.param((begin("a2"),), "truncated", id="next-one-begins"),
    ],
)
def test_a_file_that_is_not_whole_says_so(frames: tuple[Frame, ...], why: str) -> None:
    """What came of it is kept all the same."""
    files, store = taken(b"abc", *frames)
    file = files.files["a1"]
    assert (file.whole, file.why, [*store.objects.values()]) == (False, why, [b"abc"])


def test_the_same_content_is_stored_once() -> None:
    """Two files of one content share their parts, and both are told."""
    files, store = taken(
        b"abc", end(b"abc"), begin("a2"), Frame(kind=FrameKind.DATA, payload=b"abc"), end(b"abc", "a2")
    )
    assert (len(store.objects), len(files.index())) == (1, 2)


def test_a_store_that_fails_is_no_file_kept() -> None:
    """The error is raised: a later delivery reads the log again."""
    store = KeptObjects()
    store.error = ApiError(Reason.EVIDENCE_UNAVAILABLE, "no")
    files = Artefacts("5401ff97f041", store, POOL)
    files.take(begin())
    files.take(Frame(kind=FrameKind.DATA, payload=b"abc"))
    with pytest.raises(ApiError):
        files.finish()
