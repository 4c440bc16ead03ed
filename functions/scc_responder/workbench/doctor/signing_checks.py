"""Whether evidence can be signed, and whether any is stored that is not signed yet."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import Protocol

import msgspec

from scc_responder.domain.errors import ApiError
from scc_responder.domain.resource_names import SIGNING_KEY
from scc_responder.domain.store import CasStore
from scc_responder.domain.value import read_json
from scc_responder.execute.evidence.sealing import UnsignedManifest, unsigned_manifests
from scc_responder.workbench.doctor.check import (
    MISSING_PERMISSION,
    OR,
    REACH,
    Check,
    fault,
    ok,
    permission_of,
    probe_failed,
    skipped,
    unknown,
)

ALGORITHM = "EC_SIGN_P256_SHA256"
_NAME = "evidence.signing"


class SigningKeyAccess(Protocol):
    """What is asked of the key that signs evidence. Every method raises ApiError."""

    def may_sign(self) -> bool:
        """Whether the caller may sign with it."""

    def algorithm(self) -> str:
        """What it is for, in Cloud KMS's own word."""


def signing_not_set() -> Check:
    """Settings name no key: that may be meant."""
    why = "evidence is stored without a signature: see the Terraform variable signing"
    return skipped(_NAME, "SCC_RESPONDER_SIGNING_KEY", "signing_key_not_set", why)


def examine_signing(access: SigningKeyAccess, key: str) -> Iterator[Check]:
    """The key version that settings name (`gcpkms://...`): asked what one may, so that nothing is signed."""
    try:
        may = access.may_sign()
    except ApiError as error:
        yield probe_failed(_NAME, key, error, REACH if error.status in {0, 503, 504} else _made(key))
        return
    if not may:
        why = "missing permission: cloudkms.cryptoKeyVersions.useToSign; evidence is stored without a signature"
        yield fault(_NAME, key, MISSING_PERMISSION, why, _grant(key))
        return
    yield _judged(access, key)


def _judged(access: SigningKeyAccess, key: str) -> Check:
    try:
        algorithm = access.algorithm()
    except ApiError as error:
        if permission_of(error):
            fix = f"run doctor as somebody with {error.permission} too: the function's own identity has it not"
            return unknown(_NAME, key, MISSING_PERMISSION, f"missing permission: {error.permission}", fix)
        return probe_failed(_NAME, key, error, _enable(key))
    if algorithm == ALGORITHM:
        return ok(_NAME, key, algorithm)
    why = f"it is for {algorithm}, and evidence is signed with {ALGORITHM}"
    return fault(_NAME, key, "signing_key_unfit", why, _made(key))


def examine_unsigned(store: CasStore) -> Iterator[Check]:
    """Manifests whose signature failed and is still to be made: none is the rule. Raises StoreError."""
    entries = unsigned_manifests(store)
    if not entries:
        return
    try:
        noted = read_json(entries[0].value, UnsignedManifest)
        told = f"{noted.manifest}, since {noted.since:%Y-%m-%d %H:%M} UTC: {noted.why}"
    except msgspec.DecodeError as error:
        told = f"{entries[0].key}: {error}"
    fix = "mend what evidence.signing names; the next sweep signs them"
    yield fault("evidence.unsigned", f"{len(entries)} manifests", "captured_unsigned", told, fix)


def _parts(key: str) -> tuple[str, str, str, str, str]:
    """Project, location, key ring, key and version, quoted for a shell."""
    named = SIGNING_KEY.fullmatch(key)
    words = named["version"].split("/")[1::2] if named else ["PROJECT", "LOCATION", "RING", "KEY", "1"]
    project, location, ring, name, version = map(quote, words)
    return project, location, ring, name, version


def _grant(key: str) -> str:
    project, location, ring, name, _ = _parts(key)
    command = (
        f"gcloud kms keys add-iam-policy-binding {name} --project={project} --location={location} --keyring={ring}"
        " --member=serviceAccount:IDENTITY --role=roles/cloudkms.signer"
    )
    return f"terraform apply{OR}{command}"


def _enable(key: str) -> str:
    project, location, ring, name, version = _parts(key)
    where = f"--project={project} --location={location} --keyring={ring} --key={name}"
    return f"gcloud kms keys versions enable {version} {where}"


def _made(key: str) -> str:
    project, location, ring, name, _ = _parts(key)
    command = (
        f"gcloud kms keys create {name} --project={project} --location={location} --keyring={ring}"
        " --purpose=asymmetric-signing --default-algorithm=ec-sign-p256-sha256"
    )
    return f"Terraform variable signing{OR}{command}"
