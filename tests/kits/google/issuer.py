"""An issuer of ID tokens on this machine: real RSA keys and certificates, served over HTTP as Google serves its own."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.kits.google.key_server import KeyServer

AUDIENCE = "https://scc-responder.example.com"
ISSUER = "https://accounts.google.com"


class Issuer(KeyServer):
    """Serves certificates from `with` until its end; `token` signs what a test wants it to say."""

    path = "/certs"

    def __init__(self) -> None:
        super().__init__()
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public_keys(self) -> dict[str, str]:
        """Its only certificate."""
        return {"key-1": _certificate(self.key)}

    @property
    def certs(self) -> str:
        """Where the certificates are."""
        return self.address

    def token(self, email: str = "ann@example.com", *, key: Any = None, header: Any = None, **claims: Any) -> str:
        """A token that says this; None leaves a claim out. `key` signs in place of the issuer's."""
        now = int(time.time())
        said = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 3600,
            "sub": "1",
            "email": email,
            "email_verified": True,
            **claims,
        }
        payload = {name: value for name, value in said.items() if value is not None}
        signed = f"{_part(header or {'alg': 'RS256', 'kid': 'key-1', 'typ': 'JWT'})}.{_part(payload)}"
        signature = (key or self.key).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def another_key() -> rsa.RSAPrivateKey:
    """A key that the issuer does not know."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _certificate(key: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
