"""A manifest is signed where possible, kept in any case, and signed later where it could not be."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scc_responder.adapters.local.signing_key import PublicKey, SigningKey, read_public_key
from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import ApiError
from scc_responder.domain.ports import Signer
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence.dsse import digest_to_sign, in_toto_statement
from scc_responder.execute.evidence.sealing import (
    Sealed,
    note_unsigned,
    seal,
    sign_later,
    unsealed,
    unsigned_manifests,
)
from scc_responder.workbench.bundle.stored_envelope import decoded_base64, opened
from tests.kits.signing import BrokenSigner, StoredObjects

CASE = "0a0a0a0a0a0a"
STATEMENT = in_toto_statement({"cases/0a0a0a0a0a0a/pod-1.json": "00" * 32}, {"schema": 2, "case": CASE})
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey(tmp_path / "key.pem")


def public(tmp_path: Path) -> PublicKey:
    return read_public_key(tmp_path / "key.pub.pem")


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "journal.db")


def test_a_manifest_is_signed_by_the_key(key: SigningKey, tmp_path: Path) -> None:
    """Its name holds the hash of the envelope, as every name holds that of its object."""
    sealed = seal(CASE, STATEMENT, key)
    (signature,) = opened(sealed.manifest.content).signatures
    assert (sealed.unsigned, signature.keyid) == ("", key.key_id)
    assert public(tmp_path).verifies(decoded_base64(signature.sig), digest_to_sign(STATEMENT))
    assert sealed.manifest.name == f"cases/{CASE}/manifest-{sealed.manifest.sha256[:16]}.json"


def test_without_a_key_nothing_is_left_to_do(store: SqliteStore) -> None:
    """The manifest says that none is set; no later sweep can change that."""
    sealed = seal(CASE, STATEMENT, None)
    assert (sealed.unsigned, opened(sealed.manifest.content).unsigned) == ("", "no_signing_key")


FAILURES = {
    "refused": (
        ApiError(Reason.KMS.of("permission_denied"), status=403, permission="cloudkms.cryptoKeyVersions.useToSign"),
        "kms_permission_denied: missing permission: cloudkms.cryptoKeyVersions.useToSign",
    ),
    "unavailable": (ApiError(Reason.KMS.of("unavailable"), "not now", status=503), "kms_unavailable: not now"),
    "a-mistake-in-a-library": (KeyError("signature"), "internal_error: KeyError"),
    "not-installed": (ImportError("google.cloud.kms_v1"), "internal_error: ImportError"),
}


@pytest.mark.parametrize(("error", "why"), FAILURES.values(), ids=FAILURES)
def test_a_manifest_that_cannot_be_signed_is_kept(error: Exception, why: str) -> None:
    """It claims no signature, and says why it has none; whatever a key does, evidence is not lost."""
    sealed = seal(CASE, STATEMENT, BrokenSigner(error))
    envelope = opened(sealed.manifest.content)
    assert (envelope.signatures, envelope.unsigned, sealed.unsigned) == ((), why, why)
    assert envelope.payload_bytes() == STATEMENT


def noted(store: SqliteStore) -> Sealed:
    """A manifest whose signature is left to a sweep."""
    sealed = unsealed(CASE, STATEMENT, "kms_unavailable: not now")
    note_unsigned(store, CASE, STATEMENT, sealed, NOW)
    return sealed


HOUR = timedelta(hours=1)


def signed_at(now: datetime, store: SqliteStore, key: Signer, kept: StoredObjects) -> list[str]:
    """The manifests that a sweep at this time signs."""
    return list(sign_later(store, key, kept, lambda: now, NOW + 2 * HOUR))


def test_a_sweep_without_time_left_signs_nothing(key: SigningKey, store: SqliteStore) -> None:
    """The next one does."""
    noted(store)
    assert signed_at(NOW + 2 * HOUR, store, key, StoredObjects()) == []
    assert len(unsigned_manifests(store)) == 1


def test_what_was_not_signed_is_signed_later(key: SigningKey, store: SqliteStore, tmp_path: Path) -> None:
    """The signature becomes an object of its own: nothing that is stored is ever changed."""
    sealed, kept = noted(store), StoredObjects()
    assert len(unsigned_manifests(store)) == 1
    assert signed_at(NOW + HOUR, store, key, kept) == [sealed.manifest.name]

    ((name, content),) = kept.objects.items()
    late = json.loads(content)
    assert name == f"cases/{CASE}/signature-{hashlib.sha256(content).hexdigest()[:16]}.json"
    assert (late["manifest"], late["sha256"]) == (sealed.manifest.name, sealed.manifest.sha256)
    assert late["signed_at"] == "2026-03-01T13:00:00Z"
    assert public(tmp_path).verifies(decoded_base64(late["signature"]["sig"]), digest_to_sign(STATEMENT))
    assert unsigned_manifests(store) == ()
    assert signed_at(NOW, store, key, kept) == []


def test_what_still_cannot_be_signed_stays_noted(store: SqliteStore) -> None:
    """The next sweep tries again."""
    noted(store)
    kept = StoredObjects()
    with pytest.raises(ApiError, match="not now"):
        signed_at(NOW, store, BrokenSigner(FAILURES["unavailable"][0]), kept)
    assert (len(unsigned_manifests(store)), kept.objects) == (1, {})


def test_a_note_that_makes_no_sense_is_told(key: SigningKey, store: SqliteStore) -> None:
    """No digest of unknown origin is ever signed."""
    store.create("unsigned/x", b'{"digest": "zz"}', unfinished=True)
    with pytest.raises(ApiError, match="unsigned/x"):
        signed_at(NOW, store, key, StoredObjects())


def test_a_note_that_makes_no_sense_keeps_no_other_unsigned(key: SigningKey, store: SqliteStore) -> None:
    """It is told once the others are signed."""
    store.create("unsigned/a", b'{"digest": "\xff"}', unfinished=True)
    noted(store)
    kept = StoredObjects()
    with pytest.raises(ApiError, match="unsigned/a"):
        signed_at(NOW, store, key, kept)
    assert ([entry.key for entry in unsigned_manifests(store)], len(kept.objects)) == (["unsigned/a"], 1)
