"""What the collector writes, read again: opened with the case's key, checked, taken apart.

A second reading of `functions/collector/README.md`, so that the program is not tested against its own ideas.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

INFO = b"scc-responder collector 1"


@dataclass
class Artefact:
    """A file that was sent: how it was begun, its bytes, how it ended."""

    begin: dict[str, Any]
    data: bytearray = field(default_factory=bytearray)
    end: dict[str, Any] = field(default_factory=dict)


@dataclass
class Answer:
    """A whole stream: its documents by name, its artefacts, its end, and how many lines were not its own."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    artefacts: list[Artefact] = field(default_factory=list)
    end: dict[str, Any] = field(default_factory=dict)
    foreign: int = 0
    order: list[str] = field(default_factory=list)


class Truncated(Exception):  # noqa: N818 - what is said of the stream
    """The last chunk is missing."""


def public_text(key: X25519PrivateKey) -> str:
    """The argument `-key=`."""
    return unpadded(key.public_key().public_bytes_raw())


def unpadded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def request_text(**fields: object) -> str:
    """The argument `-request=`."""
    return unpadded(json.dumps(fields).encode())


def opened(log: bytes, key: X25519PrivateKey) -> tuple[bytes, int]:
    """The plain stream of a log, and how many of its lines do not open. Raises Truncated."""
    first, *lines = log.split(b"\n")
    assert first.startswith(b"SCCR1 "), first[:80]
    sender = base64.urlsafe_b64decode(first[6:] + b"=")
    shared = key.exchange(X25519PublicKey.from_public_bytes(sender))
    salt = sender + key.public_key().public_bytes_raw()
    aead = AESGCM(HKDF(hashes.SHA256(), 32, salt, INFO).derive(shared))
    plain, number, foreign = bytearray(), 0, 0
    for line in filter(None, lines):
        assert len(line) <= 12_024
        chunk, last = _chunk(aead, number, line)
        if chunk is None:
            foreign += 1
            continue
        number += 1
        plain += chunk
        if last:
            return bytes(plain), foreign
    raise Truncated


def _chunk(aead: AESGCM, number: int, line: bytes) -> tuple[bytes | None, bool]:
    nonce = number.to_bytes(12, "big")
    for last in (False, True):
        try:
            return aead.decrypt(nonce, base64.b64decode(line, validate=True), bytes([last])), last
        except (InvalidTag, ValueError):
            continue
    return None, False


def read(log: bytes, key: X25519PrivateKey) -> Answer:
    """A log, opened and checked: lengths, hashes, the order of its frames. Raises Truncated."""
    plain, foreign = opened(log, key)
    answer, at = Answer(foreign=foreign), 0
    while at < len(plain):
        kind, length = plain[at : at + 1].decode(), int.from_bytes(plain[at + 1 : at + 5], "big")
        payload = plain[at + 5 : at + 5 + length]
        assert len(payload) == length
        _add(answer, kind, payload, plain[:at])
        at += 5 + length
    assert answer.end
    return answer


def _add(answer: Answer, kind: str, payload: bytes, before: bytes) -> None:
    assert not answer.end
    value = {} if kind == "D" else json.loads(payload)
    if kind == "J":
        assert value["name"] not in answer.documents
        answer.documents[value["name"]] = value
        answer.order.append(value["name"])
    elif kind == "A":
        assert all(artefact.end for artefact in answer.artefacts)
        answer.artefacts.append(Artefact(value))
    elif kind == "D":
        answer.artefacts[-1].data += payload
    elif kind == "E":
        artefact = answer.artefacts[-1]
        artefact.end = value
        assert value["id"] == artefact.begin["id"]
        assert value["length"] == len(artefact.data)
        assert value["sha256"] == hashlib.sha256(artefact.data).hexdigest()
    else:
        assert kind == "Z"
        assert value["length"] == len(before)
        assert value["sha256"] == hashlib.sha256(before).hexdigest()
        answer.end = value
