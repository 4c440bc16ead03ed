"""What is no certificate never means that all are trusted; what is trusted is read within a time."""

from __future__ import annotations

import ssl

import pytest

from scc_responder.adapters.kubernetes.one_write import TimedTlsSocket
from scc_responder.adapters.kubernetes.server_trust import ClientCertificate, server_trust
from scc_responder.domain.errors import SettingsError


@pytest.mark.parametrize(
    ("ca_pem", "client"),
    [(b"no PEM", None), (b"", None), (None, ClientCertificate(certificate_pem=b"x", key_pem=b"y"))],
)
def test_an_unusable_certificate_is_an_error(ca_pem: bytes | None, client: ClientCertificate | None) -> None:
    """The authority's, and the client's own."""
    with pytest.raises(SettingsError, match="PEM"):
        server_trust(ca_pem, client)


def test_public_authorities_are_checked() -> None:
    """Host names too; and each connection is one whose reads end."""
    context = server_trust(None, None)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.sslsocket_class is TimedTlsSocket
