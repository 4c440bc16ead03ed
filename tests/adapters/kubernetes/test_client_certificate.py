"""A client's certificate that is none is never left out in silence."""

from __future__ import annotations

import pytest

from scc_responder.adapters.kubernetes.client_certificate import ClientCertificate, presenting
from scc_responder.domain.errors import SettingsError


def test_an_unusable_client_certificate_is_an_error() -> None:
    """Nothing is sent without it."""
    with pytest.raises(SettingsError, match="PEM"):
        presenting(None, ClientCertificate(certificate_pem=b"x", key_pem=b"y"))
