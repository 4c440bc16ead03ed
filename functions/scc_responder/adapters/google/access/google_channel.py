"""gRPC channels to Google's APIs: TLS and the environment's identity, or a stand-in on this machine in plaintext."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from scc_responder.adapters.google.access import lean_imports
from scc_responder.adapters.google.access.credentials import default_credentials, http_request
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.resource_names import is_this_machine

Options = Sequence[tuple[str, int]]

_HOST_AND_PORT = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}", re.ASCII)
_UNLIMITED = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))  # as Google's clients do
_DIRECT = ("grpc.enable_http_proxy", 0)


def check_loopback(endpoint: str, setting: str) -> str:
    """`endpoint` (host:port), if it is on this machine: plaintext is allowed for nothing else.

    Raises SettingsError that names `setting`.
    """
    match = _HOST_AND_PORT.fullmatch(endpoint)
    if match is None or not (match[1] == "localhost" or is_this_machine(match[1].strip("[]"))):
        raise SettingsError(
            "plaintext_endpoint",
            f"{setting}={endpoint!a}: only a loopback address with a port, such as 127.0.0.1:8080, is spoken to "
            f"without TLS; remove {setting} to use Google's API",
        )
    return endpoint


def open_channel(
    service: str,
    endpoint: str = "",
    *,
    credentials: Callable[[], Any] | None = default_credentials,
    options: Options = (),
) -> Any:
    """A channel to `service` (`container.googleapis.com`), or to a stand-in at `endpoint`. Connects on first use.

    `credentials`: None where each request says itself who asks. `options`: more of gRPC's channel options. Raises
    ApiError `no_credentials`, SettingsError for an endpoint that is not on this machine.
    """
    if endpoint:
        check_loopback(endpoint, "endpoint")
        return import_module("grpc").insecure_channel(endpoint, options=(*_UNLIMITED, _DIRECT, *options))
    if credentials is None:
        grpc: Any = import_module("grpc")
        return grpc.secure_channel(f"{service}:443", grpc.ssl_channel_credentials(), options=(*_UNLIMITED, *options))
    secure_channel = lean_imports.obtain(lean_imports.SECURE_CHANNEL)
    return secure_channel(credentials(), http_request(), f"{service}:443", options=(*_UNLIMITED, *options))


def client(lean: lean_imports.Lean, service: str, endpoint: str = "", **channel: Any) -> Any:
    """One of Google's generated clients over `open_channel`, whose arguments it takes and whose errors it raises."""
    kind = lean_imports.obtain(lean)
    opened = open_channel(service, endpoint, **channel)
    return kind(transport=kind.get_transport_class("grpc")(channel=opened, host=service))
