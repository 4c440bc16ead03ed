"""Sign a manifest, and keep it also where that fails: evidence is never lost for want of a signature.

A manifest that could not be signed is stored with the reason. `unsigned/` in the store then holds the digest that is
to be signed, for a sweep: the signature becomes an object of its own beside the manifest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from scc_responder.domain.errors import AlreadyExists, ApiError, ResponderError
from scc_responder.domain.ports import Clock, Evidence, Signer
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore, Entry
from scc_responder.domain.value import AwareDatetime, Value, read_json
from scc_responder.execute.evidence.canonical_json import canonical_json
from scc_responder.execute.evidence.dsse import Signature, digest_to_sign, enveloped, signature_of
from scc_responder.execute.evidence.manifest import EvidenceObject, object_name
from scc_responder.journal.account.manifest_names import ManifestName

UNSIGNED_PREFIX = "unsigned/"
KEEP_SIGNED = timedelta(days=1)
"""How long the note of a manifest that is signed by now is kept."""
MOST_SIGNED = 100
"""Manifests that one sweep signs."""


class Sealed(Value, frozen=True, kw_only=True):
    """A manifest to store. `unsigned` is why it is not signed; empty where it is, or where there is no key."""

    manifest: EvidenceObject
    unsigned: str = ""

    def __str__(self) -> str:
        """What a step's detail says of it."""
        name = ManifestName(name=self.manifest.name, sha256=self.manifest.sha256)
        return f"{name}; not signed yet: {self.unsigned}" if self.unsigned else str(name)


class UnsignedManifest(Value, frozen=True, kw_only=True):
    """A manifest that is stored without a signature. `digest`, in hex, is what has to be signed."""

    case: str
    manifest: str
    sha256: str
    digest: str
    why: str
    since: AwareDatetime


class LateSignature(Value, frozen=True, kw_only=True):
    """A signature that was made later, as it is stored beside its manifest. `sha256` is that of the manifest object."""

    manifest: str
    sha256: str
    signature: Signature
    signed_at: AwareDatetime
    schema: int = 1


def seal(case: str, statement: bytes, signer: Signer | None) -> Sealed:
    """The statement as the manifest to store, signed where possible. `case` is the case's id."""
    if signer is None:
        return Sealed(manifest=_manifest(case, enveloped(statement, unsigned=Reason.NO_SIGNING_KEY)))
    try:
        signature = signature_of(signer.key_id, signer.sign(digest_to_sign(statement)))
    except ResponderError as error:
        return unsealed(case, statement, f"{error.reason}: {error.explanation}")
    except Exception as error:  # noqa: BLE001 - whatever a key or its library does, evidence is kept
        return unsealed(case, statement, f"{Reason.INTERNAL_ERROR}: {type(error).__name__}")
    return Sealed(manifest=_manifest(case, enveloped(statement, [signature])))


def unsealed(case: str, statement: bytes, why: str) -> Sealed:
    """The statement as the manifest to store where it could not be signed, and why."""
    return Sealed(manifest=_manifest(case, enveloped(statement, unsigned=why)), unsigned=why)


def _manifest(case: str, content: bytes) -> EvidenceObject:
    return EvidenceObject(name=object_name(case, "manifest", content), content=content, kind="manifest")


def note_unsigned(store: CasStore, case: str, statement: bytes, sealed: Sealed, now: datetime) -> None:
    """Leave it to a sweep to sign the manifest. Raises StoreError."""
    manifest = sealed.manifest
    noted = UnsignedManifest(
        case=case,
        manifest=manifest.name,
        sha256=manifest.sha256,
        digest=digest_to_sign(statement).hex(),
        why=sealed.unsigned,
        since=now,
    )
    with suppress(AlreadyExists):
        store.create(f"{UNSIGNED_PREFIX}{manifest.name}", msgspec.json.encode(noted), unfinished=True)


def unsigned_manifests(store: CasStore, limit: int = MOST_SIGNED) -> tuple[Entry, ...]:
    """The notes of manifests that still have to be signed. Raises StoreUnavailable."""
    return store.scan(UNSIGNED_PREFIX, limit=limit, unfinished=True).entries


def sign_later(store: CasStore, signer: Signer, evidence: Evidence, clock: Clock, until: datetime) -> Iterator[str]:
    """Sign what could not be signed when it was stored, until then; yields the names of the manifests.

    Raises ApiError or StoreError at the first that fails; of a note that makes no sense, after the others. Two sweeps
    at once may store two signatures of one manifest: both are good.
    """
    odd: ApiError | None = None
    for entry in unsigned_manifests(store):
        if clock() >= until:
            return
        try:
            noted = read_json(entry.value, UnsignedManifest)
            digest = bytes.fromhex(noted.digest)
        except ValueError as error:
            odd = ApiError(Reason.RECORD_UNREADABLE, f"{entry.key}: {error}")
            continue
        late = LateSignature(
            manifest=noted.manifest,
            sha256=noted.sha256,
            signature=signature_of(signer.key_id, signer.sign(digest)),
            signed_at=clock(),
        )
        content = canonical_json(late)
        evidence.put(object_name(noted.case, "signature", content), content)
        store.replace(entry.key, entry.value, entry.version, keep=KEEP_SIGNED)
        yield noted.manifest
    if odd:
        raise odd
