"""The subscription that keeps dead-lettered messages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from scc_responder.adapters.google.access import google_channel
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failure
from scc_responder.adapters.google.pubsub.topic_publisher import PUBSUB_SERVICE
from scc_responder.domain.reasons import Reason
from scc_responder.intake.dead_letters import DeadLetter
from scc_responder.settings import PUBSUB_EMULATOR

CONSUME = ApiMethod(api=Reason.PUBSUB, permission="pubsub.subscriptions.consume")
HELD_SECONDS = 600
"""How long pulled messages are hidden from other pulls: the longest that Pub/Sub allows.

Then they return by themselves.
"""

_PAGE = 100
"""Of messages in a request: an id has about 200 bytes, and Pub/Sub takes 512 KiB."""


class DeadLetters:
    """One pull subscription (`projects/P/subscriptions/S`). `wait_seconds`: how long an empty one is waited for."""

    def __init__(self, subscription: str, *, emulator: str | None = None, wait_seconds: float = 2.0) -> None:
        self._subscription = subscription
        self._wait_seconds = wait_seconds
        at = os.environ.get(PUBSUB_EMULATOR, "") if emulator is None else emulator
        if at:
            google_channel.check_loopback(at, PUBSUB_EMULATOR)
        kind: Any = import_module("google.pubsub_v1").SubscriberClient
        channel = google_channel.open_channel(PUBSUB_SERVICE, at)
        self._client: Any = kind(transport=kind.get_transport_class("grpc")(channel=channel, host=PUBSUB_SERVICE))

    def pull(self, limit: int) -> list[DeadLetter]:
        """At most so many messages, each once; fewer where there are no more. They are held. Raises ApiError."""
        pulled: dict[str, DeadLetter] = {}
        while len(pulled) < limit:
            letters = self._pull(min(_PAGE, limit - len(pulled)))
            if not letters:
                break
            self._deadline(letters, HELD_SECONDS)
            pulled |= {letter.message_id: letter for letter in letters}
        return list(pulled.values())

    def release(self, letters: Iterable[DeadLetter]) -> None:
        """Give messages back at once. Raises ApiError."""
        self._deadline(letters, 0)

    def settle(self, letters: Iterable[DeadLetter]) -> None:
        """Acknowledge messages: they do not come again. Raises ApiError; those of the pages before are settled then."""
        for ids in _pages(letters):
            request = {"subscription": self._subscription, "ack_ids": ids}
            self._called(lambda request=request: self._client.acknowledge(request=request, retry=None))

    def close(self) -> None:
        """Close the connection."""
        self._client.transport.close()

    def _pull(self, count: int) -> list[DeadLetter]:
        problems: Any = import_module("google.api_core.exceptions")
        try:
            answer = self._client.pull(
                subscription=self._subscription, max_messages=count, timeout=self._wait_seconds, retry=None
            )
        except problems.DeadlineExceeded:
            return []
        except problems.GoogleAPICallError as error:
            raise grpc_failure(CONSUME, error) from error
        return [_letter(item) for item in answer.received_messages]

    def _deadline(self, letters: Iterable[DeadLetter], seconds: int) -> None:
        for ids in _pages(letters):
            request = {"subscription": self._subscription, "ack_ids": ids, "ack_deadline_seconds": seconds}
            self._called(lambda request=request: self._client.modify_ack_deadline(request=request, retry=None))

    def _called(self, call: Any) -> None:
        problems: Any = import_module("google.api_core.exceptions")
        try:
            call()
        except problems.GoogleAPICallError as error:
            raise grpc_failure(CONSUME, error) from error


def _pages(letters: Iterable[DeadLetter]) -> Iterator[list[str]]:
    """Their ids, in as many requests as they need."""
    ids = [letter.ack_id for letter in letters]
    return (ids[start : start + _PAGE] for start in range(0, len(ids), _PAGE))


def _letter(item: Any) -> DeadLetter:
    return DeadLetter(
        ack_id=item.ack_id,
        message_id=item.message.message_id,
        data=item.message.data,
        attributes=dict(item.message.attributes),
        publish_time=item.message.publish_time,
    )
