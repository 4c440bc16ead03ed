"""A DSSE envelope as it was stored, read by who checks it. Whether its signature holds is not said here. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from scc_responder.domain.value import Value, read_json
from scc_responder.execute.evidence.dsse import PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, Signature


class Envelope(Value, frozen=True, kw_only=True, rename="camel"):
    """A DSSE envelope. `payload` is base64. `unsigned`, a field of ours, says why there is no signature."""

    payload: str
    payload_type: str
    signatures: tuple[Signature, ...] = ()
    unsigned: str = ""

    def payload_bytes(self) -> bytes:
        """What is signed, together with its type. Raises ValueError where it is no base64."""
        return decoded_base64(self.payload)

    def statement(self) -> Mapping[str, Any]:
        """The in-toto Statement. Raises ValueError where the payload is none of this project's."""
        if self.payload_type != PAYLOAD_TYPE:
            raise ValueError(f"the payload's type is {self.payload_type[:80]!a}, not {PAYLOAD_TYPE}")
        decoded = json.loads(self.payload_bytes())
        statement: dict[str, Any] = decoded if isinstance(decoded, dict) else {}
        types = [statement.get(name) for name in ("_type", "predicateType")]
        if types != [STATEMENT_TYPE, PREDICATE_TYPE] or not isinstance(statement.get("predicate"), dict):
            raise ValueError(f"the payload is no {STATEMENT_TYPE} of {PREDICATE_TYPE}")
        return statement


def decoded_base64(text: str) -> bytes:
    """The bytes of base64, in the standard or the URL-safe alphabet. Raises ValueError for anything else."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}") from error


def opened(content: bytes) -> Envelope:
    """The envelope that was stored. Raises ValueError where the content is none."""
    try:
        return read_json(content, Envelope)
    except msgspec.DecodeError as error:
        raise ValueError(f"no DSSE envelope: {error}") from error
