"""The log that a collector would write: frames, sealed to a key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from scc_responder.domain.kubernetes.collector_stream import new_private_key
from scc_responder.workbench.simulated_cluster.played_collector import sealed_lines

CHUNK = 9000
MIB = 1024 * 1024


def frame(kind: str, payload: bytes) -> bytes:
    """One frame: its kind, the length of its payload, its payload."""
    return kind.encode() + len(payload).to_bytes(4, "big") + payload


def document(name: str, **fields: Any) -> bytes:
    """A document of that name, as a frame."""
    return frame("J", json.dumps({"name": name, **fields}).encode())


def artefact(content: bytes, name: str = "a1", *, complete: bool = True, why: str = "") -> bytes:
    """A file that was read, as frames."""
    begin = {"id": name, "role": "binary", "path": "/tmp/x", "pid": 43, "by_path": False, "size": len(content)}
    sha256 = hashlib.sha256(content).hexdigest()
    end = {"id": name, "length": len(content), "sha256": sha256, "complete": complete, "why": why}
    data = b"".join(frame("D", content[at : at + MIB]) for at in range(0, len(content), MIB))
    return frame("A", json.dumps(begin).encode()) + data + frame("E", json.dumps(end).encode())


def ended(plain: bytes, **fields: Any) -> bytes:
    """The frames with the one that ends them."""
    end = {"length": len(plain), "sha256": hashlib.sha256(plain).hexdigest(), "denied": {}, "took_ms": 5, **fields}
    return plain + frame("Z", json.dumps(end).encode())


def sealed(plain: bytes, public: str) -> bytes:
    """The log of these frames."""
    return b"".join(sealed_lines(_chunks(plain), public, new_private_key()))


def _chunks(plain: bytes) -> Iterator[bytes]:
    return (plain[at : at + CHUNK] for at in range(0, len(plain), CHUNK))


def pieces(log: bytes, size: int) -> Iterable[bytes]:
    """The log as a connection brings it."""
    return (log[at : at + size] for at in range(0, len(log), size))
