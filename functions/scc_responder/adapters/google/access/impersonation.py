"""Access tokens of another service account than the environment's, which may be given them.

Source: IAM Service Account Credentials API v1, `projects.serviceAccounts.generateAccessToken`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from scc_responder.adapters.google.access import lean_imports
from scc_responder.adapters.google.access.credentials import SCOPES, AccessToken, default_credentials
from scc_responder.adapters.google.access.google_channel import check_loopback
from scc_responder.domain.errors import ApiError
from scc_responder.domain.permissions import GET_ACCESS_TOKEN
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import read_json

IAM_CREDENTIALS = "https://iamcredentials.googleapis.com"
LIFETIME_SECONDS = 900
"""How long a token is valid: one that leaks is of little use, and a plan seldom takes longer."""

_WAIT_FOR = frozenset({408, 429, 500, 502, 503, 504})


class ImpersonatedToken:
    """Access tokens of the service account `email`, one kept until it is about to expire. Safe in several threads.

    `endpoint`: a stand-in for the IAM Credentials API on this machine, host:port (any other raises SettingsError). It
    is given `token`, and never the environment's.
    """

    def __init__(
        self,
        email: str,
        *,
        endpoint: str = "",
        token: Callable[[], str] | None = None,
        credentials: Callable[[], Any] = default_credentials,
    ) -> None:
        if endpoint:
            endpoint = f"http://{check_loopback(endpoint, 'SCC_RESPONDER_IAM_CREDENTIALS_ENDPOINT')}"
            credentials = partial(_Bearer, token or (lambda: "stand-in"))
        self._email = email
        self._address = f"{endpoint or IAM_CREDENTIALS}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
        self._token = AccessToken(credentials=lambda: self._impersonated(credentials()))

    def __call__(self) -> str:
        """A token that is valid now. Raises ApiError `no_credentials`, `token_refused` or `token_unavailable`."""
        try:
            return self._token()
        except ApiError as error:
            raise _explained(error, self._email) from error

    def _impersonated(self, credentials: Any) -> Any:
        return lean_imports.obtain(lean_imports.IMPERSONATED_CREDENTIALS)(
            source_credentials=_Source(credentials),
            target_principal=self._email,
            target_scopes=SCOPES,
            lifetime=LIFETIME_SECONDS,
            iam_endpoint_override=self._address,
        )


class _Source:
    """Credentials as impersonation uses them. google-auth would scope others anew, and load `cryptography` for it."""

    universe_domain = "googleapis.com"

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    @property
    def token_state(self) -> Any:
        return self._credentials.token_state

    def refresh(self, request: Any) -> None:
        self._credentials.refresh(request)

    def apply(self, headers: dict[str, str]) -> None:
        self._credentials.apply(headers)


class _Bearer:
    """A token that is known, in the form of credentials."""

    token_state = None

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def apply(self, headers: dict[str, str]) -> None:
        headers["authorization"] = f"Bearer {self._token()}"


def _explained(error: ApiError, email: str) -> ApiError:
    """The error with what the API said of it: google-auth hands the body on, and nothing of it."""
    refused = error.__cause__.args[1:] if error.__cause__ else ()
    said = _said(refused[0]) if refused else {}
    status, message = said.get("code"), f"{email}: {said.get('message', error)}"
    if status in _WAIT_FOR:
        return ApiError(Reason.TOKEN_UNAVAILABLE, message, status=503)
    # Any other status than 401 and 403 would be taken for an answer about what is to be changed.
    if status != 403:
        return ApiError(error.reason, message, status=error.status)
    is_disabled = any(detail.get("reason") == "SERVICE_DISABLED" for detail in said.get("details") or ())
    return ApiError(error.reason, message, status=403, permission="" if is_disabled else GET_ACCESS_TOKEN)


def _said(body: object) -> Mapping[str, Any]:
    try:
        said = read_json(str(body), dict[str, Any]).get("error")
    except msgspec.DecodeError:
        return {}
    return said if isinstance(said, dict) else {}
