"""Tokens of another service account, by google-auth's own impersonation against a local IAM Credentials API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import google.auth.credentials
import pytest

from scc_responder.adapters.google.access.impersonation import ImpersonatedToken
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.google.fronts import IamCredentials
from tests.kits.google.interpreter import in_fresh_interpreter

WRITER = "writer@example-project.iam.gserviceaccount.com"
DISABLED = {"error": {"code": 403, "message": "not enabled", "details": [{"reason": "SERVICE_DISABLED"}]}}


@pytest.fixture
def front() -> Iterator[IamCredentials]:
    """An API that knows one account."""
    with IamCredentials(WRITER) as started:
        yield started


def test_one_token_serves_many_requests(front: IamCredentials) -> None:
    """It is asked for once, for a quarter of an hour, by whoever may have it."""
    front.creators = {"runtime"}
    token = ImpersonatedToken(WRITER, endpoint=front.host, token=lambda: "runtime")
    assert [token(), token()] == ["writer-1", "writer-1"]
    assert front.asked == [(WRITER, "runtime", "900s")]


def test_a_token_about_to_expire_is_asked_for_anew(front: IamCredentials) -> None:
    """No change is sent with one that may expire on its way."""
    front.expires = f"{datetime.now(UTC) + timedelta(seconds=60):%Y-%m-%dT%H:%M:%SZ}"
    token = ImpersonatedToken(WRITER, endpoint=front.host)
    assert [token(), token()] == ["writer-1", "writer-2"]


CASES: dict[str, tuple[tuple[int, Any], tuple[str, int, str], str]] = {
    "not let": (
        (403, {"error": {"code": 403, "message": "denied"}}),
        ("token_refused", 403, "iam.serviceAccounts.getAccessToken"),
        "denied",
    ),
    "the API is off": ((403, DISABLED), ("token_refused", 403, ""), "not enabled"),
    "no such account": ((404, {"error": {"code": 404, "message": "Gaia"}}), ("token_refused", 401, ""), "Gaia"),
    "too many": ((429, {"error": {"code": 429, "message": "quota"}}), ("token_unavailable", 503, ""), "quota"),
    "away": ((503, {"error": {"code": 503, "message": "later"}}), ("token_unavailable", 503, ""), "later"),
    "no JSON": ((403, b"<html>"), ("token_refused", 401, ""), "writer@"),
    "JSON of another form": ((403, b'["no"]'), ("token_refused", 401, ""), "writer@"),
    "an error of another form": ((403, {"error": "no"}), ("token_refused", 401, ""), "writer@"),
    "no token": ((200, {"expireTime": "2100-01-01T00:00:00Z"}), ("token_refused", 401, ""), "writer@"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_token_that_is_not_given_says_why(front: IamCredentials, case: str) -> None:
    """What is missing is named; no status is one of the service that was to be changed."""
    front.always, expected, message = CASES[case]
    with pytest.raises(ApiError, match=message) as caught:
        ImpersonatedToken(WRITER, endpoint=front.host)()
    assert (caught.value.reason, caught.value.status, caught.value.permission) == expected


def test_a_server_that_is_away_says_so() -> None:
    """Nothing was sent that could have changed anything."""
    with pytest.raises(ApiError) as caught:
        ImpersonatedToken(WRITER, endpoint="127.0.0.1:1")()
    assert (caught.value.reason, caught.value.status) == ("token_unavailable", 0)


def test_another_machine_gives_no_tokens() -> None:
    """Plaintext goes to this machine alone, and the environment's identity not even there."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_IAM_CREDENTIALS_ENDPOINT"):
        ImpersonatedToken(WRITER, endpoint="192.0.2.1:80")


class Scoped(google.auth.credentials.Scoped, google.auth.credentials.Credentials):
    """Credentials as a function has them; each refresh is counted."""

    refreshes = 0

    @property
    def requires_scopes(self) -> bool:
        return False

    def with_scopes(self, *_arguments: object, **_options: object) -> Any:
        raise AssertionError("scoped anew")

    def refresh(self, request: object) -> None:
        self.refreshes += 1
        self.token = "runtime"


def test_the_environments_identity_asks_google_itself(front: IamCredentials) -> None:
    """Its own token is refreshed first; the address is Google's, and the scopes are as they were."""
    credentials = Scoped()
    token = ImpersonatedToken(WRITER, credentials=lambda: credentials)
    assert token._address.startswith("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/writer@")
    token._address, front.creators = f"http://{front.host}/v1/projects/-/serviceAccounts/{WRITER}", {"runtime"}

    assert token() == "writer-1"

    assert credentials.refreshes == 1


def test_impersonation_loads_no_cryptography(front: IamCredentials) -> None:
    """The first change of a cold instance does not wait for a library that signs."""
    script = f"""
import json, sys
from scc_responder.adapters.google.access.impersonation import ImpersonatedToken
token = ImpersonatedToken({WRITER!r}, endpoint={front.host!r})()
print(json.dumps([token, [name for name in ("aiohttp", "cryptography") if name in sys.modules]]))
"""
    assert in_fresh_interpreter(script) == ["writer-1", []]
