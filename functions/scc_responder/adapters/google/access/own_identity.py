"""The account of the environment's credentials, as they say themselves or as Google's tokeninfo says."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import msgspec

from scc_responder.adapters.google.access import google_channel
from scc_responder.adapters.google.access.credentials import AccessToken, default_credentials
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import read_json

TOKENINFO = "https://oauth2.googleapis.com/tokeninfo"
_MOST_BYTES = 64 * 1024


class GoogleCaller:
    """`responder_identity.Caller`. `token`: whose bearer is asked for, in place of the environment's credentials.

    `tokeninfo`: another server than Google's that says whose a token is, http:// on this machine.
    """

    def __init__(
        self,
        tokeninfo: str = "",
        *,
        token: Callable[[], str] | None = None,
        credentials: Callable[[], Any] = default_credentials,
        timeout_seconds: float = 10.0,
    ) -> None:
        self._address = _checked(tokeninfo) if tokeninfo else TOKENINFO
        self._token = token
        self._credentials = credentials
        self._timeout_seconds = timeout_seconds

    def email(self) -> str:
        """The account's address. Raises ApiError."""
        if self._token is not None:
            return self._told(self._token())
        credentials = self._credentials()
        # Impersonated credentials and keys of service accounts carry it; a person's do not.
        carried = getattr(credentials, "service_account_email", None)
        if isinstance(carried, str) and "@" in carried:
            return carried
        return self._told(AccessToken(credentials=lambda: credentials)())

    def _told(self, token: str) -> str:
        urllib3: Any = import_module("urllib3")
        try:
            with urllib3.PoolManager(retries=False, timeout=self._timeout_seconds) as pool:
                # In a header: addresses are logged on their way.
                headers = {"Authorization": f"Bearer {token}"}
                answer = pool.request("POST", self._address, headers=headers, redirect=False, preload_content=False)
                status, body = answer.status, answer.read(_MOST_BYTES)
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(Reason.TOKENINFO.of("unreachable"), f"{self._address}: {type(error).__name__}") from error
        if status != 200:
            raise ApiError(Reason.TOKENINFO.of("refused"), f"{self._address}: HTTP {status}", status=status)
        return _email(body)


def _email(body: bytes) -> str:
    try:
        email = read_json(body, dict[str, Any]).get("email")
    except msgspec.DecodeError as error:
        raise ApiError(
            Reason.TOKENINFO.of(Reason.UNUSABLE_ANSWER), "its answer is no JSON object", status=200
        ) from error
    return email if isinstance(email, str) else ""


def _checked(address: str) -> str:
    parts = urlsplit(address)
    google_channel.check_loopback(parts.netloc if parts.scheme == "http" else address, "SCC_RESPONDER_TOKENINFO")
    return address
