"""Whose credentials doctor has, with google-auth's own classes and a server that says whose a token is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import google.auth.credentials
import pytest
from google.auth import compute_engine, impersonated_credentials
from google.oauth2 import credentials as of_people

from scc_responder.adapters.google.access.own_identity import GoogleCaller
from scc_responder.domain.errors import ApiError, SettingsError
from tests.cli.commands import free_port
from tests.kits.google.fronts import TokenInfo

ROBOT, ANN = "run@example-project.iam.gserviceaccount.com", "ann@example.com"


@pytest.fixture
def tokeninfo() -> Iterator[TokenInfo]:
    with TokenInfo() as front:
        front.holders = {"of-ann": ANN, "of-robot": ROBOT}
        yield front


def fresh(token: str, made: google.auth.credentials.Credentials) -> google.auth.credentials.Credentials:
    """Credentials that hold a token which is valid for an hour."""
    made.token = token
    made.expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)
    return made


def impersonating() -> google.auth.credentials.Credentials:
    person = of_people.Credentials(token="of-ann")
    return impersonated_credentials.Credentials(person, target_principal=ROBOT, target_scopes=[])


@pytest.mark.parametrize(
    ("credentials", "email"),
    [
        pytest.param(impersonating(), ROBOT, id="impersonating"),
        pytest.param(fresh("of-ann", of_people.Credentials(token="")), ANN, id="a-person"),
        pytest.param(fresh("of-robot", compute_engine.Credentials()), ROBOT, id="of-this-machine"),
    ],
)
def test_an_address_tells_people_from_machines(
    tokeninfo: TokenInfo, credentials: google.auth.credentials.Credentials, email: str
) -> None:
    """A person's own, those that impersonate, and those of a machine are told apart by the account's address."""
    assert GoogleCaller(tokeninfo.address, credentials=lambda: credentials).email() == email


def test_nobody_is_asked_what_is_carried() -> None:
    """Credentials that impersonate say whom: no server is asked, and none is needed."""
    nowhere = f"http://127.0.0.1:{free_port()}/"
    assert GoogleCaller(nowhere, credentials=impersonating).email() == ROBOT


def test_no_message_holds_the_token() -> None:
    """Where nobody answers, the token is in no message."""
    nowhere = f"http://127.0.0.1:{free_port()}/"
    with pytest.raises(ApiError) as error:
        GoogleCaller(nowhere, token=lambda: "secret").email()
    assert error.value.reason == "tokeninfo_unreachable"
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "address", ["http://tokens.example.com/", "https://127.0.0.1:1/", "http://127.0.0.1:1@tokens.example.com/"]
)
def test_a_token_stays_on_this_machine(address: str) -> None:
    """No other server than Google's is given a token, but one on this machine."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_TOKENINFO"):
        GoogleCaller(address)
