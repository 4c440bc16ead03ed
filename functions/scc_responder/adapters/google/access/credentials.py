"""Who the responder is to Google: the credentials of its environment, and access tokens for API servers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from scc_responder.adapters.google.access import lean_imports
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason

SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/userinfo.email",  # without it GKE's RBAC knows the caller by number only
)


_LOGIN = (
    "no credentials for Google Cloud; run: gcloud auth application-default login"
    " (with --impersonate-service-account=EMAIL as a service account)"
)


def default_credentials() -> Any:
    """Application default credentials (`google.auth.default`). Raises ApiError `no_credentials`."""
    lean_imports.obtain(lean_imports.METADATA_CREDENTIALS)
    problems: Any = import_module("google.auth.exceptions")
    try:
        credentials, _project = import_module("google.auth").default(scopes=SCOPES)
    except problems.GoogleAuthError as error:
        raise ApiError(Reason.NO_CREDENTIALS, f"{_LOGIN}: {error}", status=401) from error
    return credentials


def http_request() -> Any:
    """The transport that refreshes credentials: google-auth's over urllib3, which is loaded anyway."""
    urllib3: Any = import_module("urllib3")
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5.0, read=10.0))
    return lean_imports.obtain(lean_imports.HTTP_REQUEST)(pool)


class AccessToken:
    """Access tokens of one identity, refreshed when they are about to expire. Safe to use from several threads."""

    def __init__(
        self, credentials: Callable[[], Any] = default_credentials, request: Callable[[], Any] = http_request
    ) -> None:
        self._find_credentials = credentials
        self._open_request = request
        self._credentials: Any = None
        self._request: Any = None
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """A token that is valid now. Raises ApiError `no_credentials`, `token_refused` or `token_unavailable`."""
        with self._lock:
            if not self._found().valid:
                self._refresh()
            return str(self._credentials.token)

    def renew(self, refused: str) -> str:
        """Another token than the refused one. Requests that were refused together refresh once. Raises as above."""
        with self._lock:
            if self._found().token in {None, refused}:
                self._refresh()
            return str(self._credentials.token)

    def _found(self) -> Any:
        if self._credentials is None:
            self._request = self._open_request()
            self._credentials = self._find_credentials()
        return self._credentials

    def _refresh(self) -> None:
        problems: Any = import_module("google.auth.exceptions")
        try:
            self._credentials.refresh(self._request)
        except problems.TransportError as error:
            raise ApiError(Reason.TOKEN_UNAVAILABLE, str(error)) from error
        except problems.GoogleAuthError as error:
            raise ApiError(Reason.TOKEN_REFUSED, str(error), status=401) from error
