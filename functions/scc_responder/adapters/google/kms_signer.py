"""Sign with a key version in Cloud KMS: one request for each signature, and the key never leaves Google."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from scc_responder.adapters.google.access import lean_imports
from scc_responder.adapters.google.access.google_client import GoogleClient
from scc_responder.adapters.google.access.grpc_errors import ApiMethod
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import SIGNING_KEY

KMS_SERVICE = "cloudkms.googleapis.com"
ASYMMETRIC_SIGN = ApiMethod(api=Reason.KMS, permission="cloudkms.cryptoKeyVersions.useToSign")
_TRIES = 2
"""An answer that was changed on its way is asked for once more, as Google advises."""


class KmsSigner(GoogleClient):
    """`ports.Signer` with `gcpkms://projects/.../cryptoKeyVersions/N`: EC P-256 with SHA-256. Connects on first use.

    `endpoint`: a stand-in for Cloud KMS on this machine, host:port. `timeout_seconds` bounds each request; a failed one
    is not tried again here.
    """

    lean = lean_imports.KEY_MANAGEMENT
    service = KMS_SERVICE
    setting = "SCC_RESPONDER_KMS_ENDPOINT"
    within_seconds = 5.0

    def __init__(self, key: str, *, endpoint: str = "", timeout_seconds: float = 0.0) -> None:
        """Check key and endpoint. Raises SettingsError."""
        named = SIGNING_KEY.fullmatch(key)
        if named is None:
            raise SettingsError("invalid_setting", f"{key!a} names no key version of Cloud KMS")
        self.key_id = key
        self._version = named["version"]
        super().__init__(endpoint=endpoint, timeout_seconds=timeout_seconds)

    def sign(self, digest: bytes) -> bytes:
        """See `Signer.sign`. Raises ApiError `kms_...`, also where an answer was changed on its way twice."""
        crc32c: Any = import_module("google_crc32c")
        request = {
            "name": self._version,
            "digest": {"sha256": digest},
            "digest_crc32c": {"value": crc32c.value(digest)},
        }
        for _ in range(_TRIES):
            answer = self._asked_once(ASYMMETRIC_SIGN, "asymmetric_sign", request=request)
            signature = bytes(answer.signature)
            is_whole = answer.verified_digest_crc32c and answer.signature_crc32c == crc32c.value(signature)
            if is_whole and answer.name == self._version and signature:
                return signature
        raise ApiError(Reason.KMS.of("corrupted"), f"{self._version}: {_TRIES} answers with a checksum that differs")
