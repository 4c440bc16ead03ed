"""Evidence is signed by Cloud KMS with one request, whose answer is believed only where its checksums agree."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from scc_responder.adapters.google.kms_signer import KmsSigner
from scc_responder.adapters.local.signing_key import read_public_key
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.google.key_management import KEY, VERSION, KeyManagementServer

DIGEST = hashlib.sha256(b"what is signed").digest()


@pytest.fixture
def signer(key_management: KeyManagementServer) -> Iterator[KmsSigner]:
    opened = KmsSigner(f"gcpkms://{VERSION}", endpoint=key_management.endpoint, timeout_seconds=2.0)
    yield opened
    opened.close()


def test_one_request_makes_a_signature(signer: KmsSigner, key_management: KeyManagementServer, tmp_path: Path) -> None:
    """Only the digest leaves this process, and the key's public half verifies the answer."""
    (tmp_path / "public.pem").write_text(key_management.pem())
    assert read_public_key(tmp_path / "public.pem").verifies(signer.sign(DIGEST), DIGEST)
    assert key_management.requests == [DIGEST]
    assert signer.key_id == f"gcpkms://{VERSION}"


def changed(**fields: Any) -> Callable[[Any], None]:
    """Changes an answer on its way."""

    def change(answer: Any) -> None:
        for name, value in fields.items():
            setattr(answer, name, value)

    return change


DAMAGE = {
    "signature": changed(signature=b"another"),
    "its-checksum": changed(signature_crc32c=0),
    "no-checksum": changed(signature_crc32c=None),
    "digest-not-checked": changed(verified_digest_crc32c=False),
    "another-key": changed(name=f"{KEY}/cryptoKeyVersions/2"),
    "no-signature": changed(signature=b"", signature_crc32c=0),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_an_answer_that_was_changed_is_asked_for_again(
    damage: Callable[[Any], None], signer: KmsSigner, key_management: KeyManagementServer
) -> None:
    """Once more; a second one is an error, and never a signature."""
    key_management.damage.append(damage)
    assert signer.sign(DIGEST) not in {b"", b"another"}
    assert len(key_management.requests) == 2

    key_management.damage.extend([damage, damage])
    with pytest.raises(ApiError) as raised:
        signer.sign(DIGEST)
    assert raised.value.reason == "kms_corrupted"
    assert len(key_management.requests) == 4


REFUSALS = {
    "permission": (grpc.StatusCode.PERMISSION_DENIED, "kms_permission_denied", 403),
    "quota": (grpc.StatusCode.RESOURCE_EXHAUSTED, "kms_resource_exhausted", 429),
    "unavailable": (grpc.StatusCode.UNAVAILABLE, "kms_unavailable", 503),
}


@pytest.mark.parametrize(("code", "reason", "status"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_told_and_not_tried_again(
    code: grpc.StatusCode, reason: str, status: int, signer: KmsSigner, key_management: KeyManagementServer
) -> None:
    """The missing permission is named; the evidence waits for no second try."""
    key_management.fail_next(code)
    with pytest.raises(ApiError) as raised:
        signer.sign(DIGEST)
    assert (raised.value.reason, raised.value.status) == (reason, status)
    assert raised.value.permission == ("cloudkms.cryptoKeyVersions.useToSign" if status == 403 else "")
    assert key_management.requests == []
    assert signer.sign(DIGEST)


def test_a_key_that_is_disabled_does_not_sign(signer: KmsSigner, key_management: KeyManagementServer) -> None:
    """Its state is said in KMS's own words."""
    key_management.disabled.add(VERSION)
    with pytest.raises(ApiError, match="DISABLED") as raised:
        signer.sign(DIGEST)
    assert raised.value.reason == "kms_failed_precondition"


def test_a_key_that_is_not_there_is_told(key_management: KeyManagementServer) -> None:
    """By the reason of the API."""
    other = KmsSigner(f"gcpkms://{KEY}/cryptoKeyVersions/7", endpoint=key_management.endpoint)
    with pytest.raises(ApiError) as raised:
        other.sign(DIGEST)
    other.close()
    assert raised.value.reason == "kms_not_found"


def test_an_answer_is_waited_for_within_bounds(key_management: KeyManagementServer) -> None:
    """A server that stalls costs the time that was given."""
    key_management.stall_next(30.0)
    impatient = KmsSigner(f"gcpkms://{VERSION}", endpoint=key_management.endpoint, timeout_seconds=0.3)
    with pytest.raises(ApiError) as raised:
        impatient.sign(DIGEST)
    impatient.close()
    assert raised.value.reason == "kms_deadline_exceeded"


@pytest.mark.parametrize("key", ["", VERSION, f"gcpkms://{KEY}", f"gcpkms://{VERSION}/x", "file:///key.pem"], ids=repr)
def test_a_name_that_is_no_key_version_is_refused(key: str) -> None:
    """Before anything is asked; nor is a key anywhere but on this machine asked without TLS."""
    with pytest.raises(SettingsError, match="key version"):
        KmsSigner(key)
    with pytest.raises(SettingsError, match="loopback"):
        KmsSigner(f"gcpkms://{VERSION}", endpoint="192.0.2.1:443")
