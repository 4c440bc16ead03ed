"""What is no certificate never means that all are trusted; what is trusted is read within a time."""

from __future__ import annotations

import ssl

import pytest

from scc_responder.adapters.kubernetes.one_write import TimedTlsSocket
from scc_responder.adapters.kubernetes.server_trust import server_trust
from scc_responder.domain.errors import SettingsError


@pytest.mark.parametrize("ca_pem", [b"no PEM", b""])
def test_an_unusable_certificate_is_an_error(ca_pem: bytes) -> None:
    """The authority's."""
    with pytest.raises(SettingsError, match="PEM"):
        server_trust(ca_pem)


def test_public_authorities_are_checked() -> None:
    """Host names too; and each connection is one whose reads end."""
    context = server_trust()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.sslsocket_class is TimedTlsSocket
