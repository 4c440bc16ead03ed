"""Notifier `outcome_topic`: publishes each notice on the Pub/Sub topic of SCC_RESPONDER_OUTCOME_TOPIC.

In the form of SCC_RESPONDER_OUTCOME_FORMAT: `v1`, the facts as JSON; `cloudevents`, OCSF events as CloudEvents, each
remediation first, then the incident. Source: CloudEvents 1.0.2, and its Pub/Sub binding, structured mode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from scc_responder.domain.clock import utc_now
from scc_responder.domain.notices.notice import Notice, OutcomeFormat
from scc_responder.domain.ports import Notifier
from scc_responder.domain.text import ascii_json
from scc_responder.journal.outbox.outbox import notice_id
from scc_responder.settings import Settings

if TYPE_CHECKING:
    from scc_responder.adapters.google.pubsub.topic_publisher import TopicPublisher

_OWN_SOURCE = "/scc-responder"


def notifier(settings: Settings) -> Notifier | None:
    """The topic; None where settings name none."""
    if not settings.outcome_topic:
        return None
    from scc_responder.adapters.google.pubsub.topic_publisher import TopicPublisher  # noqa: PLC0415 - not without one

    publisher = TopicPublisher(settings.outcome_topic)
    if settings.outcome_format is OutcomeFormat.V1:
        return OutcomeTopic(publisher)
    return EventTopic(publisher, settings.function_url or _OWN_SOURCE)


class OutcomeTopic:
    """`ports.Notifier` on one topic: the facts of each notice."""

    def __init__(self, publisher: TopicPublisher) -> None:
        self._publisher = publisher

    def tell(self, notice: Notice) -> str:
        """Publish the facts, with attributes that subscriptions can filter on. Raises ApiError."""
        return self._publisher.publish(notice.message, notice.attributes)


class EventTopic:
    """`ports.Notifier` on one topic: each notice as CloudEvents of one source."""

    def __init__(self, publisher: TopicPublisher, source: str, now: Callable[[], datetime] = utc_now) -> None:
        self._publisher = publisher
        self._source = source
        self._now = now

    def tell(self, notice: Notice) -> str:
        """Publish the events, the incident last: its id is the answer, and whoever has it has all. Raises ApiError."""
        attributes = {"content-type": "application/cloudevents+json", **notice.attributes}
        return [self._publisher.publish(event, attributes) for event in self._events(notice)][-1]

    def _events(self, notice: Notice) -> Iterator[bytes]:
        from scc_responder.journal.account.ocsf_events import ocsf_events  # noqa: PLC0415 - for this format alone

        moment = self._now()
        for body in reversed(ocsf_events(notice.facts, notice.state, moment)):
            # What is said again after a crash has its id again, and another notice in the same words another one.
            same = notice_id(notice) + ascii_json({**body, "time": 0}).decode()
            yield ascii_json(
                {
                    "specversion": "1.0",
                    "id": str(uuid5(NAMESPACE_URL, same)),
                    "source": self._source,
                    "type": f"scc-responder.ocsf.{body['class_uid']}",
                    "subject": notice.case or notice.reason,
                    "time": moment,
                    "datacontenttype": "application/json",
                    "data": body,
                }
            )
