"""Cloud KMS as a local gRPC server that speaks Google's own protos, with real keys.

Sources: Cloud KMS, "AsymmetricSign", "GetPublicKey" and "Data integrity guidelines"; IAM, "TestIamPermissions".
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

import google_crc32c
import grpc
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from google.cloud.kms_v1.types import (
    AsymmetricSignRequest,
    AsymmetricSignResponse,
    CryptoKeyVersion,
    GetPublicKeyRequest,
    PublicKey,
)
from google.iam.v1 import iam_policy_pb2

from tests.kits.google.grpc_servers import LocalServer, unary

KEY = "projects/example-project/locations/europe-west1/keyRings/scc-responder/cryptoKeys/evidence"
VERSION = f"{KEY}/cryptoKeyVersions/1"
_VERSION = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+/cryptoKeyVersions/[0-9]+")
_P256 = CryptoKeyVersion.CryptoKeyVersionAlgorithm.EC_SIGN_P256_SHA256


class KeyManagementServer(LocalServer):
    """`KeyManagementService` with `keys`, by the name of their version, and IAM's question what the caller may do.

    `disabled` versions do not sign. `requests` are the digests that were signed. `damage` befalls the next answers, one
    each: a function that changes the answer on its way. `algorithm` is what the keys are said to be for.
    """

    def __init__(self, versions: Collection[str] = (VERSION,), *, port: int = 0) -> None:
        self.keys = {version: ec.generate_private_key(ec.SECP256R1()) for version in versions}
        self.disabled: set[str] = set()
        self.requests: list[bytes] = []
        self.damage: deque[Callable[[AsymmetricSignResponse], None]] = deque()
        self.algorithm = _P256
        self.may: Collection[str] = ("cloudkms.cryptoKeyVersions.useToSign", "cloudkms.cryptoKeyVersions.viewPublicKey")
        handlers = {
            "AsymmetricSign": unary(self.asymmetric_sign, AsymmetricSignRequest, AsymmetricSignResponse),
            "GetPublicKey": unary(self.get_public_key, GetPublicKeyRequest, PublicKey),
        }
        super().__init__("google.cloud.kms.v1.KeyManagementService", handlers, port)
        answers = grpc.unary_unary_rpc_method_handler(
            self.held_permissions,
            request_deserializer=iam_policy_pb2.TestIamPermissionsRequest.FromString,
            response_serializer=iam_policy_pb2.TestIamPermissionsResponse.SerializeToString,
        )
        iam = grpc.method_handlers_generic_handler("google.iam.v1.IAMPolicy", {"TestIamPermissions": answers})
        self._server.add_generic_rpc_handlers((iam,))

    def asymmetric_sign(self, request: AsymmetricSignRequest, context: grpc.ServicerContext) -> AsymmetricSignResponse:
        """AsymmetricSign of a SHA-256 digest, with the checksums that the request and the answer may carry."""
        self.befall("AsymmetricSign", context)
        key = self._key(request.name, context)
        digest = request.digest.sha256
        if len(digest) != 32:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The digest length must be 32 bytes.")
        if "digest_crc32c" in request and request.digest_crc32c != google_crc32c.value(digest):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The checksum in digest_crc32c did not match.")
        self.requests.append(digest)
        signature = key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        answer = AsymmetricSignResponse(
            signature=signature,
            signature_crc32c=google_crc32c.value(signature),
            verified_digest_crc32c="digest_crc32c" in request,
            name=request.name,
        )
        if self.damage:
            self.damage.popleft()(answer)
        return answer

    def get_public_key(self, request: GetPublicKeyRequest, context: grpc.ServicerContext) -> PublicKey:
        """GetPublicKey, in PEM."""
        self.befall("GetPublicKey", context)
        pem = self.pem(self._key(request.name, context))
        return PublicKey(
            pem=pem, algorithm=self.algorithm, pem_crc32c=google_crc32c.value(pem.encode()), name=request.name
        )

    def held_permissions(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Those of the permissions that the caller has on a key."""
        if request.resource not in {name.partition("/cryptoKeyVersions/")[0] for name in self.keys}:
            context.abort(grpc.StatusCode.NOT_FOUND, f"CryptoKey {request.resource} not found.")
        return iam_policy_pb2.TestIamPermissionsResponse(
            permissions=[each for each in request.permissions if each in self.may]
        )

    def pem(self, key: ec.EllipticCurvePrivateKey | None = None) -> str:
        """A public key as KMS gives it: by default that of the first key."""
        public = (key or next(iter(self.keys.values()))).public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return public.public_bytes(serialization.Encoding.PEM, form).decode()

    def _key(self, name: str, context: grpc.ServicerContext) -> ec.EllipticCurvePrivateKey:
        if not _VERSION.fullmatch(name):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Invalid resource name {name!r}.")
        if name not in self.keys:
            context.abort(grpc.StatusCode.NOT_FOUND, f"CryptoKeyVersion {name} not found.")
        if name in self.disabled:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{name} is not enabled, current state is: DISABLED.")
        return self.keys[name]
