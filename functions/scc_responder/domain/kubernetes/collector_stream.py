"""The log of a collector's container, opened with the case's key: chunks, then frames. Pure.

A line that was changed or moved does not open, and a log that lacks a line, or ends early, never comes to its last
chunk. So a forged line can keep us from knowing, and never tells us anything. Source: functions/collector/README.md.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any

import msgspec

from scc_responder.domain.value import Value, read_json

MAGIC = b"SCCR1 "
INFO = b"scc-responder collector 1"
MOST_FRAME_BYTES = 16 * 1024 * 1024
_MOST_LINE_BYTES = 64 * 1024
_HEAD_BYTES = 5
MORE_CHUNKS, LAST_CHUNK = b"\0", b"\1"

Open = Callable[[bytes, bytes, bytes], bytes | None]


class FrameKind(StrEnum):
    """What a frame holds."""

    DOCUMENT = "J"
    ARTEFACT = "A"
    DATA = "D"
    ARTEFACT_END = "E"
    END = "Z"


class Frame(Value, frozen=True, kw_only=True):
    """One frame of the plain stream."""

    kind: FrameKind
    payload: bytes

    def json(self) -> dict[str, Any]:
        """The payload of every kind but `D`. Raises Truncated where it is no JSON object."""
        try:
            return read_json(self.payload, dict[str, Any])
        except msgspec.DecodeError:
            raise Truncated("a frame is no JSON object") from None


class Truncated(Exception):  # noqa: N818 - a fact about a log
    """The log is not the whole of what the collector wrote, and why: what came before is true all the same."""


def new_private_key() -> bytes:
    """A private key of X25519, as 32 bytes."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey  # noqa: PLC0415 - cold start

    return X25519PrivateKey.generate().private_bytes_raw()


def public_text(private: bytes) -> str:
    """The public key to a private one, as base64url without padding: 43 characters."""
    return urlsafe_b64encode(_public(private)).decode().rstrip("=")


def read_frames(log: Iterable[bytes], private: bytes, *, alone: bool = False) -> Iterator[Frame]:
    """The frames of a log, each as soon as it came; the end is checked by length and SHA-256.

    Lines that are not the collector's are passed over. `alone`: nobody else could write to the log, so that its own end
    is not waited for. Raises Truncated.
    """
    digest, length = hashlib.sha256(), 0
    lines = _lines(log)
    for head, frame in _frames(_plain(lines, private)):
        if frame.kind is FrameKind.END:
            end = frame.json()
            if (end.get("length"), end.get("sha256")) != (length, digest.hexdigest()):
                raise Truncated("length or hash of the whole differ")
            if not alone:
                _refuse_second_sender(lines)
            yield frame
            return
        digest.update(head)
        digest.update(frame.payload)
        length += len(head) + len(frame.payload)
        yield frame
    raise Truncated("the log ends before the stream does")


def _refuse_second_sender(lines: Iterator[bytes]) -> None:
    """Whoever may write to the container's output can write a whole stream, but cannot unwrite the collector's."""
    if any(line.startswith(MAGIC) for line in lines):
        raise Truncated("two senders wrote to the log")


def _lines(log: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in log:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > _MOST_LINE_BYTES:
            raise Truncated("a line is longer than any of a collector's")


def _plain(lines: Iterator[bytes], private: bytes) -> Iterator[bytes]:
    first = next((line for line in lines if line.startswith(MAGIC)), b"")
    if not first:
        raise Truncated(f"no line of the log begins with {MAGIC.decode().strip()}")
    opened, number = _opener(private, first.removeprefix(MAGIC).decode(errors="replace")), 0
    for line in lines:
        if line.startswith(MAGIC):
            raise Truncated("two senders wrote to the log")
        nonce, sealed = number.to_bytes(12, "big"), _decoded(line)
        plain = opened(nonce, sealed, MORE_CHUNKS)
        is_last = plain is None
        plain = opened(nonce, sealed, LAST_CHUNK) if plain is None else plain
        if plain is not None:
            number += 1
            yield plain
            if is_last:
                return
    raise Truncated("the log ends before its last chunk")


def _decoded(line: bytes) -> bytes:
    try:
        return b64decode(line, validate=True)
    except Base64Error:
        return b""


def _opener(private: bytes, sender: str) -> Open:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - cold start
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

    other = key_bytes(sender)
    cipher = AESGCM(shared_key(private, other, sender=other, receiver=_public(private)))

    def opened(nonce: bytes, sealed: bytes, place: bytes) -> bytes | None:
        try:
            return cipher.decrypt(nonce, sealed, place)
        except InvalidTag:
            return None

    return opened


def _frames(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, Frame]]:
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= _HEAD_BYTES:
            head = bytes(held[:_HEAD_BYTES])
            length = int.from_bytes(head[1:], "big")
            if length > MOST_FRAME_BYTES:
                raise Truncated("a frame is larger than any of a collector's")
            if len(held) < _HEAD_BYTES + length:
                break
            payload = bytes(held[_HEAD_BYTES : _HEAD_BYTES + length])
            del held[: _HEAD_BYTES + length]
            yield head, Frame(kind=_kind(head), payload=payload)


def _kind(head: bytes) -> FrameKind:
    try:
        return FrameKind(head[:1].decode())
    except ValueError:
        raise Truncated("a frame of an unknown kind") from None


def shared_key(private: bytes, other: bytes, *, sender: bytes, receiver: bytes) -> bytes:
    """The key that both sides derive: `other` is a public key. Raises Truncated where it is none."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import (  # noqa: PLC0415 - cold start
        X25519PrivateKey,
        X25519PublicKey,
    )
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415 - as above

    try:
        secret = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError:
        raise Truncated("the collector's key is none") from None
    return HKDF(algorithm=SHA256(), length=32, salt=sender + receiver, info=INFO).derive(secret)


def _public(private: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey  # noqa: PLC0415 - cold start

    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def key_bytes(text: str) -> bytes:
    """The key in base64url without padding; empty where it is none."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
