"""Who asks: a program on this machine, or the scheduler as Cloud Run checked it or as its token proves it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import Forbidden
from scc_responder.domain.reasons import Reason
from scc_responder.pipeline.authentication import bearer, check_sweeper, is_local
from scc_responder.pipeline.services import Services
from scc_responder.settings import read_settings

SWEEPER = "sweeper@example-project.iam.gserviceaccount.com"
OWN = "https://responder.example.com"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CLAIMS = {
    "iss": "https://accounts.google.com",
    "email": SWEEPER,
    "email_verified": True,
    "aud": OWN,
    "exp": int(NOW.timestamp()) + 3600,
}
REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"


def services(**changes: str) -> Services:
    """The services of a deployment on Cloud Run."""
    given = {
        "CLUSTERS": "projects/example-project/locations/*/clusters/*",
        "SOURCES": "1",
        "STORE": "firestore://example-project/responder",
        "SWEEPER": SWEEPER,
        "APPROVAL_AUDIENCE": OWN,
    }
    environment = {f"SCC_RESPONDER_{name}": value for name, value in given.items()} | {"K_SERVICE": "responder"}
    made = Services(read_settings(environment | changes, Path("policies")))
    made.approvers = Verifier()
    made.clock = lambda: NOW
    return made


class Verifier:
    """`ports.Approvers` that knows one token."""

    def email(self, token: str) -> str:
        """Whose token it is."""
        if token == "proved.by.signature":
            return SWEEPER
        if token == "another.ones.signature":
            return "someone@example.com"
        raise Forbidden(Reason.TOKEN_NOT_VERIFIED)


def token(signature: str = REMOVED, **changes: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), signature])


def headers(sent: str, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {sent}", **more}


HERE = {"host": "127.0.0.1:8080", "content-type": "application/json"}
ASKERS: dict[str, tuple[dict[str, str], str, bool]] = {
    "a program here": ({}, "127.0.0.1", True),
    "by name, and with a charset": (
        {"host": "localhost:8080", "content-type": "application/json; charset=utf-8"},
        "127.0.0.1",
        True,
    ),
    "by the newer protocol": ({"host": "[::1]:8080"}, "::1", True),
    "another machine": ({}, "192.0.2.7", False),
    "nobody knows where": ({}, "", False),
    "a name that was rebound": ({"host": "evil.example.com:8080"}, "127.0.0.1", False),
    "another address of this machine": ({"host": "192.0.2.1:8080"}, "127.0.0.1", False),
    "a form": ({"content-type": "text/plain"}, "127.0.0.1", False),
    "a page": ({"origin": "https://evil.example.com"}, "127.0.0.1", False),
    "a link": ({"referer": "https://evil.example.com/"}, "127.0.0.1", False),
    "a browser": ({"sec-fetch-site": "none"}, "127.0.0.1", False),
    "a proxy": ({"x-forwarded-for": "192.0.2.1"}, "127.0.0.1", False),
    "a proxy by the standard": ({"forwarded": "for=192.0.2.1"}, "127.0.0.1", False),
}


@pytest.mark.parametrize(("sent", "peer", "expected"), ASKERS.values(), ids=ASKERS)
def test_only_a_program_on_this_machine_is_local(sent: dict[str, str], peer: str, *, expected: bool) -> None:
    """No other machine is, and no web page in a browser on this one. Who is local may sweep where nothing serves."""
    assert is_local(HERE | sent, peer) is expected
    local = services(K_SERVICE="", SCC_RESPONDER_STORE="sqlite:///journal.db", SCC_RESPONDER_APPROVAL_AUDIENCE="")
    assert local.settings.trusts_this_machine
    with nullcontext() if expected else pytest.raises(Forbidden, match="set SCC_RESPONDER_SWEEPER"):
        check_sweeper(HERE | sent, peer, local)


@pytest.mark.parametrize(
    ("sent", "expected"), [("Bearer t", "t"), ("bearer  t ", "t"), ("Basic t", ""), ("Bearer ", ""), ("", "")]
)
def test_a_token_is_read_from_its_header(sent: str, expected: str) -> None:
    """The scheme in upper or lower case; without a token nobody is asked for."""
    with nullcontext() if expected else pytest.raises(Forbidden):
        assert bearer({"authorization": sent}) == expected


TAKEN = [
    pytest.param(headers(token()), id="as-cloud-run-hands-it-on"),
    pytest.param(headers(token(email=SWEEPER.upper())), id="in-capitals"),
    pytest.param(headers(token(aud=f"{OWN}/sweep")), id="for-the-path"),
    pytest.param(headers(token(exp=NOW.timestamp() - 5)), id="over-by-another-clock"),
    pytest.param(headers("proved.by.signature"), id="with-its-signature"),
    pytest.param(headers("proved.by.signature", **{"x-serverless-authorization": "Bearer x"}), id="beside-another"),
]


@pytest.mark.parametrize("given", TAKEN)
def test_the_scheduler_may_start_a_sweep(given: dict[str, str]) -> None:
    """The scheduler may, from wherever it calls."""
    check_sweeper(given, "192.0.2.1", services())


def test_an_unknown_address_is_left_to_cloud_run() -> None:
    """Where nobody approves the function does not know its address: Cloud Run alone looks whom the token is for."""
    given = headers(token(aud="https://other.example.com"))
    check_sweeper(given, "192.0.2.1", services(SCC_RESPONDER_APPROVAL_AUDIENCE=""))


Refusal = tuple[dict[str, str], dict[str, str], str]
REFUSED: dict[str, Refusal] = {
    "no token": ({}, {}, "no_token"),
    "no bearer": ({"authorization": "Basic x"}, {}, "no_token"),
    "another identity": (headers(token(email="push@example.com")), {}, "not_the_sweeper"),
    "another, proved": (headers("another.ones.signature"), {}, "not_the_sweeper"),
    "an address that is not verified": (headers(token(email_verified=False)), {}, "email_not_verified"),
    "verified in words": (headers(token(email_verified="true")), {}, "email_not_verified"),
    "no address": (headers(token(email=None)), {}, "token_without_email"),
    "an address that is none": (headers(token(email=["x"])), {}, "token_without_email"),
    "another issuer": (headers(token(iss="https://evil.example")), {}, "token_wrong_issuer"),
    "a signature of one's own": (headers(token("AAAA")), {}, "token_not_verified"),
    "no signature": (headers(token("")), {}, "token_not_verified"),
    "claims that are no JSON": (headers(f"e30.AAAA.{REMOVED}"), {}, "token_malformed"),
    "claims that are no object": (headers(f"e30.W10.{REMOVED}"), {}, "token_malformed"),
    "over": (headers(token(exp=int(NOW.timestamp()) - 60)), {}, "token_expired"),
    "without an end": (headers(token(exp=None)), {}, "token_expired"),
    "an end in words": (headers(token(exp="never")), {}, "token_expired"),
    "an end that is no number": (headers(token(exp=float("nan"))), {}, "token_expired"),
    "true as its end": (headers(token(exp=True)), {}, "token_expired"),
    "for another": (headers(token(aud="https://other.example.com")), {}, "token_wrong_audience"),
    "for one that begins so": (headers(token(aud=f"{OWN}.evil.example")), {}, "token_wrong_audience"),
    "for nobody": (headers(token(aud=None)), {}, "token_wrong_audience"),
    "for several": (headers(token(aud=[OWN, "https://other.example.com"])), {}, "token_wrong_audience"),
    "over, where its own address is not known": (
        headers(token(exp=int(NOW.timestamp()) - 60)),
        {"SCC_RESPONDER_APPROVAL_AUDIENCE": ""},
        "token_expired",
    ),
    "not what Cloud Run looked at": (headers(token(), **{"x-serverless-authorization": "x"}), {}, "token_not_verified"),
    "not on Cloud Run": (headers(token()), {"K_SERVICE": ""}, "token_not_verified"),
    "nobody is named": (headers(token()), {"SCC_RESPONDER_SWEEPER": ""}, "sweep_not_configured"),
}


@pytest.mark.parametrize(("given", "changes", "reason"), REFUSED.values(), ids=REFUSED)
def test_nobody_else_may_start_a_sweep(given: dict[str, str], changes: dict[str, str], reason: str) -> None:
    """Nobody else may, and the reason never quotes the token."""
    with pytest.raises(Forbidden) as caught:
        check_sweeper(given, "127.0.0.1", services(**changes))
    assert caught.value.reason == reason
    sent = given.get("authorization", "").partition(" ")[2]
    assert not sent or sent not in str(caught.value)


@pytest.mark.parametrize("damage", [lambda t: t[:-1], lambda t: t + "x", lambda t: "." + t, lambda t: t * 100])
def test_a_damaged_token_is_left_to_the_verifier(damage: Callable[[str], str]) -> None:
    """A token that is not whole is left to the one who verifies signatures."""
    with pytest.raises(Forbidden) as caught:
        check_sweeper(headers(damage(token())), "127.0.0.1", services())
    assert caught.value.reason == "token_not_verified"
