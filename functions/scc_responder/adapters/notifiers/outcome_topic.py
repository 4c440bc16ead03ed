"""Notifier `outcome_topic`: publishes each notice on the Pub/Sub topic of SCC_RESPONDER_OUTCOME_TOPIC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.ports import Notifier
from scc_responder.settings import Settings

if TYPE_CHECKING:
    from scc_responder.adapters.google.pubsub.topic_publisher import TopicPublisher


def notifier(settings: Settings) -> Notifier | None:
    """The topic; None where settings name none."""
    if not settings.outcome_topic:
        return None
    from scc_responder.adapters.google.pubsub.topic_publisher import TopicPublisher  # noqa: PLC0415 - not without one

    return OutcomeTopic(TopicPublisher(settings.outcome_topic))


class OutcomeTopic:
    """`ports.Notifier` on one topic."""

    def __init__(self, publisher: TopicPublisher) -> None:
        self._publisher = publisher

    def tell(self, notice: Notice) -> str:
        """Publish the facts, with attributes that subscriptions can filter on. Raises ApiError."""
        return self._publisher.publish(notice.message, notice.attributes)
