"""Sign with a key of this machine, where no key in Cloud KMS is named, and verify what any key signed."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from secrets import token_hex

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.reasons import Reason

_SHA256 = ec.ECDSA(Prehashed(hashes.SHA256()))


def key_beside(store: Path) -> Path:
    """The private key of the SQLite store in this file; its public key is beside it, with `.pub.pem` at its end."""
    return store.with_name(f"{store.name}.signing-key.pem")


def public_key_beside(store: Path) -> Path:
    """The public key of the SQLite store in this file."""
    return store.with_name(f"{store.name}.signing-key.pub.pem")


class SigningKey:
    """`ports.Signer` with a private key in a file, made once with mode 0600. It is read, or made, by the first use."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def key_id(self) -> str:
        """`sha256:` and the hash of the public key in DER, in hex. Raises ApiError."""
        return key_id(PublicKey(self._private.public_key()))

    def sign(self, digest: bytes) -> bytes:
        """See `Signer.sign`. Raises ApiError `signing_key_unusable`."""
        return self._private.sign(digest, _SHA256)

    @cached_property
    def _private(self) -> ec.EllipticCurvePrivateKey:
        try:
            key = self._read()
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ApiError(Reason.SIGNING_KEY_UNUSABLE, f"{self._path}: {type(error).__name__}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ApiError(Reason.SIGNING_KEY_UNUSABLE, f"{self._path}: not a key on P-256")
        return key

    def _read(self) -> object:
        """The key; of several processes that make it at once, one is first, and all use its key. Raises OSError."""
        if not self._path.exists():
            _write_once(self._path, _private_pem(), 0o600)
        if self._path.stat().st_mode & 0o077:
            raise ApiError(Reason.SIGNING_KEY_UNUSABLE, f"{self._path}: others may read it; chmod 600, or make another")
        key = serialization.load_pem_private_key(self._path.read_bytes(), password=None)
        public = self._path.with_suffix(".pub.pem")
        if not public.exists():
            pem = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            _write_once(public, pem, 0o644)
        return key


class PublicKey:
    """A public key on P-256 that verifies signatures."""

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        self._key = key

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """Whether its private key made the signature (DER) of what has this SHA-256."""
        try:
            self._key.verify(signature, digest, _SHA256)
        except InvalidSignature:
            return False
        return True

    def der(self) -> bytes:
        """The key as SubjectPublicKeyInfo."""
        return self._key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_id(key: PublicKey) -> str:
    """What a local key is called in what it signs: `sha256:` and the hash of the key in DER, in hex."""
    return f"sha256:{hashlib.sha256(key.der()).hexdigest()}"


def read_public_key(path: Path) -> PublicKey:
    """The public key in a PEM file, such as Cloud KMS gives it. Raises SettingsError `key_unusable`."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError("key_unusable", f"{path}: no public key in PEM ({type(error).__name__})") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SettingsError("key_unusable", f"{path}: not a public key on P-256")
    return PublicKey(key)


def _private_pem() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_once(path: Path, content: bytes, mode: int) -> None:
    """A new file that is whole as soon as it is there; one that is there already stays. Raises OSError."""
    unfinished = path.with_name(f"{path.name}.{token_hex(8)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        unfinished.unlink()
