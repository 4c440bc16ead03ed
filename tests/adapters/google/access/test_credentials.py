from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import google.auth.credentials
import google.auth.exceptions
import pytest

from scc_responder.adapters.google.access.credentials import SCOPES, AccessToken
from scc_responder.adapters.google.gke.gke_clusters import Server, connect_to_server
from scc_responder.domain.errors import ApiError
from tests.cluster.control_plane import ControlPlane


class Credentials(google.auth.credentials.Credentials):
    """Real credentials of google-auth, whose server is played: each refresh brings the next token, or an error."""

    def __init__(self, *outcomes: str | Exception, lifetime: timedelta = timedelta(hours=1)) -> None:
        super().__init__()
        self.outcomes = list(outcomes)
        self.lifetime = lifetime

    def refresh(self, request: object) -> None:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        self.token = outcome
        self.expiry = datetime.now(UTC).replace(tzinfo=None) + self.lifetime


def token_of(credentials: Credentials) -> AccessToken:
    return AccessToken(credentials=lambda: credentials, request=object)


def test_a_token_is_kept_while_it_is_valid() -> None:
    """The identity's server is asked once an hour, not for every request."""
    token = token_of(Credentials("first", "second"))
    assert [token(), token(), token()] == ["first"] * 3


def test_a_token_about_to_expire_is_refreshed() -> None:
    """No request is sent with a token that may expire on its way."""
    token = token_of(Credentials("first", "second", lifetime=timedelta(seconds=60)))
    assert [token(), token()] == ["first", "second"]


def test_a_refused_token_is_renewed() -> None:
    """A token that was revoked early is not sent twice."""
    token = token_of(Credentials("first", "second"))
    assert [token(), token.renew("first"), token()] == ["first", "second", "second"]


def test_requests_that_were_refused_together_renew_once() -> None:
    """Reads run side by side: all of them go on with the token that the first refusal brought."""
    token = token_of(Credentials("first", "second"))
    barrier = threading.Barrier(8)

    def refused(_number: int) -> str:
        sent = token()
        barrier.wait(5)
        return token.renew(sent)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(refused, range(8))) == ["second"] * 8


@pytest.mark.parametrize(
    ("failure", "reason", "status"),
    [
        (google.auth.exceptions.TransportError("away"), "token_unavailable", 0),
        (google.auth.exceptions.RefreshError("revoked"), "token_refused", 401),
    ],
    ids=["no answer", "refused"],
)
def test_a_token_that_cannot_be_had_says_why(failure: Exception, reason: str, status: int) -> None:
    """Whether the identity is refused or its server away decides whether to come again."""
    with pytest.raises(ApiError) as error:
        token_of(Credentials(failure))()
    assert (error.value.reason, error.value.status) == (reason, status)


def test_tokens_name_their_holder_to_rbac() -> None:
    """GKE's RBAC knows a service account by its address only if the token may tell it."""
    assert "https://www.googleapis.com/auth/userinfo.email" in SCOPES


def test_a_renewable_token_is_renewed_after_a_401(control_plane: ControlPlane) -> None:
    """A token revoked at the API server costs one more request, not the finding."""
    token = token_of(Credentials("stale", control_plane.token("admin")))
    server = Server(url=control_plane.url, ca_pem=control_plane.ca_pem.encode())
    read = connect_to_server(server, token).get("/api/v1/namespaces/default")
    assert read["metadata"]["name"] == "default"
