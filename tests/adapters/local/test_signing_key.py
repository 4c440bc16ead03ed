"""The key of this machine is made once, is nobody else's, and its signatures are verified by anybody."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from scc_responder.adapters.local.signing_key import (
    SigningKey,
    key_beside,
    key_id,
    public_key_beside,
    read_public_key,
)
from scc_responder.domain.errors import ApiError, SettingsError

DIGEST = hashlib.sha256(b"what is signed").digest()


def test_the_key_stands_beside_its_store() -> None:
    """Whoever keeps the store keeps the key with it."""
    assert key_beside(Path("/var/x/journal.db")) == Path("/var/x/journal.db.signing-key.pem")
    assert public_key_beside(Path("/var/x/journal.db")) == Path("/var/x/journal.db.signing-key.pub.pem")


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """A second process signs with the same key, and nobody else may read it."""
    path = tmp_path / "journal.db.signing-key.pem"
    signature = SigningKey(path).sign(DIGEST)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    public = read_public_key(tmp_path / "journal.db.signing-key.pub.pem")
    assert public.verifies(signature, DIGEST)
    assert public.verifies(SigningKey(path).sign(DIGEST), DIGEST)
    assert SigningKey(path).key_id == key_id(public) == f"sha256:{hashlib.sha256(public.der()).hexdigest()}"
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "journal.db.signing-key.pem",
        "journal.db.signing-key.pub.pem",
    ]


def test_processes_that_begin_together_use_one_key(tmp_path: Path) -> None:
    """Of several that find none, one makes it."""
    path = tmp_path / "key.pem"
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: SigningKey(path).key_id, range(8)))
    assert ids == {key_id(read_public_key(tmp_path / "key.pub.pem"))}


@pytest.mark.parametrize("change", ["digest", "signature", "empty", "other key"])
def test_a_signature_is_good_for_one_key_and_content(change: str, tmp_path: Path) -> None:
    """Any other is refused, and none makes the check fail."""
    signature = SigningKey(tmp_path / "key.pem").sign(DIGEST)
    other = SigningKey(tmp_path / "other.pem").sign(DIGEST)
    public = read_public_key(tmp_path / "key.pub.pem")
    cases = {
        "digest": (signature, hashlib.sha256(b"else").digest()),
        "signature": (signature[:-1] + bytes([signature[-1] ^ 1]), DIGEST),
        "empty": (b"", DIGEST),
        "other key": (other, DIGEST),
    }
    assert not public.verifies(*cases[change])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_what_was_signed(tmp_path: Path) -> None:
    """No tool of ours is needed."""
    (tmp_path / "content").write_bytes(b"what is signed")
    (tmp_path / "sig").write_bytes(SigningKey(tmp_path / "key.pem").sign(DIGEST))
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pub.pem", "-signature", "sig", "content"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Verified OK\n")


def other_key(kind: str) -> bytes:
    """A private key that is not on P-256, in PEM."""
    key = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP384R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


UNUSABLE = {
    "empty": (b"", 0o600, "ValueError"),
    "no-key": (b"hello", 0o600, "ValueError"),
    "another-curve": (other_key("p384"), 0o600, "not a key on P-256"),
    "another-kind": (other_key("ed25519"), 0o600, "not a key on P-256"),
    "readable-by-others": (other_key("p384"), 0o644, "others may read it"),
}


@pytest.mark.parametrize(("content", "mode", "why"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_key_that_cannot_be_used_is_refused(content: bytes, mode: int, why: str, tmp_path: Path) -> None:
    """It is left as it is: a key is never made anew over another."""
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(ApiError, match=why) as raised:
        SigningKey(path).sign(DIGEST)
    assert raised.value.reason == "signing_key_unusable"
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By the error of the port, so that evidence is kept."""
    with pytest.raises(ApiError, match="FileNotFoundError"):
        SigningKey(tmp_path / os.devnull.strip("/") / "key.pem").sign(DIGEST)


@pytest.mark.parametrize("content", [b"", b"hello", None], ids=repr)
def test_what_is_no_public_key_is_refused(content: bytes | None, tmp_path: Path) -> None:
    """The message names the file."""
    path = tmp_path / "public.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"public\.pem"):
        read_public_key(path)
    SigningKey(tmp_path / "key.pem").sign(DIGEST)
    with pytest.raises(SettingsError, match="no public key"):
        read_public_key(tmp_path / "key.pem")
