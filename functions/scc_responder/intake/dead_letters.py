"""A dead-lettered message, as it is pulled from the dead-letter subscription.

Source: Cloud Pub/Sub, "Handle message failures": attributes of dead-lettered messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from scc_responder.domain.value import Value
from scc_responder.intake.fields import integer

REDRIVE = "redrive"
"""The attribute of a message that was published again: how many times."""


_GIVEN_UP = "CloudPubSubDeadLetterSource"


class DeadLetter(Value, frozen=True, kw_only=True):
    """One message as it was pulled. `ack_id` acknowledges it, or returns it to the queue."""

    ack_id: str
    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    publish_time: datetime | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 of the data in hex, as the journal's rejections name it."""
        return sha256(self.data).hexdigest()

    @property
    def attempts(self) -> int:
        """How often Pub/Sub delivered it before it was dead-lettered; 0 if the attributes do not say."""
        return integer(self.attributes.get(f"{_GIVEN_UP}DeliveryCount")) or 0

    @property
    def republished(self) -> dict[str, str]:
        """The attributes to publish it with again: the original ones, and the count of redrives."""
        own = {name: value for name, value in self.attributes.items() if not name.startswith(_GIVEN_UP)}
        return {**own, REDRIVE: str(max(integer(own.get(REDRIVE)) or 0, 0) + 1)}


class Subscription(Value, frozen=True, kw_only=True):
    """A Pub/Sub subscription, as far as it matters. `expires_after_seconds`: 0 is never."""

    topic: str
    push_endpoint: str = ""
    push_identity: str = ""
    ack_deadline_seconds: int = 0
    minimum_backoff_seconds: float = 0.0
    expires_after_seconds: float = 0.0
    dead_letter_topic: str = ""
    max_delivery_attempts: int = 0
