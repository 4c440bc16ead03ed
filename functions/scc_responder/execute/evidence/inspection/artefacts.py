"""Files as a look into a container reads them: stored in parts while they come, never whole in memory.

A file is malicious until proved otherwise, and is kept as it is: the index of files says so of each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes.collector_stream import Frame, FrameKind
from scc_responder.domain.ports import Evidence
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence.manifest import Part, StoredObject

PART_BYTES = 4 * 1024 * 1024
"""Of one stored object: a file of 64 MiB is 16 of them."""

STORED_AT_ONCE = 2
"""Parts on their way to the store while the next one is read: a bound on memory."""

PART_SECONDS = 20.0
SOURCE = "inspect_container"


@dataclass(kw_only=True, slots=True)
class KeptFile:
    """One file that a collector read. `whole`: its length and hash are what the collector says of it at its end.

    `why` says what is missing otherwise: a word of the collector's, `truncated`, or `differs`.
    """

    said: dict[str, Any]
    parts: list[tuple[str, str, int]] = field(default_factory=list)
    size: int = 0
    sha256: str = ""
    whole: bool = False
    why: str = "truncated"


class Artefacts:
    """The files of one look. `take` gets their frames in order; `finish` waits for the store.

    Both raise ApiError where the store does not keep a part.
    """

    def __init__(self, case: str, store: Evidence, pool: Executor) -> None:
        self.files: dict[str, KeptFile] = {}
        self._case = case
        self._store = store
        self._pool = pool
        self._storing: list[Future[bool]] = []
        self._file = KeptFile(said={})
        self._digest = hashlib.sha256()
        self._held = bytearray()

    def take(self, frame: Frame) -> None:
        """One frame of a file: its beginning, bytes of it, or its end."""
        if frame.kind is FrameKind.ARTEFACT:
            self._begin(frame.json())
        elif frame.kind is FrameKind.DATA:
            self._add(frame.payload)
        elif frame.kind is FrameKind.ARTEFACT_END:
            self._end(frame.json())

    def finish(self) -> None:
        """Store what is left of a file that has no end, and wait until everything is stored."""
        self._flush()
        while self._storing:
            self._await_first()

    def index(self) -> list[dict[str, Any]]:
        """What the manifest's index of files says: of each its parts in order, and that it may be dangerous to open."""
        return [_indexed(file) for file in self.files.values()]

    def described(self) -> list[StoredObject]:
        """Each stored part as a manifest lists it, with its place in the file."""
        return [item for file in self.files.values() for item in _described(file)]

    def _begin(self, said: dict[str, Any]) -> None:
        self._flush()
        self._file, self._digest = KeptFile(said=said), hashlib.sha256()
        self.files[str(said.get("id", ""))] = self._file

    def _add(self, content: bytes) -> None:
        self._digest.update(content)
        self._file.size += len(content)
        self._file.sha256 = self._digest.hexdigest()
        self._held += content
        while len(self._held) >= PART_BYTES:
            self._put(bytes(self._held[:PART_BYTES]))
            del self._held[:PART_BYTES]

    def _end(self, said: dict[str, Any]) -> None:
        self._flush()
        file = self._file
        file.sha256 = self._digest.hexdigest()
        agrees = (said.get("length"), said.get("sha256")) == (file.size, file.sha256)
        file.whole = agrees and said.get("complete") is True
        file.why = str(said.get("why", "")) if agrees else "differs"

    def _flush(self) -> None:
        if self._held:
            self._put(bytes(self._held))
            self._held.clear()

    def _put(self, content: bytes) -> None:
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"cases/{self._case}/artefact-part-{sha256[:32]}.bin"
        self._file.parts.append((name, sha256, len(content)))
        while len(self._storing) >= STORED_AT_ONCE:
            self._await_first()
        self._storing.append(self._pool.submit(self._store.put, name, content))

    def _await_first(self) -> None:
        first = self._storing.pop(0)
        try:
            first.result(PART_SECONDS)
        except TimeoutError:
            raise ApiError(Reason.EVIDENCE_UNAVAILABLE, f"not stored within {PART_SECONDS:g} s") from None


def _indexed(file: KeptFile) -> dict[str, Any]:
    said = {name: file.said[name] for name in ("role", "path", "pid", "by_path") if name in file.said}
    parts = [{"name": name, "sha256": sha256, "size": size} for name, sha256, size in file.parts]
    marks = {"whole": file.whole, "why": file.why, "malicious": True, "unredacted": True}
    return {**said, **marks, "size": file.size, "sha256": file.sha256, "parts": parts}


def _described(file: KeptFile) -> Iterator[StoredObject]:
    for number, (name, sha256, size) in enumerate(file.parts):
        part = Part(of=file.sha256, size=file.size, number=number, count=len(file.parts))
        yield StoredObject(name=name, sha256=sha256, size=size, kind="artefact", source=SOURCE, part=part)
