from __future__ import annotations

import pytest
from google.auth.credentials import AnonymousCredentials

from scc_responder.adapters.google.access.google_channel import check_loopback, client
from scc_responder.adapters.google.access.lean_imports import CLUSTER_MANAGER
from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.adapters.google.gke.gke_clusters import GkeClusters
from scc_responder.adapters.google.security_center import SecurityCenter
from scc_responder.domain.errors import SettingsError


@pytest.mark.parametrize(
    "endpoint",
    ["192.0.2.1:443", "scc.example.com:443", "127.0.0.1", "127.0.0.1.example.com:80", "[2001:db8::1]:80", "0.0.0.0:1"],
)
def test_plaintext_leaves_this_machine_never(endpoint: str) -> None:
    """Findings and identities are not sent over a network without TLS, whatever the settings say."""
    with pytest.raises(SettingsError) as error:
        SecurityCenter(sources=(), endpoint=endpoint)
    assert error.value.reason == "plaintext_endpoint"
    assert "SCC_RESPONDER_SCC_ENDPOINT" in str(error.value)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:8080", "127.1.2.3:1", "localhost:9000", "[::1]:8080"])
def test_a_stand_in_on_this_machine_is_reached_in_plaintext(endpoint: str) -> None:
    """Local servers need no certificates."""
    assert isinstance(SecurityCenter(sources=(), endpoint=endpoint), SecurityCenter)


def test_the_gke_api_is_believed_over_tls_alone() -> None:
    """The GKE API is not believed over a network without TLS: it says which authority to trust."""
    with pytest.raises(SettingsError) as error:
        GkeClusters(endpoint="192.0.2.1:80")
    assert error.value.reason == "plaintext_endpoint"
    assert "SCC_RESPONDER_GKE_ENDPOINT" in str(error.value)


def test_cases_go_over_tls_alone() -> None:
    """An emulator elsewhere is refused: cases are not sent over a network without TLS."""
    with pytest.raises(SettingsError) as error:
        FirestoreStore("firestore://example-project/(default)", emulator="192.0.2.1:8080")
    assert error.value.reason == "plaintext_endpoint"
    assert "FIRESTORE_EMULATOR_HOST" in str(error.value)


@pytest.mark.parametrize("endpoint", ["localhost:80", "[::1]:80", "127.0.0.1:65535"])
def test_a_loopback_endpoint_is_returned(endpoint: str) -> None:
    """An address of this machine is usable as it stands."""
    assert check_loopback(endpoint, "NAME") == endpoint


@pytest.mark.parametrize("endpoint", ["", "127.0.0.1:port", "::1:80", "192.0.2.1:80", "2130706433:80"])
def test_a_refused_endpoint_names_its_setting(endpoint: str) -> None:
    """What is not on this machine, or not host and port, is refused by the setting that has it."""
    with pytest.raises(SettingsError, match=f"NAME={endpoint!r}".replace("[", r"\[")):
        check_loopback(endpoint, "NAME")


@pytest.mark.parametrize("endpoint", ["", "127.0.0.1:8080"], ids=["google", "stand-in"])
def test_a_client_connects_on_first_use(endpoint: str) -> None:
    """A client of the kind that was asked for is made without a connection; Google's own needs an identity."""
    asked: list[str] = []

    def credentials() -> AnonymousCredentials:
        asked.append("identity")
        return AnonymousCredentials()

    made = client(CLUSTER_MANAGER, "container.googleapis.com", endpoint, credentials=credentials)
    assert type(made).__name__ == "ClusterManagerClient"
    assert asked == ([] if endpoint else ["identity"])
    made.transport.close()
