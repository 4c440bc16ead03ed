"""A pull subscription as a local gRPC server: what Google's emulator does not do, such as refuse a large request."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1.types import (
    AcknowledgeRequest,
    ModifyAckDeadlineRequest,
    PubsubMessage,
    PullRequest,
    PullResponse,
    ReceivedMessage,
)

from tests.kits.google.grpc_servers import LocalServer, unary

MOST_BYTES = 512 * 1024
"""The largest request that Pub/Sub takes."""


class EmptyAnswer:
    """`google.protobuf.Empty` as `unary` wants it."""

    @staticmethod
    def deserialize(content: bytes) -> Empty:
        """The message of these bytes."""
        return Empty.FromString(content)

    @staticmethod
    def serialize(message: Empty) -> bytes:
        """The bytes of the message."""
        return message.SerializeToString()


class SubscriberServer(LocalServer):
    """`google.pubsub.v1.Subscriber` with messages of these bodies, each pulled once.

    `held` and `released` are the acknowledgement ids that were hidden for a time and given back. `refused_after`, where
    set, is how many messages may be acknowledged before the service is away.
    """

    def __init__(self, bodies: Sequence[bytes] = ()) -> None:
        self.waiting = [
            ReceivedMessage(ack_id=f"{number:0>200}", message=PubsubMessage(data=body, message_id=str(number)))
            for number, body in enumerate(bodies)
        ]
        self.acknowledged: list[str] = []
        self.held: list[str] = []
        self.released: list[str] = []
        self.refused_after: int | None = None
        methods = {
            "Pull": unary(self.pull, PullRequest, PullResponse),
            "Acknowledge": unary(self.acknowledge, AcknowledgeRequest, EmptyAnswer),
            "ModifyAckDeadline": unary(self.modify, ModifyAckDeadlineRequest, EmptyAnswer),
        }
        super().__init__("google.pubsub.v1.Subscriber", methods)

    def pull(self, request: PullRequest, context: grpc.ServicerContext) -> PullResponse:
        """So many messages, or those that are left."""
        self.befall("Pull", context)
        pulled, self.waiting = self.waiting[: request.max_messages], self.waiting[request.max_messages :]
        return PullResponse(received_messages=pulled)

    def acknowledge(self, request: AcknowledgeRequest, context: grpc.ServicerContext) -> Empty:
        """Refuse a request that Pub/Sub would refuse."""
        self.befall("Acknowledge", context)
        if len(AcknowledgeRequest.serialize(request)) > MOST_BYTES or len(request.ack_ids) > 1000:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Request payload size exceeds the limit: 524288 bytes.")
        if self.refused_after is not None and len(self.acknowledged) >= self.refused_after:
            context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        self.acknowledged += request.ack_ids
        return Empty()

    def modify(self, request: ModifyAckDeadlineRequest, context: grpc.ServicerContext) -> Empty:
        """Keep the ids."""
        self.befall("ModifyAckDeadline", context)
        kept = self.held if request.ack_deadline_seconds else self.released
        kept += request.ack_ids
        return Empty()
