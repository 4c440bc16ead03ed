"""The signed form of a manifest is DSSE's and in-toto's, byte for byte: other tools read and verify it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import securesystemslib.dsse
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner

from scc_responder.execute.evidence.dsse import (
    PAYLOAD_TYPE,
    PREDICATE_TYPE,
    digest_to_sign,
    enveloped,
    in_toto_statement,
    pre_authentication_encoding,
    signature_of,
)
from scc_responder.workbench.bundle.bundle_manifests import manifest_content, signed_bytes
from scc_responder.workbench.bundle.stored_envelope import decoded_base64, opened

KEY = ec.generate_private_key(ec.SECP256R1())
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)
PREDICATES = st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.lists(TEXT)), max_size=4)
SUBJECTS = st.dictionaries(TEXT, st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=4)


def other_tool(content: bytes) -> Any:
    """The envelope as the reference implementation of DSSE in Python reads it."""
    return securesystemslib.dsse.Envelope.from_dict(json.loads(content))


@given(TEXT, st.binary(max_size=200))
def test_what_is_signed_is_encoded_as_others_do(payload_type: str, payload: bytes) -> None:
    """The reference implementation makes the same bytes of the same type and payload."""
    other = securesystemslib.dsse.Envelope(payload, payload_type, {})
    assert pre_authentication_encoding(payload_type, payload) == other.pae()


@given(TEXT, st.binary(max_size=60), TEXT, st.binary(max_size=60))
def test_no_two_payloads_are_encoded_alike(one_type: str, one: bytes, other_type: str, other: bytes) -> None:
    """So no byte can be moved from the type to the payload, or be added, under the same signature."""
    alike = pre_authentication_encoding(one_type, one) == pre_authentication_encoding(other_type, other)
    assert alike == ((one_type, one) == (other_type, other))


@given(SUBJECTS, PREDICATES)
def test_an_envelope_is_read_and_verified_by_another_tool(subjects: dict[str, str], predicate: dict[str, Any]) -> None:
    """Whoever gets the evidence needs nothing of ours to verify it."""
    payload = in_toto_statement(subjects, predicate)
    signer = CryptoSigner(KEY)
    der = KEY.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload), ec.ECDSA(hashes.SHA256()))
    content = enveloped(payload, [signature_of(signer.public_key.keyid, der)])

    assert list(other_tool(content).verify([signer.public_key], 1)) == [signer.public_key.keyid]
    assert other_tool(content).payload == payload == opened(content).payload_bytes()
    assert manifest_content(content) == predicate
    assert decoded_base64(opened(content).signatures[0].sig) == der
    assert digest_to_sign(payload) == hashlib.sha256(signed_bytes(opened(content))).digest()


@given(SUBJECTS, PREDICATES, st.data())
def test_an_envelope_of_another_tool_is_read(
    subjects: dict[str, str], predicate: dict[str, Any], data: st.DataObject
) -> None:
    """Whatever way the other spells JSON and base64."""
    payload = in_toto_statement(subjects, predicate)
    envelope = securesystemslib.dsse.Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(KEY))
    content = json.dumps(envelope.to_dict(), indent=data.draw(st.sampled_from([None, 2]))).encode()
    assert opened(content).payload_bytes() == payload
    assert opened(content).statement()["predicate"] == predicate


def test_the_statement_has_the_types_of_in_toto() -> None:
    """They are what another tool looks at first."""
    statement = json.loads(in_toto_statement({"a": "00"}, {"schema": 2}))
    assert statement == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "00"}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"schema": 2},
    }


def test_an_envelope_without_a_signature_says_why() -> None:
    """Its field is none of DSSE's, and other tools pass over it."""
    content = enveloped(b"{}", unsigned="kms_unavailable: not now")
    assert (opened(content).signatures, opened(content).unsigned) == ((), "kms_unavailable: not now")
    assert other_tool(content).payload == b"{}"
    assert b"unsigned" not in enveloped(b"{}", [signature_of("k", b"s")])
