"""What is no envelope of evidence is refused, by one kind of error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scc_responder.execute.evidence.dsse import PREDICATE_TYPE, STATEMENT_TYPE, enveloped
from scc_responder.workbench.bundle.stored_envelope import decoded_base64, opened


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"payload": 1}', b'{"payload": "e30="}', b'{"payloadType": "t"}'],
    ids=repr,
)
def test_what_is_no_envelope_is_refused(content: bytes) -> None:
    """By one kind of error, whatever it is."""
    with pytest.raises(ValueError, match="no DSSE envelope"):
        opened(content)


STATEMENT = {"_type": STATEMENT_TYPE, "subject": [], "predicateType": PREDICATE_TYPE, "predicate": {}}


@pytest.mark.parametrize(
    "changed",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"predicateType": "https://slsa.dev/provenance/v1"},
        {"predicate": 1},
    ],
    ids=str,
)
def test_a_statement_of_another_kind_is_refused(changed: dict[str, Any]) -> None:
    """A signature over something else is none over evidence."""
    assert opened(enveloped(json.dumps(STATEMENT).encode())).statement() == STATEMENT
    envelope = opened(enveloped(json.dumps({**STATEMENT, **changed}).encode()))
    with pytest.raises(ValueError, match="the payload is no"):
        envelope.statement()
    other = opened(enveloped(json.dumps(STATEMENT).encode()).replace(b"in-toto+json", b"json"))
    with pytest.raises(ValueError, match="type"):
        other.statement()


@pytest.mark.parametrize("text", ["a", "a===", "*", "é", "ab cd"], ids=ascii)
def test_base64_is_read_strictly(text: str) -> None:
    """A character that decoders pass over could hide something; both alphabets are DSSE's."""
    with pytest.raises(ValueError, match=r"base64|ASCII"):
        decoded_base64(text)
    assert decoded_base64("-_-_") == decoded_base64("+/+/")
