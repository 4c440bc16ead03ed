"""The certificate that is presented to an API server, as a kubeconfig may name one."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from scc_responder.adapters.kubernetes.server_trust import server_trust, unusable_certificate
from scc_responder.domain.value import Value


class ClientCertificate(Value, frozen=True, kw_only=True):
    """A client's certificate chain and private key, in PEM."""

    certificate_pem: bytes
    key_pem: bytes


def presenting(ca_pem: bytes | None, client: ClientCertificate) -> ssl.SSLContext:
    """Trust as by `server_trust`, and the client's own certificate. Raises SettingsError `unusable_certificate`."""
    context = server_trust(ca_pem)
    try:
        _present(context, client)
    except (ssl.SSLError, ValueError) as error:
        raise unusable_certificate() from error
    return context


def _present(context: ssl.SSLContext, client: ClientCertificate) -> None:
    # The ssl module reads a private key only from a file; this one is gone again before the first request.
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "client.pem")
        pem.touch(mode=0o600)
        pem.write_bytes(client.certificate_pem + b"\n" + client.key_pem)
        context.load_cert_chain(pem)
