"""Identity-Aware Proxy on this machine: real P-256 keys, served over HTTP as Google serves its own, and assertions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.kits.google.key_server import KeyServer

IAP_AUDIENCE = "/projects/123456789012/locations/europe-west1/services/scc-responder-console"
ISSUER = "https://cloud.google.com/iap"
LIFE_SECONDS = 600


def iap_key() -> ec.EllipticCurvePrivateKey:
    """A key such as IAP signs with."""
    return ec.generate_private_key(ec.SECP256R1())


class LocalIap(KeyServer):
    """Serves its public keys from `with` until its end; `assertion` signs what a test wants it to say.

    `keys` may be changed, as Google rotates them.
    """

    path = "/iap/verify/public_key"

    def __init__(self, audience: str = IAP_AUDIENCE) -> None:
        super().__init__()
        self.audience = audience
        self.keys = {"key-1": iap_key()}

    def public_keys(self) -> dict[str, str]:
        """Those that it has now."""
        return {name: public_pem(key) for name, key in self.keys.items()}

    def claims(self, email: Any = "ann@example.com", **more: Any) -> dict[str, Any]:
        """What IAP says of a person; None leaves a claim out."""
        now = int(time.time())
        said = {
            "iss": ISSUER,
            "aud": self.audience,
            "iat": now,
            "exp": now + LIFE_SECONDS,
            "sub": "accounts.google.com:112233445566778899001",
            "email": email,
            "hd": "example.com",
            **more,
        }
        return {name: value for name, value in said.items() if value is not None}

    def assertion(self, email: Any = "ann@example.com", *, key: Any = None, header: Any = None, **more: Any) -> str:
        """An assertion that says this. `key` signs in place of IAP's."""
        head = {"alg": "ES256", "typ": "JWT", "kid": "key-1"} if header is None else header
        signed = f"{part(head)}.{part(self.claims(email, **more))}"
        return f"{signed}.{signature(signed, key or self.keys['key-1'])}"


def forged(iap: LocalIap) -> dict[str, str]:
    """Assertions that look right, and were not signed by IAP."""
    good = iap.assertion()
    head, payload, signed = good.split(".")
    eve = part(iap.claims("eve@example.com"))
    secret = public_pem(iap.keys["key-1"]).encode()
    hs256 = part({"alg": "HS256", "typ": "JWT", "kid": "key-1"})
    mac = hmac.new(secret, f"{hs256}.{payload}".encode(), hashlib.sha256).digest()
    return {
        "another key": iap.assertion(key=iap_key()),
        "another key's name": iap.assertion(header={"alg": "ES256", "kid": "key-2"}),
        "no key's name": iap.assertion(header={"alg": "ES256"}),
        "an empty key's name": iap.assertion(header={"alg": "ES256", "kid": ""}),
        "a key's name that is none": iap.assertion(header={"alg": "ES256", "kid": ["key-1"]}),
        "no header": iap.assertion(header=["ES256"]),
        "alg none": iap.assertion(header={"alg": "none", "kid": "key-1"}),
        "alg None": iap.assertion(header={"alg": None, "kid": "key-1"}),
        "alg ES384": iap.assertion(header={"alg": "ES384", "kid": "key-1"}),
        "alg RS256": iap.assertion(header={"alg": "RS256", "kid": "key-1"}),
        "the public key as a secret": f"{hs256}.{payload}.{encoded(mac)}",
        "the public key as a longer secret": f"{hs256}.{payload}.{encoded(mac + mac)}",
        "changed payload": f"{head}.{eve}.{signed}",
        "changed header": f"{part({'alg': 'ES256', 'kid': 'key-1', 'a': 1})}.{payload}.{signed}",
        "zeros as signature": f"{head}.{payload}.{encoded(bytes(64))}",
        "no signature": f"{head}.{payload}.",
        "removed signature": f"{head}.{payload}.SIGNATURE_REMOVED_BY_GOOGLE",
        "payload of no object": f"{head}.{part(['ann@example.com'])}.{signed}",
        "payload of no JSON": f"{head}.{encoded(b'ann')}.{signed}",
    }


def public_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """A public key as Google's file has it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def signature(signed: str, key: ec.EllipticCurvePrivateKey) -> str:
    """What ES256 puts behind the second dot: r and s, one after the other. Source: RFC 7518, 3.4."""
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def part(content: Any) -> str:
    """A part of a token."""
    return encoded(json.dumps(content).encode())


def encoded(content: bytes) -> str:
    """Bytes as a token has them."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
