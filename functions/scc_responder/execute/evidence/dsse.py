"""The signed form of a manifest: a DSSE envelope around an in-toto Statement. Pure.

What is signed is not JSON but bytes that begin with type and length (`pre_authentication_encoding`), so that nothing
has to be spelled one way. Sources: DSSE, "protocol.md" and "envelope.md" (version 1.0.2); in-toto Attestation
Framework, "Statement" (version 1). Nobody's library is used: the format is this page, and libraries for it load
`cryptography`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from scc_responder.domain.value import Value
from scc_responder.execute.evidence.canonical_json import canonical_json

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:scc-responder:evidence-manifest:v1"


class Signature(Value, frozen=True, kw_only=True):
    """One signature: ECDSA on P-256 over SHA-256, in DER, as base64. `keyid` is a hint and proves nothing."""

    keyid: str = ""
    sig: str


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """DSSE's PAE: `DSSEv1`, then type and payload, each behind its length in bytes.

    >>> pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b" ".join((b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload))


def in_toto_statement(subjects: Mapping[str, str], predicate: Mapping[str, Any]) -> bytes:
    """An in-toto Statement about objects by name, each with its SHA-256 in hex."""
    named = [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in subjects.items()]
    return canonical_json(
        {"_type": STATEMENT_TYPE, "subject": named, "predicateType": PREDICATE_TYPE, "predicate": predicate}
    )


def digest_to_sign(payload: bytes) -> bytes:
    """The SHA-256 of what a signature of this payload is made over."""
    return hashlib.sha256(pre_authentication_encoding(PAYLOAD_TYPE, payload)).digest()


def signature_of(key_id: str, der: bytes) -> Signature:
    """A signature by the key of this id."""
    return Signature(keyid=key_id, sig=base64.b64encode(der).decode())


def enveloped(payload: bytes, signatures: Sequence[Signature] = (), unsigned: str = "") -> bytes:
    """The envelope as it is stored. `unsigned`: why it has no signature."""
    why = {} if signatures else {"unsigned": unsigned}
    text = base64.b64encode(payload).decode()
    return canonical_json({"payload": text, "payloadType": PAYLOAD_TYPE, "signatures": list(signatures), **why})
