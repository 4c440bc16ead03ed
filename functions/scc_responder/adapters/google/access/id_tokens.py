"""The verified sender of a Google ID token: google-auth checks signature, audience, issuer, times and e-mail address.

Source: Google Identity, "OpenID Connect", "Validating an ID token".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from scc_responder.adapters.google.access.credentials import http_request
from scc_responder.adapters.google.access.google_channel import check_loopback
from scc_responder.domain.errors import Forbidden, RetryableError, SettingsError
from scc_responder.domain.reasons import Reason

GOOGLE_CERTS = "https://www.googleapis.com/oauth2/v1/certs"
ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
CLOCK_SKEW_SECONDS = 10
MAX_TOKEN_BYTES = 8 * 1024

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.([A-Za-z0-9_-]*)=*", re.ASCII)
_REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"
_EMAIL = re.compile(r"[^@\s]{1,100}@[^@\s]{1,200}")


class GoogleIdentity:
    """`ports.Approvers` over Google ID tokens made for one audience.

    `certs`: another issuer's certificates, http:// on this machine (any other raises SettingsError); Google's where
    empty. They are fetched for each token that could be one: approvals are rare, and keys may be withdrawn.
    """

    def __init__(self, audience: str, certs: str = "") -> None:
        if not audience:
            raise SettingsError("missing_setting", "SCC_RESPONDER_APPROVAL_AUDIENCE is not set")
        self._audience = audience
        self._certs = checked_certs(certs, "SCC_RESPONDER_APPROVAL_CERTS") if certs else GOOGLE_CERTS

    def email(self, token: str) -> str:
        """The bearer's verified e-mail address, in lower case.

        Raises Forbidden, whose reason never quotes the token; RetryableError `certificates_unavailable`.
        """
        match = _TOKEN.fullmatch(token) if len(token) <= MAX_TOKEN_BYTES else None
        if match is None:
            raise Forbidden(Reason.TOKEN_MALFORMED)
        if match[1] == _REMOVED:
            raise Forbidden(
                Reason.TOKEN_SIGNATURE_REMOVED, "send this token in Authorization, Cloud Run's in X-Serverless-*"
            )
        return _email(self._verified(token))

    def _verified(self, token: str) -> dict[str, Any]:
        tokens: Any = import_module("google.oauth2.id_token")
        problems: Any = import_module("google.auth.exceptions")
        try:
            return dict(
                tokens.verify_token(
                    token,
                    http_request(),
                    audience=self._audience,
                    certs_url=self._certs,
                    clock_skew_in_seconds=CLOCK_SKEW_SECONDS,
                )
            )
        except problems.TransportError as error:
            raise RetryableError(Reason.CERTIFICATES_UNAVAILABLE, f"{self._certs} did not answer") from error
        except (problems.GoogleAuthError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise token_refusal(token, self._audience, CLOCK_SKEW_SECONDS) from error


def token_refusal(token: str, audience: str, skew: int) -> Forbidden:
    """The refusal of a token that did not hold, with the reason for the log by what it says of itself."""
    jwt: Any = import_module("google.auth.jwt")
    try:
        claims = jwt.decode(token, verify=False)
        if claims.get("aud") != audience:
            return Forbidden(Reason.TOKEN_WRONG_AUDIENCE)
        is_over = float(claims["exp"]) + skew < import_module("time").time()
        return Forbidden(Reason.TOKEN_EXPIRED if is_over else Reason.TOKEN_NOT_VERIFIED)
    except Exception:  # noqa: BLE001 - whatever it says, it was refused already
        return Forbidden(Reason.TOKEN_NOT_VERIFIED)


def email_of_checked(token: str, audience: str, now: float) -> str:
    """The verified address in a token that Cloud Run checked, which then has no signature any more; else empty.

    Raises Forbidden where it has no such address, is over, or is for another than `audience`, an address or what lies
    below it (empty where the function's own is not known). Use it only for tokens that Cloud Run checked.
    """
    match = _TOKEN.fullmatch(token) if len(token) <= MAX_TOKEN_BYTES else None
    if match is None or match[1] != _REMOVED:
        return ""
    claims = _claims(token)
    if audience and not _is_for(claims.get("aud"), audience):
        raise Forbidden(Reason.TOKEN_WRONG_AUDIENCE)
    expiry = claims.get("exp")
    if isinstance(expiry, bool) or not isinstance(expiry, int | float) or not expiry + CLOCK_SKEW_SECONDS >= now:
        raise Forbidden(Reason.TOKEN_EXPIRED)
    return _email(claims)


def _claims(token: str) -> Mapping[str, Any]:
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError) as error:
        raise Forbidden(Reason.TOKEN_MALFORMED) from error
    if not isinstance(claims, dict):
        raise Forbidden(Reason.TOKEN_MALFORMED)
    return claims


def _is_for(claimed: object, audience: str) -> bool:
    own = audience.rstrip("/")
    return isinstance(claimed, str) and (claimed == own or claimed.startswith(f"{own}/"))


def _email(claims: Mapping[str, Any]) -> str:
    if claims.get("iss") not in ISSUERS:
        raise Forbidden(Reason.TOKEN_WRONG_ISSUER)
    email = email_in(claims)
    if claims.get("email_verified") is not True:
        raise Forbidden(Reason.EMAIL_NOT_VERIFIED)
    return email


def email_in(claims: Mapping[str, Any]) -> str:
    """The address that verified claims say, in lower case. Raises Forbidden `token_without_email`."""
    email = claims.get("email")
    if not isinstance(email, str) or not _EMAIL.fullmatch(email):
        raise Forbidden(Reason.TOKEN_WITHOUT_EMAIL, "a service account's token needs --include-email")
    return email.lower()


def checked_certs(address: str, variable: str) -> str:
    """The address of another issuer's keys, if it is http:// on this machine. Raises SettingsError."""
    parts = urlsplit(address)
    check_loopback(parts.netloc if parts.scheme == "http" else address, variable)
    return address
