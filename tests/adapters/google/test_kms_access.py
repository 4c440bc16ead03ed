"""Doctor asks Cloud KMS what a key is and who may use it, and signs nothing."""

from __future__ import annotations

import grpc
import pytest
from google.cloud.kms_v1.types import CryptoKeyVersion

from scc_responder.adapters.google.kms_access import KmsAccess
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.google.key_management import KEY, VERSION, KeyManagementServer


@pytest.fixture
def access(key_management: KeyManagementServer) -> KmsAccess:
    return KmsAccess(f"gcpkms://{VERSION}", endpoint=key_management.endpoint, timeout_seconds=2.0)


def test_the_key_says_who_may_sign(access: KmsAccess, key_management: KeyManagementServer) -> None:
    """By IAM's own question, which needs no permission."""
    assert access.may_sign()
    key_management.may = ("cloudkms.cryptoKeyVersions.viewPublicKey",)
    assert not access.may_sign()
    assert key_management.requests == []


def test_the_key_says_what_it_is_for(access: KmsAccess, key_management: KeyManagementServer) -> None:
    """In KMS's own word."""
    assert access.algorithm() == "EC_SIGN_P256_SHA256"
    key_management.algorithm = CryptoKeyVersion.CryptoKeyVersionAlgorithm.RSA_SIGN_PSS_2048_SHA256
    assert access.algorithm() == "RSA_SIGN_PSS_2048_SHA256"


def test_what_cannot_be_asked_is_told(access: KmsAccess, key_management: KeyManagementServer) -> None:
    """A missing permission by its name, a disabled version in KMS's words, and an absent key."""
    key_management.fail_next(grpc.StatusCode.PERMISSION_DENIED)
    with pytest.raises(ApiError) as raised:
        access.algorithm()
    assert raised.value.permission == "cloudkms.cryptoKeyVersions.viewPublicKey"
    key_management.disabled.add(VERSION)
    with pytest.raises(ApiError, match="DISABLED"):
        access.algorithm()
    other = KmsAccess(f"gcpkms://{KEY}2/cryptoKeyVersions/1", endpoint=key_management.endpoint)
    with pytest.raises(ApiError, match="not found"):
        other.may_sign()
    with pytest.raises(SettingsError, match="loopback"):
        KmsAccess(f"gcpkms://{VERSION}", endpoint="192.0.2.1:443")
