"""What Cloud KMS says that the caller may do with a key, and what the key is. Reads only: nothing is signed."""

from __future__ import annotations

from typing import Any

from scc_responder.adapters.google.access import google_channel, lean_imports
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failures
from scc_responder.adapters.google.kms_signer import ASYMMETRIC_SIGN, KMS_SERVICE
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import SIGNING_KEY

GET_PUBLIC_KEY = ApiMethod(api=Reason.KMS, permission="cloudkms.cryptoKeyVersions.viewPublicKey")
TEST_PERMISSIONS = ApiMethod(api=Reason.KMS, permission="")


class KmsAccess:
    """`signing_checks.SigningKeyAccess` over Cloud KMS. `endpoint`: a stand-in on this machine, host:port."""

    def __init__(self, key: str, *, endpoint: str = "", timeout_seconds: float = 10.0) -> None:
        named = SIGNING_KEY.fullmatch(key)
        self._version, self._key = (named["version"], named["key"]) if named else ("", "")
        self._endpoint = google_channel.check_loopback(endpoint, "SCC_RESPONDER_KMS_ENDPOINT") if endpoint else ""
        self._timeout_seconds = timeout_seconds

    def may_sign(self) -> bool:
        """Whether the caller has `cloudkms.cryptoKeyVersions.useToSign` on the key. Raises ApiError."""
        asked = {"resource": self._key, "permissions": [ASYMMETRIC_SIGN.permission]}
        return ASYMMETRIC_SIGN.permission in self._ask("test_iam_permissions", TEST_PERMISSIONS, asked).permissions

    def algorithm(self) -> str:
        """What the key version is for, in KMS's own word. Raises ApiError, also where the version is not enabled."""
        return str(self._ask("get_public_key", GET_PUBLIC_KEY, {"name": self._version}).algorithm.name)

    def _ask(self, method: str, call: ApiMethod, request: dict[str, Any]) -> Any:
        client = google_channel.client(lean_imports.KEY_MANAGEMENT, KMS_SERVICE, self._endpoint)
        bounds: dict[str, Any] = {"timeout": self._timeout_seconds, "retry": None}
        try:
            with grpc_failures(call):
                return getattr(client, method)(request=request, **bounds)
        finally:
            client.transport.close()
