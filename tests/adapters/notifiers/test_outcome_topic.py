"""The outcome topic is one way to tell people: it gets the facts, with attributes to filter on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from cloudevents.http import from_json
from msgspec.structs import replace

from scc_responder.adapters.google.pubsub.topic_publisher import TopicPublisher
from scc_responder.adapters.notifiers.outcome_topic import EventTopic, OutcomeTopic, notifier
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.status import CaseState
from scc_responder.journal.notices import breaker_notice
from tests.journal.account.test_ocsf_events import faults
from tests.kits.google.emulator import Emulator, Received
from tests.kits.notices import NOON
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


def test_the_form_of_what_is_published_is_a_setting() -> None:
    """Without it subscribers have what they had."""
    topic = {"OUTCOME_TOPIC": "projects/p/topics/t"}
    assert isinstance(notifier(local_settings(**topic, OUTCOME_FORMAT="v1")), OutcomeTopic)
    assert isinstance(notifier(local_settings(**topic, OUTCOME_FORMAT="cloudevents")), EventTopic)


def test_two_notices_about_no_case_are_two_events() -> None:
    """Each has an id of its own, and says where it is and what to do; said again, it is the same event."""

    class KeptEvents:
        def __init__(self) -> None:
            self.events: list[dict[str, Any]] = []

        def publish(self, data: bytes, _attributes: dict[str, str]) -> str:
            self.events.append(json.loads(data))
            return "1"

    kept = KeptEvents()
    topic = EventTopic(kept, "/scc-responder")  # type: ignore[arg-type]
    for number in (1, 2, 2):
        topic.tell(breaker_notice(f"projects/p/locations/l/clusters/c{number}", NOON, "6 denials"))
    first, second, again = kept.events
    assert first["id"] != second["id"] == again["id"]
    assert first["data"]["unmapped"]["cluster"] == "projects/p/locations/l/clusters/c1"
    assert "breaker reset" in first["data"]["unmapped"]["remedy"]
    assert faults(first["data"]) == []


def test_a_notice_is_cloudevents_with_ocsf_in_them(emulator: Emulator) -> None:
    """CloudEvents' own reader takes each; what is said again has the same ids, and the incident comes last."""
    moments = iter([datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)])
    deployed = emulator.deploy("http://127.0.0.1:1/")
    publisher = TopicPublisher(deployed.outcome_topic, emulator=emulator.host)
    step = {"action": "isolate_pod", "action_id": "a/0/isolate_pod", "policy": "a", "target_uid": "u", "detail": ""}
    told = {"case": "0a0a0a0a0a0a", "steps": [{**step, "status": "done", "reason": "isolated"}]}
    notice = replace(NOTICE, facts=told, state=CaseState.DONE)
    topic = EventTopic(publisher, "https://responder.example.com", lambda: next(moments))
    topic.tell(notice)
    topic.tell(notice)
    publisher.close()

    received = emulator.pull(deployed.outcome_subscription, count=4)
    events = [from_json(message.data) for message in received]
    assert [event["type"] for event in events] == ["scc-responder.ocsf.7004", "scc-responder.ocsf.2005"] * 2
    assert [event["id"] for event in events[:2]] == [event["id"] for event in events[2:]]
    assert len({event["id"] for event in events}) == 2
    assert {message.attributes["content-type"] for message in received} == {"application/cloudevents+json"}
    assert {(event["subject"], event["source"]) for event in events} == {
        ("0a0a0a0a0a0a", "https://responder.example.com")
    }
    assert [json.loads(message.data)["data"]["class_uid"] for message in received[:2]] == [7004, 2005]
