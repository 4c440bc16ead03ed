"""One client of a Google API, opened by the first request and kept: what all adapters over gRPC have in common."""

from __future__ import annotations

import threading
from typing import Any

from scc_responder.adapters.google.access import google_channel
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failures
from scc_responder.adapters.google.access.lean_imports import Lean


class GoogleClient:
    """Base of an adapter. Connects on first use; safe to use from several threads.

    `lean` and `service` say which client, `setting` which variable names a stand-in on this machine (`endpoint`,
    host:port). `timeout_seconds` bounds each request, by default `within_seconds`; none is tried again here.
    """

    lean: Lean
    service: str
    setting: str
    within_seconds = 10.0

    def __init__(self, *, endpoint: str = "", timeout_seconds: float = 0.0) -> None:
        """Check the endpoint. Raises SettingsError for one that is not on this machine."""
        self._endpoint = google_channel.check_loopback(endpoint, self.setting) if endpoint else ""
        self._timeout_seconds = timeout_seconds or self.within_seconds
        self._client: Any = None
        self._opening = threading.Lock()

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._opening:
            if self._client is not None:
                self._client.transport.close()
            self._client = None

    def _opened(self) -> Any:
        with self._opening:
            if self._client is None:
                self._client = self._connected()
            return self._client

    def _connected(self) -> Any:
        return google_channel.client(self.lean, self.service, self._endpoint)

    def _asked_once(self, call: ApiMethod, method: str, **request: Any) -> Any:
        """The answer of a method of the client. Raises ApiError."""
        client = self._opened()
        with grpc_failures(call):
            return getattr(client, method)(timeout=self._timeout_seconds, retry=None, **request)
