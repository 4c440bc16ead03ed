"""A message that Pub/Sub gave up on delivering, as it is pulled from the dead-letter subscription.

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
    """One message as it was pulled. `ack_id` is what it is settled by, or given back."""

    ack_id: str
    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    publish_time: datetime | None = None

    @property
    def sha256(self) -> str:
        """What identifies the data, as in the function's own records."""
        return sha256(self.data).hexdigest()

    @property
    def attempts(self) -> int:
        """How often it was delivered before it was given up on; 0 where it does not say."""
        return integer(self.attributes.get(f"{_GIVEN_UP}DeliveryCount")) or 0

    @property
    def republished(self) -> dict[str, str]:
        """Its attributes when it is published again: those it first had, and how often this was done."""
        own = {name: value for name, value in self.attributes.items() if not name.startswith(_GIVEN_UP)}
        return {**own, REDRIVE: str(max(integer(own.get(REDRIVE)) or 0, 0) + 1)}
