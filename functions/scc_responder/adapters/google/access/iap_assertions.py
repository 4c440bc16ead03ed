"""Whom Identity-Aware Proxy let in, by the assertion that it signs: `x-goog-iap-jwt-assertion`.

Source: Identity-Aware Proxy, "Securing your app with signed headers". The headers `x-goog-authenticated-user-*` prove
nothing: whoever reaches the service past IAP can write them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from time import monotonic
from typing import Any

import msgspec

from scc_responder.adapters.google.access.credentials import http_request
from scc_responder.adapters.google.access.id_tokens import checked_certs, email_in, token_refusal
from scc_responder.domain.errors import Forbidden, RetryableError, SettingsError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import read_json

IAP_KEYS = "https://www.gstatic.com/iap/verify/public_key"
ISSUER = "https://cloud.google.com/iap"
IAP_SKEW_SECONDS = 30
KEYS_SECONDS = 600.0
"""How long keys are believed: one that Google withdraws is refused after that."""
ASKED_AGAIN_SECONDS = 10.0
"""A key that is not known is asked for no more often than this, whatever is sent."""
MAX_ASSERTION_BYTES = 8 * 1024
MAX_KEYS_BYTES = 256 * 1024

_ASSERTION = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}", re.ASCII)
_GOOGLE_ACCOUNT = re.compile(r"accounts\.google\.com:[0-9]{1,40}", re.ASCII)
_Keys = Mapping[str, str]


class IapIdentity:
    """`ports.Approvers` over the assertions that IAP makes for one audience.

    `keys`: another IAP's public keys, http:// on this machine (any other raises SettingsError); Google's where empty.
    They are kept for `KEYS_SECONDS`. Use one for all requests.
    """

    def __init__(self, audience: str, keys: str = "", *, now: Callable[[], float] = monotonic) -> None:
        if not audience:
            raise SettingsError("missing_setting", "SCC_RESPONDER_IAP_AUDIENCE is not set")
        self._audience = audience
        self._address = checked_certs(keys, "SCC_RESPONDER_IAP_KEYS") if keys else IAP_KEYS
        self._now = now
        self._lock = threading.Lock()
        self._keys: _Keys = {}
        self._read_at = float("-inf")

    def email(self, token: str) -> str:
        """The person's e-mail address, in lower case.

        Raises Forbidden, whose reason never quotes the assertion; RetryableError `certificates_unavailable`.
        """
        if len(token) > MAX_ASSERTION_BYTES or not _ASSERTION.fullmatch(token):
            raise Forbidden(Reason.TOKEN_MALFORMED)
        claims = self._verified(token)
        if claims.get("iss") != ISSUER:
            raise Forbidden(Reason.TOKEN_WRONG_ISSUER)
        subject = claims.get("sub")
        if not isinstance(subject, str) or not _GOOGLE_ACCOUNT.fullmatch(subject):
            raise Forbidden(Reason.EMAIL_NOT_VERIFIED, "IAP let in somebody who has no Google account")
        return email_in(claims)

    def _verified(self, token: str) -> Mapping[str, Any]:
        jwt: Any = import_module("google.auth.jwt")
        problems: Any = import_module("google.auth.exceptions")
        try:
            header = jwt.decode_header(token)
            key_id = header.get("kid")
            if header.get("alg") != "ES256":
                raise Forbidden(Reason.TOKEN_NOT_VERIFIED)
            keys = {key_id: self._key(key_id)}
            said = jwt.decode(token, keys, audience=self._audience, clock_skew_in_seconds=IAP_SKEW_SECONDS)
            return dict(said)
        except (problems.GoogleAuthError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise token_refusal(token, self._audience, IAP_SKEW_SECONDS) from error

    def _key(self, key_id: str) -> str:
        with self._lock:
            age = self._now() - self._read_at
            if age >= KEYS_SECONDS or (key_id not in self._keys and age >= ASKED_AGAIN_SECONDS):
                self._keys, self._read_at = self._read(), self._now()
            if key_id not in self._keys:
                raise Forbidden(Reason.TOKEN_NOT_VERIFIED)
            return self._keys[key_id]

    def _read(self) -> _Keys:
        problems: Any = import_module("google.auth.exceptions")
        try:
            answer = http_request()(self._address, method="GET")
            if answer.status == 200 and len(answer.data) <= MAX_KEYS_BYTES:
                return read_json(answer.data, dict[str, str])
        except (problems.TransportError, msgspec.DecodeError) as error:
            raise RetryableError(Reason.CERTIFICATES_UNAVAILABLE, f"{self._address} did not answer") from error
        raise RetryableError(Reason.CERTIFICATES_UNAVAILABLE, f"{self._address} did not answer")
