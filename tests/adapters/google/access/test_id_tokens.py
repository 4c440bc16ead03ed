"""Who approves is told by a token that is checked in every respect, against an issuer with real keys."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scc_responder.adapters.google.access.id_tokens import GOOGLE_CERTS, GoogleIdentity, email_of_checked
from scc_responder.domain.errors import Forbidden, RetryableError, SettingsError
from tests.kits.google.issuer import AUDIENCE, Issuer, another_key


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """The issuer."""
    with Issuer() as running:
        yield running


@pytest.fixture
def identity(issuer: Issuer) -> GoogleIdentity:
    """What believes it."""
    return GoogleIdentity(AUDIENCE, issuer.certs)


@pytest.mark.parametrize("iss", ["https://accounts.google.com", "accounts.google.com"])
def test_a_valid_token_names_its_bearer(identity: GoogleIdentity, issuer: Issuer, iss: str) -> None:
    """A token of the issuer for this audience says who its bearer is, in lower case."""
    assert identity.email(issuer.token("Ann@Example.com", iss=iss)) == "ann@example.com"


def moments(seconds: int) -> dict[str, int]:
    """Times of a token whose hour ended this long ago, or ends in so long."""
    end = int(time.time()) - seconds
    return {"iat": end - 3600, "exp": end}


CLAIMS: list[Any] = [
    pytest.param({"aud": "https://other.example.com"}, "token_wrong_audience", id="other-audience"),
    pytest.param({"aud": None}, "token_wrong_audience", id="no-audience"),
    pytest.param({"aud": [AUDIENCE, "https://other.example.com"]}, "token_wrong_audience", id="several-audiences"),
    pytest.param({"aud": ""}, "token_wrong_audience", id="empty-audience"),
    pytest.param({"iss": "https://accounts.example.com"}, "token_wrong_issuer", id="other-issuer"),
    pytest.param({"iss": "https://accounts.google.com.example.com"}, "token_wrong_issuer", id="issuer-that-begins-so"),
    pytest.param({"iss": None}, "token_wrong_issuer", id="no-issuer"),
    pytest.param({"exp": None}, "token_not_verified", id="no-expiry"),
    pytest.param({"iat": None}, "token_not_verified", id="no-beginning"),
    pytest.param({"exp": "tomorrow"}, "token_not_verified", id="expiry-in-words"),
    pytest.param(moments(-4 * 3600), "token_not_verified", id="early"),
    pytest.param({"email_verified": False}, "email_not_verified", id="email-unverified"),
    pytest.param({"email_verified": None}, "email_not_verified", id="email-verified-unsaid"),
    pytest.param({"email_verified": "true"}, "email_not_verified", id="email-verified-in-words"),
    pytest.param({"email": None}, "token_without_email", id="no-email"),
    pytest.param({"email": "local"}, "token_without_email", id="local-is-no-email"),
    pytest.param({"email": ["ann@example.com"]}, "token_without_email", id="several-emails"),
]


@pytest.mark.parametrize(("claims", "reason"), CLAIMS)
def test_a_signed_token_with_wrong_claims_is_refused(
    identity: GoogleIdentity, issuer: Issuer, claims: dict[str, Any], reason: str
) -> None:
    """Whatever a rightly signed token says otherwise than it must, it is refused by name."""
    with pytest.raises(Forbidden) as refused:
        identity.email(issuer.token(**claims))
    assert refused.value.reason == reason


def test_a_token_is_refused_after_its_end(identity: GoogleIdentity, issuer: Issuer) -> None:
    """A token is refused after its end, but for a few seconds between two clocks."""
    assert identity.email(issuer.token(**moments(3))) == "ann@example.com"
    with pytest.raises(Forbidden) as refused:
        identity.email(issuer.token(**moments(60)))
    assert refused.value.reason == "token_expired"


def test_a_token_of_another_key_is_refused(identity: GoogleIdentity, issuer: Issuer) -> None:
    """A token that another key signed, or that was changed, is refused."""
    good = issuer.token()
    header, payload, signature = good.split(".")
    _, other, _ = issuer.token("eve@example.com").split(".")
    forged = [
        issuer.token(key=another_key()),
        issuer.token(header={"alg": "RS256", "kid": "key-2"}),
        issuer.token(header={"alg": "none", "kid": "key-1"}),
        issuer.token(header={"alg": "HS256", "kid": "key-1"}),
        issuer.token(header=["RS256"]),
        f"{header}.{other}.{signature}",
        f"{header}.{payload}.",
    ]
    for token in forged:
        with pytest.raises(Forbidden) as refused:
            identity.email(token)
        assert refused.value.reason == "token_not_verified"


NO_TOKENS = {
    "word": "secret",
    "spaces": "a b.c.d",
    "two-parts": "a.b",
    "four-parts": "a.b.c.d",
    "too-long": f"a.{'b' * 9000}.c",
    "control": "a.b\n.c",
    "not-ascii": "a.b\u0435.c",
}


@pytest.mark.parametrize("token", NO_TOKENS.values(), ids=NO_TOKENS)
def test_what_is_no_token_costs_no_request(identity: GoogleIdentity, issuer: Issuer, token: str) -> None:
    """What cannot be a token costs no request to the issuer."""
    before = issuer.asked
    with pytest.raises(Forbidden) as refused:
        identity.email(token)
    assert (refused.value.reason, issuer.asked) == ("token_malformed", before)


def test_a_token_without_its_signature_proves_nothing(identity: GoogleIdentity, issuer: Issuer) -> None:
    """The token that Cloud Run itself has checked comes without its signature: it proves nothing here."""
    unsigned = issuer.token().rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE"
    with pytest.raises(Forbidden) as refused:
        identity.email(unsigned)
    assert refused.value.reason == "token_signature_removed"


def test_no_token_in_errors(identity: GoogleIdentity, issuer: Issuer) -> None:
    """No refusal quotes the token."""
    token = issuer.token(aud="https://other.example.com")
    with pytest.raises(Forbidden) as refused:
        identity.email(token)
    assert not any(part in str(refused.value) for part in token.split("."))


def test_unreadable_certificates_ask_for_another_try(issuer: Issuer) -> None:
    """Where the certificates cannot be read nobody can tell: it is to be asked again, not refused."""
    with Issuer() as ended:
        gone, certs = ended.token(), ended.certs
        ended.status = 503
        with pytest.raises(RetryableError, match="did not answer"):
            GoogleIdentity(AUDIENCE, certs).email(gone)
    with pytest.raises(RetryableError, match="did not answer"):
        GoogleIdentity(AUDIENCE, certs).email(gone)


@pytest.mark.parametrize(
    "certs", ["http://192.0.2.1:80/certs", "https://127.0.0.1:80/certs", "http://localhost/certs", "file:///etc/passwd"]
)
def test_only_on_this_machine(certs: str) -> None:
    """Another issuer's certificates are taken from this machine alone."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_APPROVAL_CERTS"):
        GoogleIdentity(AUDIENCE, certs)


