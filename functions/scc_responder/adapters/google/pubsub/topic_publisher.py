"""Publish messages on a Pub/Sub topic."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from importlib import import_module
from typing import Any

from scc_responder.adapters.google.access import google_channel, lean_imports
from scc_responder.adapters.google.access.google_client import GoogleClient
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failures
from scc_responder.domain.errors import OutcomeUnknown
from scc_responder.domain.reasons import Reason
from scc_responder.settings import PUBSUB_EMULATOR

PUBSUB_SERVICE = "pubsub.googleapis.com"
PUBLISH = ApiMethod(api=Reason.PUBSUB, permission="pubsub.topics.publish", writes=True)


class TopicPublisher(GoogleClient):
    """Publishes on one topic (`projects/P/topics/T`), each message by itself. Connects on first use.

    `emulator`: host:port of a Pub/Sub emulator on this machine (any other raises SettingsError); where it is not given,
    `PUBSUB_EMULATOR_HOST` says it, as for Google's own tools. `timeout_seconds` bounds a publication; nothing is
    retried here.
    """

    setting = PUBSUB_EMULATOR

    def __init__(self, topic: str, *, emulator: str | None = None, timeout_seconds: float = 10.0) -> None:
        endpoint = os.environ.get(PUBSUB_EMULATOR, "") if emulator is None else emulator
        super().__init__(endpoint=endpoint, timeout_seconds=timeout_seconds)
        self._topic = topic

    def publish(self, message: bytes, attributes: Mapping[str, str]) -> str:
        """The message id the topic gave it. Raises ApiError; OutcomeUnknown where it may have been published."""
        client = self._opened()
        try:
            with grpc_failures(PUBLISH):
                future = client.publish(self._topic, message, retry=None, timeout=self._timeout_seconds, **attributes)
                return str(future.result(timeout=self._timeout_seconds + 1.0))
        except FutureTimeoutError as error:
            raise OutcomeUnknown(
                Reason.PUBSUB.of("no_answer"), "the topic did not confirm the message in time"
            ) from error

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._client is not None:
            self._client.stop()
        super().close()

    def _connected(self) -> Any:
        return _publisher(self._endpoint)


def _publisher(emulator: str) -> Any:
    kind: Callable[..., Any] = lean_imports.obtain(lean_imports.PUBLISHER)
    types: Any = import_module("google.cloud.pubsub_v1.types")
    batch_settings = types.BatchSettings(max_messages=1)
    generated: Any = lean_imports.obtain(lean_imports.GENERATED_PUBLISHER)
    channel = google_channel.open_channel(PUBSUB_SERVICE, emulator)
    transport = generated.get_transport_class("grpc")(channel=channel, host=PUBSUB_SERVICE)
    return kind(batch_settings=batch_settings, transport=transport)
