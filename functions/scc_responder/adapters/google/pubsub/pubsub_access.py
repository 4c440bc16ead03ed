"""What Pub/Sub says of a deployment's topics and subscriptions, and of what the caller may do with them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import islice
from typing import Any, TypeVar

from scc_responder.adapters.google.access import google_channel
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failure
from scc_responder.adapters.google.pubsub.dead_letter_subscription import CONSUME
from scc_responder.adapters.google.pubsub.topic_publisher import PUBLISH, PUBSUB_SERVICE
from scc_responder.domain.reasons import Reason
from scc_responder.intake.dead_letters import Subscription
from scc_responder.settings import PUBSUB_EMULATOR

GET_SUBSCRIPTION = ApiMethod(api=Reason.PUBSUB, permission="pubsub.subscriptions.get")
LIST_SUBSCRIPTIONS = ApiMethod(api=Reason.PUBSUB, permission="pubsub.topics.get")
GET_TOPIC = ApiMethod(api=Reason.PUBSUB, permission="pubsub.topics.get")
ASK = ApiMethod(api=Reason.PUBSUB, permission="")

_MOST = 100
_DELETED = "_deleted-topic_"
_DEFAULT_EXPIRY = 31 * 86400.0
"""What a subscription without an expiration policy has. Source: google.pubsub.v1, `Subscription.expiration_policy`."""

_T = TypeVar("_T")


class PubSubAccess:
    """`delivery_checks.PubSub`. Connects on first use. `emulator`: as in `TopicPublisher`.

    `wait_seconds` is how long an empty subscription is waited for.
    """

    def __init__(
        self, *, emulator: str | None = None, timeout_seconds: float = 10.0, wait_seconds: float = 3.0
    ) -> None:
        self._emulator = os.environ.get(PUBSUB_EMULATOR, "") if emulator is None else emulator
        if self._emulator:
            google_channel.check_loopback(self._emulator, PUBSUB_EMULATOR)
        self._timeout_seconds = timeout_seconds
        self._wait_seconds = wait_seconds
        self._channel: Any = None
        self._opening = threading.Lock()

    def subscription(self, name: str) -> Subscription:
        """The subscription. Raises ApiError."""
        return _plain(
            self._asked(GET_SUBSCRIPTION, lambda **how: self._subscriber.get_subscription(subscription=name, **how))
        )

    def subscriptions_of(self, topic: str) -> Sequence[str]:
        """The names of a topic's subscriptions. Raises ApiError."""
        listed = self._asked(
            LIST_SUBSCRIPTIONS,
            lambda **how: list(islice(self._publisher.list_topic_subscriptions(topic=topic, **how), _MOST)),
        )
        return sorted(map(str, listed))

    def waiting(self, subscription: str, most: int) -> int:
        """How many messages wait, of at most that many; each is given back at once. Raises ApiError."""
        problems: Any = import_module("google.api_core.exceptions")
        request = {"subscription": subscription, "max_messages": most}
        try:
            answer = self._subscriber.pull(request=request, timeout=self._wait_seconds, retry=None)
        except problems.DeadlineExceeded:
            return 0
        except problems.GoogleAPICallError as error:
            raise grpc_failure(CONSUME, error) from error
        ids = [message.ack_id for message in answer.received_messages]
        if ids:
            back = {"subscription": subscription, "ack_ids": ids, "ack_deadline_seconds": 0}
            self._asked(CONSUME, lambda **how: self._subscriber.modify_ack_deadline(request=back, **how))
        return len(ids)

    def has_topic(self, topic: str) -> bool:
        """Whether there is such a topic. Raises ApiError."""
        problems: Any = import_module("google.api_core.exceptions")
        try:
            self._publisher.get_topic(topic=topic, timeout=self._timeout_seconds, retry=None)
        except problems.NotFound:
            return False
        except problems.GoogleAPICallError as error:
            raise grpc_failure(GET_TOPIC, error) from error
        return True

    def may_publish(self, topic: str) -> bool:
        """Whether the caller has `pubsub.topics.publish` on it; False too if there is none. Raises ApiError."""
        request = {"resource": topic, "permissions": [PUBLISH.permission]}
        answer = self._asked(ASK, lambda **how: self._publisher.test_iam_permissions(request=request, **how))
        return PUBLISH.permission in answer.permissions

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._opening:
            if self._channel is not None:
                self._channel.close()
            self._channel = None

    def _asked(self, call: ApiMethod, ask: Callable[..., _T]) -> _T:
        problems: Any = import_module("google.api_core.exceptions")
        try:
            return ask(timeout=self._timeout_seconds, retry=None)
        except problems.GoogleAPICallError as error:
            raise grpc_failure(call, error) from error

    @property
    def _subscriber(self) -> Any:
        return self._client("SubscriberClient")

    @property
    def _publisher(self) -> Any:
        return self._client("PublisherClient")

    def _client(self, name: str) -> Any:
        kind: Any = getattr(import_module("google.pubsub_v1"), name)
        with self._opening:
            if self._channel is None:
                self._channel = google_channel.open_channel(PUBSUB_SERVICE, self._emulator)
            return kind(transport=kind.get_transport_class("grpc")(channel=self._channel, host=PUBSUB_SERVICE))


def _plain(found: Any) -> Subscription:
    raw = type(found).pb(found)
    expiry = (
        raw.expiration_policy.ttl.ToTimedelta().total_seconds()
        if raw.HasField("expiration_policy")
        else _DEFAULT_EXPIRY
    )
    return Subscription(
        topic=raw.topic,
        push_endpoint=raw.push_config.push_endpoint,
        push_identity=raw.push_config.oidc_token.service_account_email,
        ack_deadline_seconds=raw.ack_deadline_seconds,
        minimum_backoff_seconds=raw.retry_policy.minimum_backoff.ToTimedelta().total_seconds(),
        expires_after_seconds=expiry,
        dead_letter_topic=raw.dead_letter_policy.dead_letter_topic,
        max_delivery_attempts=raw.dead_letter_policy.max_delivery_attempts,
    )