def test_an_audience_is_needed() -> None:
    """Without an audience any token of Google's would do: that is refused. The certificates are Google's own."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_APPROVAL_AUDIENCE"):
        GoogleIdentity("")
    assert GOOGLE_CERTS.startswith("https://www.googleapis.com/")


def checked(payload: object) -> str:
    """A token with these claims as Cloud Run hands it on, once it has checked the signature."""
    encoded = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"e30.{encoded}.SIGNATURE_REMOVED_BY_GOOGLE"


OWN = "https://responder.example.com"
CHECKED = {"iss": "accounts.google.com", "aud": OWN, "exp": 1000, "email": "Ann@Example.com", "email_verified": True}


@pytest.mark.parametrize(
    ("claims", "audience", "told"),
    [
        ({}, OWN, "ann@example.com"),
        ({"aud": f"{OWN}/sweep"}, f"{OWN}/", "ann@example.com"),
        ({"aud": "https://other.example.com"}, "", "ann@example.com"),
        ({"aud": "https://other.example.com"}, OWN, "token_wrong_audience"),
        ({"aud": f"{OWN}.example.org"}, OWN, "token_wrong_audience"),
        ({"aud": [OWN]}, OWN, "token_wrong_audience"),
        ({"exp": 995}, OWN, "ann@example.com"),
        ({"exp": 989}, OWN, "token_expired"),
        ({"exp": True}, OWN, "token_expired"),
        ({"exp": "1000"}, OWN, "token_expired"),
        ({"iss": "https://accounts.example.com"}, OWN, "token_wrong_issuer"),
        ({"email_verified": "true"}, OWN, "email_not_verified"),
    ],
)
def test_a_checked_token_must_still_be_for_us(claims: dict[str, Any], audience: str, told: str) -> None:
    """Cloud Run looks at the signature alone: audience, end, issuer and address are looked at here."""
    try:
        outcome = email_of_checked(checked(CHECKED | claims), audience, 1000.0)
    except Forbidden as refused:
        outcome = refused.reason
    assert outcome == told


@pytest.mark.parametrize("token", ["", "secret", "e30.e30.AAAA", f"e30.{'b' * 9000}.SIGNATURE_REMOVED_BY_GOOGLE"])
def test_a_token_that_nobody_checked_names_nobody(token: str) -> None:
    """A token with a signature, and what is no token, are not Cloud Run's to vouch for."""
    assert email_of_checked(token, "", 0.0) == ""


@pytest.mark.parametrize("token", [checked(["claims"]), "e30.AAAA.SIGNATURE_REMOVED_BY_GOOGLE"], ids=["list", "bytes"])
def test_unreadable_claims_are_malformed(token: str) -> None:
    """Claims that are no JSON object are refused."""
    with pytest.raises(Forbidden) as refused:
        email_of_checked(token, "", 0.0)
    assert refused.value.reason == "token_malformed"
