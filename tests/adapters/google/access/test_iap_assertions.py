"""Who sits before the console is told by IAP's assertion alone, checked in every respect against real keys."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.adapters.google.access.iap_assertions import (
    ASKED_AGAIN_SECONDS,
    IAP_KEYS,
    KEYS_SECONDS,
    IapIdentity,
)
from scc_responder.domain.errors import Forbidden, RetryableError, SettingsError
from tests.kits.google.iap import IAP_AUDIENCE, LocalIap, forged, iap_key
from tests.kits.google.issuer import Issuer


@pytest.fixture(scope="module")
def iap() -> Iterator[LocalIap]:
    """IAP."""
    with LocalIap() as running:
        yield running


@pytest.fixture(scope="module")
def identity(iap: LocalIap) -> IapIdentity:
    """What believes it."""
    return IapIdentity(IAP_AUDIENCE, iap.address)


def refused(identity: IapIdentity, assertion: str) -> str:
    """The reason of a refusal, which there must be."""
    with pytest.raises(Forbidden) as error:
        identity.email(assertion)
    assert not any(len(piece) > 20 and piece in str(error.value) for piece in assertion.split("."))
    return error.value.reason


@pytest.mark.parametrize("audience", [IAP_AUDIENCE, "/projects/123456789012/global/backendServices/42"])
def test_an_assertion_names_the_person(iap: LocalIap, audience: str) -> None:
    """An assertion of IAP for this console says who sits before it, in lower case, also behind a load balancer."""
    believes = IapIdentity(audience, iap.address)
    assert believes.email(iap.assertion("Ann@Example.com", aud=audience)) == "ann@example.com"


def moments(begins: int, ends: int) -> dict[str, int]:
    """Times of an assertion, in seconds from now."""
    now = int(time.time())
    return {"iat": now + begins, "exp": now + ends}


CLAIMS: list[Any] = [
    pytest.param({"aud": "/projects/1/locations/europe-west1/services/other"}, "token_wrong_audience", id="audience"),
    pytest.param({"aud": f"{IAP_AUDIENCE}-2"}, "token_wrong_audience", id="audience-that-begins-so"),
    pytest.param({"aud": None}, "token_wrong_audience", id="no-audience"),
    pytest.param({"aud": [IAP_AUDIENCE]}, "token_wrong_audience", id="audiences"),
    pytest.param({"iss": "https://accounts.google.com"}, "token_wrong_issuer", id="issuer-of-id-tokens"),
    pytest.param({"iss": "https://cloud.google.com/iap.example.com"}, "token_wrong_issuer", id="issuer-begins-so"),
    pytest.param({"iss": None}, "token_wrong_issuer", id="no-issuer"),
    pytest.param(moments(-700, -60), "token_expired", id="over"),
    pytest.param(moments(3600, 4200), "token_not_verified", id="of-the-future"),
    pytest.param({"exp": None}, "token_not_verified", id="no-end"),
    pytest.param({"iat": None}, "token_not_verified", id="no-beginning"),
    pytest.param({"exp": "tomorrow"}, "token_not_verified", id="end-in-words"),
    pytest.param({"email": None}, "token_without_email", id="no-email"),
    pytest.param({"email": ""}, "token_without_email", id="empty-email"),
    pytest.param({"email": ["ann@example.com"]}, "token_without_email", id="emails"),
    pytest.param({"email": "local"}, "token_without_email", id="local-is-no-email"),
    pytest.param({"sub": None}, "email_not_verified", id="nobody"),
    pytest.param({"sub": "sts.google.com:1"}, "email_not_verified", id="another-identity-provider"),
    pytest.param({"sub": "securetoken.google.com/p:1"}, "email_not_verified", id="an-external-identity"),
    pytest.param({"sub": "112233"}, "email_not_verified", id="no-provider"),
]


@pytest.mark.parametrize(("claims", "reason"), CLAIMS)
def test_a_signed_assertion_with_wrong_claims_is_refused(
    identity: IapIdentity, iap: LocalIap, claims: dict[str, Any], reason: str
) -> None:
    """Whatever a rightly signed assertion says otherwise than it must, it is refused by name."""
    assert refused(identity, iap.assertion(**claims)) == reason


def test_two_clocks_may_differ_by_seconds(identity: IapIdentity, iap: LocalIap) -> None:
    """Seconds between IAP's clock and this one are forgiven, a minute is not."""
    for times in (moments(-600, -20), moments(20, 620)):
        assert identity.email(iap.assertion(**times)) == "ann@example.com"


