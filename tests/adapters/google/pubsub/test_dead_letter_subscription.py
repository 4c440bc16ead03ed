"""A dead letter is held while it is looked at, and is settled or given back; the emulator and a local server answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest

from scc_responder.adapters.google.pubsub.dead_letter_subscription import DeadLetters
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.google.emulator import Emulator
from tests.kits.google.subscriber_server import SubscriberServer

SUBSCRIPTION = "projects/example-project/subscriptions/dead"


@contextmanager
def opened(endpoint: str, subscription: str = SUBSCRIPTION, *, wait_seconds: float = 2.0) -> Iterator[DeadLetters]:
    """The subscription at this server."""
    letters = DeadLetters(subscription, emulator=endpoint, wait_seconds=wait_seconds)
    yield letters
    letters.close()


def test_a_settled_letter_comes_no_more(emulator: Emulator) -> None:
    """A message comes with its attributes; what is given back comes again, and what is settled does not."""
    topology = emulator.deploy("http://127.0.0.1:1/")
    emulator.publish(topology.dead_letter_topic, b"{}", origin="scc")
    with opened(emulator.host, topology.dead_letter_subscription) as letters:
        (first,) = letters.pull(1)
        letters.release([first])
        (second,) = letters.pull(1)
        letters.settle([second])
        assert letters.pull(1) == []
    assert (first.data, first.attributes) == (b"{}", {"origin": "scc"})
    assert first.publish_time is not None
    assert second.message_id == first.message_id


def test_pulled_letters_are_held() -> None:
    """As many are pulled as are asked for or as there are, and each is held."""
    with SubscriberServer([b"a", b"b", b"c"]) as server, opened(server.endpoint) as letters:
        assert [letter.data for letter in letters.pull(2)] == [b"a", b"b"]
        assert [letter.data for letter in letters.pull(2)] == [b"c"]
        assert [int(held) for held in server.held] == [0, 1, 2]
        assert server.released == []


def test_many_letters_are_settled_in_parts() -> None:
    """Thousands are settled and given back in requests of a size that Pub/Sub takes."""
    with SubscriberServer([b"junk"] * 5000) as server, opened(server.endpoint) as letters:
        pulled = letters.pull(10_000)
        letters.settle(pulled)
        letters.release(pulled)
        for ids in (server.acknowledged, server.released):
            assert len(set(ids)) == len(ids) == 5000


def test_an_empty_subscription_is_waited_for_briefly() -> None:
    """A subscription that has nothing answers late, or not at all: there are no letters then."""
    with SubscriberServer([b"late"]) as server, opened(server.endpoint, wait_seconds=0.3) as letters:
        server.stall_next(5)
        assert letters.pull(1) == []


@pytest.mark.parametrize(
    ("code", "reason", "permission"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, "pubsub_permission_denied", "pubsub.subscriptions.consume"),
        (grpc.StatusCode.NOT_FOUND, "pubsub_not_found", ""),
    ],
)
def test_a_refused_request_is_an_error(code: grpc.StatusCode, reason: str, permission: str) -> None:
    """Whichever request is refused, the error says why, and names the permission that is missing."""
    with SubscriberServer([b"a"]) as server, opened(server.endpoint) as letters:
        pulled = letters.pull(1)
        for call in (lambda: letters.pull(1), lambda: letters.settle(pulled), lambda: letters.release(pulled)):
            server.fail_next(code)
            with pytest.raises(ApiError) as caught:
                call()
            assert (caught.value.reason, caught.value.permission) == (reason, permission)


def test_dead_letters_need_an_emulator_on_this_machine() -> None:
    """Nothing but this machine is spoken to without TLS."""
    with pytest.raises(SettingsError) as caught:
        DeadLetters(SUBSCRIPTION, emulator="192.0.2.1:8085")
    assert caught.value.reason == "plaintext_endpoint"
    assert "PUBSUB_EMULATOR_HOST" in str(caught.value)
