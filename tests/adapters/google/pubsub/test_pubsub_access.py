"""What may be done with topics and subscriptions is asked of Pub/Sub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scc_responder.adapters.google.pubsub.pubsub_access import PubSubAccess
from scc_responder.domain.errors import ApiError
from tests.kits.google.emulator import Emulator
from tests.kits.google.fronts import PubSubWithIam


@pytest.fixture
def pubsub(emulator: Emulator) -> Iterator[PubSubAccess]:
    """The adapter, with the emulator."""
    access = PubSubAccess(emulator=emulator.host, wait_seconds=2)
    yield access
    access.close()


def test_dead_letters_are_given_back(pubsub: PubSubAccess, emulator: Emulator) -> None:
    """A message that was counted is still there for whoever handles it, at once."""
    topology = emulator.deploy("http://127.0.0.1:1/")
    assert pubsub.waiting(topology.dead_letter_subscription, 10) == 0
    for number in range(3):
        emulator.publish(topology.dead_letter_topic, str(number).encode())
    assert 1 <= pubsub.waiting(topology.dead_letter_subscription, 2) <= 2
    received = emulator.pull(topology.dead_letter_subscription, count=3, seconds=8)
    assert sorted(message.data for message in received) == [b"0", b"1", b"2"]


def test_a_topic_lists_its_subscriptions(pubsub: PubSubAccess, emulator: Emulator) -> None:
    """A topic's subscriptions, and whether there is such a topic; the emulator's lack of IAM is an error, no answer."""
    topology = emulator.deploy("http://127.0.0.1:1/")
    assert pubsub.subscriptions_of(topology.dead_letter_topic) == [topology.dead_letter_subscription]
    assert pubsub.has_topic(topology.outcome_topic)
    assert not pubsub.has_topic("projects/example-project/topics/absent")
    with pytest.raises(ApiError) as raised:
        pubsub.may_publish(topology.outcome_topic)
    assert raised.value.status == 501


def test_expiry_by_default(pubsub: PubSubAccess, emulator: Emulator) -> None:
    """A subscription that says nothing of its expiry has Pub/Sub's 31 days."""
    topology = emulator.deploy("http://127.0.0.1:1/")
    assert pubsub.subscription(topology.subscription).expires_after_seconds == 31 * 86400


def test_permission_to_publish_comes_from_iam(emulator: Emulator) -> None:
    """The permission to publish is what IAM says, and nothing is published."""
    topology = emulator.deploy("http://127.0.0.1:1/")
    with PubSubWithIam(emulator.host) as front:
        access = PubSubAccess(emulator=front.host)
        assert access.may_publish(topology.outcome_topic) is True
        front.held.clear()
        assert access.may_publish(topology.outcome_topic) is False
        access.close()
    assert emulator.is_empty(topology.outcome_subscription)
