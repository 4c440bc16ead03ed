"""Google's Pub/Sub emulator, from the gcloud SDK, and the topology of a deployment on it."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import DeadLetterPolicy, PubsubMessage, PushConfig, RetryPolicy, Subscription

from tests.cluster.polling import wait_until
from tests.kits.google.emulator_process import Component

PROJECT = "example-project"
PUBSUB = Component(name="pubsub-emulator", jar="platform/pubsub-emulator/lib/cloud-pubsub-emulator-*.jar")


@contextmanager
def running() -> Iterator[Emulator]:
    """A Pub/Sub emulator of one's own; it ends with the block. Raises EmulatorUnavailable."""
    with PUBSUB.running() as (host, pid):
        yield Emulator(host, pid)


@dataclass(frozen=True)
class Topology:
    """The topics and subscriptions of one deployment, by full name."""

    topic: str
    subscription: str
    dead_letter_topic: str
    dead_letter_subscription: str
    outcome_topic: str
    outcome_subscription: str


@dataclass(frozen=True)
class Received:
    """A message that was pulled (and acknowledged)."""

    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)


class Emulator:
    """A running emulator. `host` is what `PUBSUB_EMULATOR_HOST` is set to for a process that shall use it."""

    def __init__(self, host: str, pid: int) -> None:
        self.host = host
        self.pid = pid
        self._publisher = PublisherClient(transport=_transport(PublisherClient, host))
        self._subscriber = SubscriberClient(transport=_transport(SubscriberClient, host))

    def deploy(
        self, push_endpoint: str, *, attempts: int = 5, back_off_seconds: float = 1.0, ack_deadline_seconds: int = 10
    ) -> Topology:
        """Topics and subscriptions as a deployment has them, under names of their own, pushing to `push_endpoint`."""
        suffix = uuid.uuid4().hex[:8]
        topics = {name: self._topic(f"{name}-{suffix}") for name in ("findings", "dead-letters", "outcomes")}
        self._subscriber.create_subscription(
            request=Subscription(
                name=_subscription(f"findings-{suffix}"),
                topic=topics["findings"],
                push_config=PushConfig(push_endpoint=push_endpoint),
                ack_deadline_seconds=ack_deadline_seconds,
                retry_policy=RetryPolicy(
                    minimum_backoff=_duration(back_off_seconds), maximum_backoff=_duration(back_off_seconds * 3)
                ),
                dead_letter_policy=DeadLetterPolicy(
                    dead_letter_topic=topics["dead-letters"], max_delivery_attempts=attempts
                ),
            )
        )
        return Topology(
            topic=topics["findings"],
            subscription=_subscription(f"findings-{suffix}"),
            dead_letter_topic=topics["dead-letters"],
            dead_letter_subscription=self._pulled(f"dead-letters-{suffix}", topics["dead-letters"]),
            outcome_topic=topics["outcomes"],
            outcome_subscription=self._pulled(f"outcomes-{suffix}", topics["outcomes"]),
        )

    def set_up(self, topics: Sequence[str], subscriptions: Sequence[Subscription]) -> None:
        """Topics by full name, and subscriptions with all their settings."""
        for topic in topics:
            self._publisher.create_topic(name=topic)
        for subscription in subscriptions:
            self._subscriber.create_subscription(request=subscription)

    def take_down(self, topics: Sequence[str], subscriptions: Sequence[Subscription]) -> None:
        """Delete them again, with the messages that are waiting."""
        for subscription in subscriptions:
            self._subscriber.delete_subscription(subscription=subscription.name)
        for topic in topics:
            self._publisher.delete_topic(topic=topic)

    def settings(self, subscription: str) -> Subscription:
        """What the emulator says of a subscription."""
        return self._subscriber.get_subscription(subscription=subscription)

    def publish(self, topic: str, data: bytes, **attributes: str) -> str:
        """Publish as Security Command Center does; the message id."""
        return str(self._publisher.publish(topic, data, **attributes).result(timeout=10))

    def publish_all(self, topic: str, messages: Iterable[bytes]) -> None:
        """Publish many, in batches, and wait until the emulator has each."""
        for taken in [self._publisher.publish(topic, message) for message in messages]:
            taken.result(timeout=60)

    def pull(self, subscription: str, *, count: int = 1, seconds: float = 15.0) -> list[Received]:
        """The next `count` messages, acknowledged. Raises TimeoutError if they do not come."""
        received: list[Received] = []

        def enough() -> bool:
            received.extend(self._pull(subscription, count - len(received)))
            return len(received) >= count

        wait_until(enough, what=f"{count} message(s) on {subscription}", seconds=seconds)
        return received

    def is_empty(self, subscription: str) -> bool:
        """Whether a pull brings nothing at this moment."""
        return not self._pull(subscription, 1)

    def close(self) -> None:
        """Close the clients."""
        self._publisher.stop()
        self._publisher.transport.close()
        self._subscriber.close()

    def _pull(self, subscription: str, count: int) -> list[Received]:
        request = {"subscription": subscription, "max_messages": count, "return_immediately": True}
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # for the service's sake: here, waiting is ours to bound
            messages = self._subscriber.pull(request=request, timeout=10).received_messages
        if messages:
            self._subscriber.acknowledge(subscription=subscription, ack_ids=[message.ack_id for message in messages])
        return [_received(message.message) for message in messages]

    def _topic(self, name: str) -> str:
        topic = f"projects/{PROJECT}/topics/{name}"
        self._publisher.create_topic(name=topic)
        return topic

    def _pulled(self, name: str, topic: str) -> str:
        self._subscriber.create_subscription(name=_subscription(name), topic=topic)
        return _subscription(name)


def _subscription(name: str) -> str:
    return f"projects/{PROJECT}/subscriptions/{name}"


def _duration(seconds: float) -> Duration:
    return Duration(seconds=int(seconds), nanos=round(seconds % 1 * 1e9))


def _received(message: PubsubMessage) -> Received:
    return Received(data=message.data, attributes=dict(message.attributes))


def _transport(client: Any, host: str) -> Any:
    """Given as a transport, for the clients read PUBSUB_EMULATOR_HOST only, which is the whole process's."""
    return client.get_transport_class("grpc")(channel=grpc.insecure_channel(host))
