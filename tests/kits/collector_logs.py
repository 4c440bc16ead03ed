"""The log that a collector would write: frames, sealed to a key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from scc_responder.domain.kubernetes.collector_stream import new_private_key, sealed_lines

CHUNK = 9000


def frame(kind: str, payload: bytes) -> bytes:
    """One frame: its kind, the length of its payload, its payload."""
    return kind.encode() + len(payload).to_bytes(4, "big") + payload


def document(name: str, **fields: Any) -> bytes:
    """A document of that name, as a frame."""
    return frame("J", json.dumps({"name": name, **fields}).encode())


def artefact(content: bytes, name: str = "a1", **fields: Any) -> bytes:
    """A file that was read whole, as frames."""
    begin = {"id": name, "role": "binary", "path": "/tmp/kworkerd", "pid": 43, "by_path": False, "size": len(content)}
    end = {"id": name, "length": len(content), "sha256": hashlib.sha256(content).hexdigest(), "complete": True}
    pieces = (content[at : at + 1024 * 1024] for at in range(0, len(content), 1024 * 1024))
    data = b"".join(frame("D", piece) for piece in pieces)
    return (
        frame("A", json.dumps({**begin, **fields}).encode())
        + data
        + frame("E", json.dumps({"why": "", **end}).encode())
    )


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
