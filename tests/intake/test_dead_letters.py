"""A message that Pub/Sub gave up on: what identifies it, and what it says when it is published again."""

from __future__ import annotations

from hashlib import sha256

import pytest

from scc_responder.intake.dead_letters import DeadLetter


def letter(**attributes: str) -> DeadLetter:
    return DeadLetter(ack_id="a", message_id="1", data=b"{}", attributes=attributes)


def test_a_dead_letter_is_known_by_its_hash() -> None:
    """The hash is that of the data, as in the function's own records."""
    assert letter().sha256 == sha256(b"{}").hexdigest()


@pytest.mark.parametrize(("count", "attempts"), [("5", 5), ("", 0), ("many", 0)])
def test_attempts_are_read_from_its_attributes(count: str, attempts: int) -> None:
    """0 where nothing usable says how many there were."""
    assert letter(CloudPubSubDeadLetterSourceDeliveryCount=count).attempts == attempts
    assert letter().attempts == 0


@pytest.mark.parametrize(
    ("before", "after"), [({}, "1"), ({"redrive": "1"}, "2"), ({"redrive": "-7"}, "1"), ({"redrive": "x"}, "1")]
)
def test_republishing_counts_and_forgets_the_failure(before: dict[str, str], after: str) -> None:
    """Its own attributes stay, those of its failure go, and the count grows."""
    dead = letter(kind="finding", CloudPubSubDeadLetterSourceSubscription="s", **before)
    assert dead.republished == {"kind": "finding", "redrive": after}
