"""ID tokens of this service's own identity, from the metadata server.

Source: Cloud Run, "Authenticating service-to-service"; `google.oauth2.id_token.fetch_id_token`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from scc_responder.adapters.google.access.credentials import http_request
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason


def own_id_token(audience: str) -> str:
    """A token that says to `audience` who this service is. Raises ApiError `token_unavailable`, `no_credentials`."""
    tokens: Any = import_module("google.oauth2.id_token")
    problems: Any = import_module("google.auth.exceptions")
    try:
        return str(tokens.fetch_id_token(http_request(), audience))
    except problems.DefaultCredentialsError as error:
        raise ApiError(Reason.NO_CREDENTIALS, "there is no metadata server to say who this is", status=401) from error
    except problems.GoogleAuthError as error:
        raise ApiError(Reason.TOKEN_UNAVAILABLE, "the metadata server gave no token") from error
