"""Who asks Cloud Run: one identity reads, another one changes. Each has a channel of its own, opened on first use.

Source: google/cloud/run/v2; IAM Service Account Credentials API.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from scc_responder.adapters.acting_case import request_reason
from scc_responder.adapters.google.access import google_channel, lean_imports
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason

RUN_SERVICE = "run.googleapis.com"


class RunIdentities:
    """Google's clients of Cloud Run, as whom each is to ask. See `CloudRunAdmin` for what it is given."""

    def __init__(
        self,
        endpoint: str,
        credentials: Callable[[], Any],
        token: Callable[[], str] | None,
        writer: Callable[[], str] | None,
    ) -> None:
        name = "SCC_RESPONDER_RUN_ENDPOINT"
        self._endpoint = google_channel.check_loopback(endpoint, name) if endpoint else ""
        self._credentials = credentials
        self._tokens = {False: token if endpoint else None, True: writer}
        self._channels: dict[bool, Any] = {}
        self._clients: dict[tuple[str, bool], Any] = {}
        self._opening = threading.Lock()

    @property
    def has_writer(self) -> bool:
        """Whether there is an identity that changes anything."""
        return self._tokens[True] is not None

    def client(self, service: str, *, as_writer: bool) -> tuple[Any, Sequence[tuple[str, str]]]:
        """The client of `services`, and the headers that say for which case, and who asks where its channel does not.

        Raises ApiError, `no_run_writer` where nobody may change anything.
        """
        token = self._tokens[as_writer]
        if as_writer and token is None and not self._endpoint:
            raise ApiError(Reason.NO_RUN_WRITER, "SCC_RESPONDER_RUN_WRITER is not set", status=403)
        sender = [*request_reason(), *([("authorization", f"Bearer {token()}")] if token else [])]
        with self._opening:
            key = (service, as_writer)
            if key not in self._clients:
                kind = lean_imports.obtain(lean_imports.CLOUD_RUN[service])
                transport = kind.get_transport_class("grpc")(channel=self._channel(as_writer), host=RUN_SERVICE)
                self._clients[key] = kind(transport=transport)
            return self._clients[key], sender

    def close(self) -> None:
        """Close what was opened."""
        with self._opening:
            for channel in self._channels.values():
                channel.close()
            self._channels.clear()
            self._clients.clear()

    def _channel(self, as_writer: bool) -> Any:
        """A channel with an identity gives it to every request, so that changes have one without."""
        if as_writer not in self._channels:
            credentials = None if as_writer else self._credentials
            opened = google_channel.open_channel(RUN_SERVICE, self._endpoint, credentials=credentials)
            self._channels[as_writer] = opened
        return self._channels[as_writer]
