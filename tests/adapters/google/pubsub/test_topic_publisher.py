from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from google.pubsub_v1.types import PublishRequest, PublishResponse

from scc_responder.adapters.google.pubsub.topic_publisher import TopicPublisher
from scc_responder.domain.errors import ApiError, OutcomeUnknown, SettingsError
from tests.kits.google.emulator import Emulator, Received
from tests.kits.google.grpc_servers import LocalServer, unary

TOPIC = "projects/example-project/topics/outcomes"


class PublisherServer(LocalServer):
    """`google.pubsub.v1.Publisher`, of which Publish is served."""

    def __init__(self) -> None:
        self.requests: list[PublishRequest] = []
        super().__init__(
            "google.pubsub.v1.Publisher", {"Publish": unary(self.publish, PublishRequest, PublishResponse)}
        )

    def publish(self, request: PublishRequest, context: grpc.ServicerContext) -> PublishResponse:
        self.requests.append(request)
        self.befall("Publish", context)
        return PublishResponse(message_ids=[str(len(self.requests))])


@pytest.fixture
def publisher() -> Iterator[PublisherServer]:
    """A Pub/Sub that can be told to fail."""
    with PublisherServer() as server:
        yield server


@contextmanager
def topic(server: PublisherServer, timeout_seconds: float = 5.0) -> Iterator[TopicPublisher]:
    opened = TopicPublisher(TOPIC, emulator=server.endpoint, timeout_seconds=timeout_seconds)
    yield opened
    opened.close()


def test_an_outcome_is_published_with_its_attributes(emulator: Emulator) -> None:
    """Whoever subscribes to the outcome topic gets decision and outcome, and attributes to filter by."""
    deployed = emulator.deploy("http://127.0.0.1:1/")
    outcomes = TopicPublisher(deployed.outcome_topic, emulator=emulator.host)
    ids = [outcomes.publish(b'{"n": %d}' % number, {"state": "done", "n": str(number)}) for number in range(3)]
    received = emulator.pull(deployed.outcome_subscription, count=3)
    outcomes.close()
    assert len(set(ids)) == 3
    assert sorted(received, key=lambda one: one.data) == [
        Received(data=b'{"n": %d}' % number, attributes={"state": "done", "n": str(number)}) for number in range(3)
    ]


def test_the_emulator_is_found_by_its_usual_variable(emulator: Emulator) -> None:
    """`PUBSUB_EMULATOR_HOST` means to the responder what it means to Google's tools."""
    deployed = emulator.deploy("http://127.0.0.1:1/")
    script = f"""
from scc_responder.adapters.google.pubsub.topic_publisher import TopicPublisher
outcomes = TopicPublisher({deployed.outcome_topic!r})
outcomes.publish(b"hello", {{}})
outcomes.close()
"""
    functions = Path(__file__).parents[4] / "functions"
    environment = {**os.environ, "PUBSUB_EMULATOR_HOST": emulator.host, "PYTHONPATH": str(functions)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)
    assert emulator.pull(deployed.outcome_subscription) == [Received(data=b"hello")]


def test_a_topic_that_is_not_there_is_an_error(emulator: Emulator) -> None:
    """A notice that reaches nobody does not pass for sent."""
    outcomes = TopicPublisher("projects/example-project/topics/none", emulator=emulator.host)
    with pytest.raises(ApiError) as error:
        outcomes.publish(b"x", {})
    outcomes.close()
    assert (error.value.reason, error.value.status) == ("pubsub_not_found", 404)


@pytest.mark.parametrize(
    ("code", "status", "unknown"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, 403, False),
        (grpc.StatusCode.NOT_FOUND, 404, False),
        (grpc.StatusCode.INVALID_ARGUMENT, 400, False),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 429, False),
        (grpc.StatusCode.CANCELLED, 499, True),
        (grpc.StatusCode.UNKNOWN, 500, True),
        (grpc.StatusCode.INTERNAL, 500, True),
        (grpc.StatusCode.UNAVAILABLE, 503, True),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 504, True),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_refusal_is_told_from_an_unknown_outcome(
    code: grpc.StatusCode, status: int, unknown: bool, publisher: PublisherServer
) -> None:
    """What was refused was not published; what failed midway may have been. Neither is quietly tried again."""
    publisher.fail_next(code)
    with topic(publisher) as outcomes, pytest.raises(ApiError) as error:
        outcomes.publish(b"x", {})
    assert (error.value.reason, error.value.status) == (f"pubsub_{code.name.lower()}", status)
    assert isinstance(error.value, OutcomeUnknown) is unknown
    assert error.value.permission == ("pubsub.topics.publish" if status == 403 else "")
    assert len(publisher.requests) == 1


def test_a_stalled_topic_is_given_up(publisher: PublisherServer) -> None:
    """A publication that is never confirmed holds a finding no longer than its time-out."""
    publisher.stall_next(5.0)
    with topic(publisher, timeout_seconds=0.3) as outcomes, pytest.raises(OutcomeUnknown) as error:
        outcomes.publish(b"x", {})
    assert (error.value.reason, error.value.status) == ("pubsub_deadline_exceeded", 504)


def test_every_message_is_sent_by_itself_and_at_once(publisher: PublisherServer) -> None:
    """A notice does not wait for company."""
    with topic(publisher) as outcomes:
        ids = [outcomes.publish(b"x", {}) for _ in range(3)]
    assert ids == ["1", "2", "3"]
    assert [len(request.messages) for request in publisher.requests] == [1, 1, 1]


def test_plaintext_leaves_this_machine_never() -> None:
    """An emulator elsewhere would be sent decisions without TLS."""
    with pytest.raises(SettingsError) as error:
        TopicPublisher(TOPIC, emulator="192.0.2.1:8085")
    assert error.value.reason == "plaintext_endpoint"
    assert "PUBSUB_EMULATOR_HOST" in str(error.value)
