"""The outcome topic is one way to tell people: it gets the facts, with attributes to filter on."""

from __future__ import annotations

from scc_responder.adapters.google.pubsub.topic_publisher import TopicPublisher
from scc_responder.adapters.notifiers.outcome_topic import OutcomeTopic, notifier
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from tests.kits.google.emulator import Emulator, Received
from tests.kits.settings import local_settings

NOTICE = Notice(
    kind=NoticeKind.OUTCOME,
    severity=NoticeSeverity.NOTICE,
    case="0a0a0a0a0a0a",
    labels={"threat": "reverse_shell"},
    facts={"case": "0a0a0a0a0a0a", "steps": []},
)


def test_a_notice_reaches_every_subscription(emulator: Emulator) -> None:
    """Its facts are the message; case, reason and labels are its attributes."""
    deployed = emulator.deploy("http://127.0.0.1:1/")
    publisher = TopicPublisher(deployed.outcome_topic, emulator=emulator.host)
    OutcomeTopic(publisher).tell(NOTICE)
    publisher.close()

    assert emulator.pull(deployed.outcome_subscription) == [
        Received(
            data=b'{"case":"0a0a0a0a0a0a","steps":[]}', attributes={"case": "0a0a0a0a0a0a", "threat": "reverse_shell"}
        )
    ]


def test_without_a_topic_there_is_no_notifier() -> None:
    """Nothing is connected either way, before the first notice."""
    assert notifier(local_settings()) is None
    assert isinstance(notifier(local_settings(OUTCOME_TOPIC="projects/p/topics/t")), OutcomeTopic)
