"""Which API server is trusted, and the certificate that is presented to it."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from scc_responder.adapters.kubernetes.one_write import TimedTlsSocket
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value


class ClientCertificate(Value, frozen=True, kw_only=True):
    """A client's certificate chain and private key, in PEM."""

    certificate_pem: bytes
    key_pem: bytes


def server_trust(ca_pem: bytes | None, client: ClientCertificate | None) -> ssl.SSLContext:
    """One context for all connections: the certificates are parsed once. Raises SettingsError `unusable_certificate`.

    Without `ca_pem` the public authorities are trusted.
    """
    try:
        context = ssl.create_default_context() if ca_pem is None else _private_trust(ca_pem)
        if client is not None:
            _present(context, client)
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            Reason.UNUSABLE_CERTIFICATE, "a certificate or key of the cluster is not valid PEM"
        ) from error
    context.sslsocket_class = TimedTlsSocket
    return context


def _private_trust(ca_pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # requires a certificate and checks the host's name
    context.load_verify_locations(cadata=ca_pem.decode("ascii", "ignore"))
    return context


def _present(context: ssl.SSLContext, client: ClientCertificate) -> None:
    # The ssl module reads a private key only from a file; this one is gone again before the first request.
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "client.pem")
        pem.touch(mode=0o600)
        pem.write_bytes(client.certificate_pem + b"\n" + client.key_pem)
        context.load_cert_chain(pem)