def test_what_iap_did_not_sign_is_refused(identity: IapIdentity, iap: LocalIap) -> None:
    """Another algorithm, another key, a changed payload, a key that is public: none says who somebody is."""
    reasons = {name: refused(identity, assertion) for name, assertion in forged(iap).items()}
    assert set(reasons.values()) <= {"token_not_verified", "token_malformed", "token_wrong_audience"}


def test_an_id_token_is_no_assertion(identity: IapIdentity) -> None:
    """A Google ID token, whoever it is for, is not taken for an assertion."""
    with Issuer() as issuer:
        assert refused(identity, issuer.token(aud=IAP_AUDIENCE)) == "token_malformed"


@given(
    st.integers(0, 400),
    st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
)
def test_one_letter_changed_is_refused(identity: IapIdentity, iap: LocalIap, where: int, letter: str) -> None:
    """An assertion in which one letter is another one is refused, or says the same as before in other letters."""
    good = iap.assertion()
    where %= len(good)
    changed = good[:where] + letter + good[where + 1 :]
    # The last letter of a signature has four bits that nothing reads.
    same = changed == good or where == len(good) - 1
    try:
        told = identity.email(changed)
    except Forbidden:
        return
    assert same
    assert told == "ann@example.com"


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda content: content.decode("latin-1")))
def test_no_text_is_an_assertion(identity: IapIdentity, text: str) -> None:
    """Whatever text arrives, it names nobody and nothing but a refusal comes of it."""
    with pytest.raises(Forbidden):
        identity.email(text)


@pytest.mark.parametrize("text", ["", "secret", "a.b", "a.b.c.d", f"a.{'b' * 9000}.{'c' * 86}", "a.b\n.c"])
def test_what_is_no_assertion_costs_no_request(identity: IapIdentity, iap: LocalIap, text: str) -> None:
    """What cannot be an assertion costs no request for keys."""
    before = iap.asked
    assert (refused(identity, text), iap.asked) == ("token_malformed", before)


class Moment:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_keys_are_kept_for_minutes_and_no_longer() -> None:
    """Keys are read once in ten minutes; a key that Google withdrew is not believed after that."""
    clock = Moment()
    with LocalIap() as iap:
        identity = IapIdentity(IAP_AUDIENCE, iap.address, now=clock)
        old = iap.assertion()
        assert [identity.email(old) for _ in range(5)] == ["ann@example.com"] * 5
        assert iap.asked == 1
        iap.keys = {"key-2": iap_key()}
        clock.seconds += KEYS_SECONDS
        assert (refused(identity, old), iap.asked) == ("token_not_verified", 2)


def test_a_new_key_is_found_at_once_and_a_forged_name_costs_little() -> None:
    """A key that came since is read at once; a hundred names that nobody has cost one request in ten seconds."""
    clock = Moment()
    with LocalIap() as iap:
        identity = IapIdentity(IAP_AUDIENCE, iap.address, now=clock)
        identity.email(iap.assertion())
        iap.keys["key-2"] = iap_key()
        clock.seconds += ASKED_AGAIN_SECONDS
        fresh = iap.assertion(key=iap.keys["key-2"], header={"alg": "ES256", "kid": "key-2"})
        assert (identity.email(fresh), iap.asked) == ("ann@example.com", 2)
        for number in range(100):
            header = {"alg": "ES256", "kid": f"forged-{number}"}
            assert refused(identity, iap.assertion(header=header)) == "token_not_verified"
        assert iap.asked == 2


def test_unreadable_keys_ask_for_another_try() -> None:
    """Where keys cannot be read, or are no keys, nobody can tell: it is to be asked again. Old ones are not used."""
    clock = Moment()
    with LocalIap() as iap:
        identity = IapIdentity(IAP_AUDIENCE, iap.address, now=clock)
        good = iap.assertion()
        identity.email(good)
        clock.seconds += KEYS_SECONDS
        iap.status = 503
        with pytest.raises(RetryableError, match="did not answer"):
            identity.email(good)
    with pytest.raises(RetryableError, match="did not answer"):
        identity.email(good)


@pytest.mark.parametrize("keys", ["http://192.0.2.1:80/keys", "https://127.0.0.1:80/keys", "file:///etc/passwd"])
def test_keys_come_from_google_or_this_machine(keys: str) -> None:
    """Another IAP's keys are taken from this machine alone, and Google's by TLS."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_IAP_KEYS"):
        IapIdentity(IAP_AUDIENCE, keys)
    assert IAP_KEYS == "https://www.gstatic.com/iap/verify/public_key"


def test_without_an_audience_nothing_is_believed() -> None:
    """Without an audience the assertion for any service of anybody would do: that is refused."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_IAP_AUDIENCE"):
        IapIdentity("")
