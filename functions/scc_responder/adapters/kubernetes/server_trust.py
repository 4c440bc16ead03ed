"""Which API server is trusted."""

from __future__ import annotations

import ssl

from scc_responder.adapters.kubernetes.one_write import TimedTlsSocket
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.reasons import Reason


def server_trust(ca_pem: bytes | None = None) -> ssl.SSLContext:
    """One context for all connections: the certificates are parsed once. Raises SettingsError `unusable_certificate`.

    Without `ca_pem` the public authorities are trusted.
    """
    try:
        context = ssl.create_default_context() if ca_pem is None else _private_trust(ca_pem)
    except (ssl.SSLError, ValueError) as error:
        raise unusable_certificate() from error
    context.sslsocket_class = TimedTlsSocket
    return context


def unusable_certificate() -> SettingsError:
    """What is said of a certificate that is none."""
    return SettingsError(Reason.UNUSABLE_CERTIFICATE, "a certificate or key of the cluster is not valid PEM")


def _private_trust(ca_pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # requires a certificate and checks the host's name
    context.load_verify_locations(cadata=ca_pem.decode("ascii", "ignore"))
    return context
