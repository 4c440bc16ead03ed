"""`scc-responder redrive` against Google's Pub/Sub emulator: nothing lost, nothing changed before it is asked for."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.status import CaseState
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.journal import Journal
from scc_responder.workbench.stores import open_store
from tests.cli.commands import called
from tests.findings import data, notification
from tests.kits.google.emulator import Emulator, Topology
from tests.kits.google.subscriber_server import SubscriberServer
from tests.pipeline.test_heartbeat import MESSAGE

DOCUMENTS = [notification("reverse_shell", finding_id=f"f{number}") for number in range(3)]
GIVEN_UP = {"CloudPubSubDeadLetterSourceDeliveryCount": "20", "CloudPubSubDeadLetterSourceSubscription": "findings"}


class Queue:
    """A topology whose notifications arrive at a pull subscription of the test's own."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.topology: Topology = emulator.deploy("http://127.0.0.1:1/")
        self.dead = self.topology.dead_letter_subscription

    def give_up(self, content: bytes | dict[str, Any], **attributes: str) -> None:
        """Let a message be among the dead letters, as Pub/Sub forwards one."""
        body = content if isinstance(content, bytes) else data(content)
        self.emulator.publish(self.topology.dead_letter_topic, body, **GIVEN_UP, **attributes)

    def redrive(self, *more: str | Path, topic: str = "") -> subprocess.CompletedProcess[str]:
        """Run the command. The outcome topic stands for that of the notifications: its subscription is pulled."""
        names = ("--subscription", self.dead, "--topic", topic or self.topology.outcome_topic)
        return called("redrive", *names, *more, PUBSUB_EMULATOR_HOST=self.emulator.host)

    def told(self, *more: str | Path) -> list[dict[str, Any]]:
        done = self.redrive("--format", "json", *more)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout)["messages"])

    @property
    def arrived(self) -> bool:
        return not self.emulator.is_empty(self.topology.outcome_subscription)


@pytest.fixture
def queue(emulator: Emulator) -> Queue:
    return Queue(emulator)


def test_without_apply_it_only_lists(queue: Queue) -> None:
    """Unless it is told to, it only lists, any number of times: nothing is published, nothing is settled."""
    for document in DOCUMENTS:
        queue.give_up(document)
    queue.give_up(b"\x1b[2Jjunk")

    first, second = queue.told(), queue.told("--dry-run")

    assert Counter(item["fate"] for item in first) == {"delivered_again": 3, "junk": 1}
    assert sorted(item["sha256"] for item in first) == sorted(item["sha256"] for item in second)
    assert {item["attempts"] for item in first} == {20}
    assert all(item["age_seconds"] > 0 for item in first if item["finding"])
    assert not queue.arrived


def test_text_shows_finding_age_and_fate(queue: Queue) -> None:
    """A person reads finding, category, age, attempts and fate; junk is a hash."""
    queue.give_up(DOCUMENTS[0])
    queue.give_up(b"\x1b[2Jjunk")
    done = queue.redrive()
    assert done.returncode == 0
    assert parse_notification(DOCUMENTS[0]).name in done.stdout
    assert "20 attempts" in done.stdout
    assert "sha256 " in done.stdout
    assert "\x1b" not in done.stdout
    assert "1 of 2 would be published again; nothing was changed. To do it, add --apply" in done.stderr


def test_apply_republishes_before_it_settles(queue: Queue) -> None:
    """Everything is published again as it was, and only then settled; a second run finds nothing."""
    for document in DOCUMENTS:
        queue.give_up(document, origin="scc")

    done = queue.told("--apply")
    received = queue.emulator.pull(queue.topology.outcome_subscription, count=3)

    assert len(done) == 3
    assert sorted(one.data for one in received) == sorted(data(document) for document in DOCUMENTS)
    assert [one.attributes for one in received] == [{"origin": "scc", "redrive": "1"}] * 3
    assert queue.told("--apply") == []
    assert not queue.arrived


def test_a_second_death_counts_the_redrives(queue: Queue) -> None:
    """A message that dies again says how often it was redriven."""
    queue.give_up(DOCUMENTS[0], redrive="2")
    (told,) = queue.told("--apply")
    (received,) = queue.emulator.pull(queue.topology.outcome_subscription)
    assert (told["redrive"], received.attributes) == (3, {"redrive": "3"})


def test_copies_are_published_only_once(queue: Queue) -> None:
    """Pub/Sub may give up on one message twice; it is published once, and both are settled."""
    queue.give_up(DOCUMENTS[0])
    queue.give_up(DOCUMENTS[0])
    (told,) = queue.told("--apply")
    queue.emulator.pull(queue.topology.outcome_subscription)
    assert (told["copies"], queue.told(), queue.arrived) == (2, [], False)


def test_the_limit_leaves_the_others(queue: Queue) -> None:
    """So many at a time; the others stay."""
    for document in DOCUMENTS:
        queue.give_up(document)
    assert (len(queue.told("--apply", "--limit", "2")), len(queue.told())) == (2, 1)


def test_junk_and_heartbeats(queue: Queue) -> None:
    """Neither is published again. A heartbeat is settled, junk only if that is asked for."""
    queue.give_up(b"junk")
    queue.give_up(MESSAGE)
    assert {item["fate"] for item in queue.told("--apply")} == {"junk", "old_heartbeat"}
    refused = queue.redrive("--discard-junk")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--discard-junk settles messages: give --apply with it" in refused.stderr
    assert [item["fate"] for item in queue.told()] == ["junk"]
    assert [item["fate"] for item in queue.told("--apply", "--discard-junk")] == ["junk"]
    assert (queue.told(), queue.arrived) == ([], False)


def test_an_unpublished_message_returns_at_once(queue: Queue) -> None:
    """Where it cannot be published it is not settled: it is there again at once."""
    queue.give_up(DOCUMENTS[0])
    done = queue.redrive("--apply", topic="projects/example-project/topics/none")
    assert done.returncode == 1
    assert "not_published" in done.stdout
    assert "pubsub_not_found" in done.stdout
    assert [item["fate"] for item in queue.told()] == ["delivered_again"]


def test_a_store_foretells_each_fate(queue: Queue, tmp_path: Path) -> None:
    """With the store, it tells what each message's case will make of it, and why it was given up on."""
    store = open_store(str(tmp_path / "journal.db"))
    journal = Journal(store, utc_now)
    done, left = (journal.claim(parse_notification(document)).case for document in DOCUMENTS[:2])
    assert done is not None
    assert left is not None
    done.close(CaseState.DONE, "done")
    left.release("kubernetes_unavailable")
    store.close()
    for document in DOCUMENTS:
        queue.give_up(document)

    told = {item["finding"]: (item["fate"], item["reason"]) for item in queue.told("--store", tmp_path / "journal.db")}

    names = [parse_notification(document).name for document in DOCUMENTS]
    assert told == {
        names[0]: ("duplicate", "done"),
        names[1]: ("resumed", "kubernetes_unavailable"),
        names[2]: ("claimed", ""),
    }


def test_no_such_store(queue: Queue, tmp_path: Path) -> None:
    """A store that is not there is wrong use; what was pulled is given back at once."""
    queue.give_up(DOCUMENTS[0])
    done = queue.redrive("--store", tmp_path / "none.db")
    assert (done.returncode, "there is no such file" in done.stderr) == (2, True)
    assert len(queue.told()) == 1


WRONG = [
    pytest.param(
        ("--subscription", "projects/p/subscriptions/s", "--topic", "projects/p/topics/t", "--discard-junk"),
        "--discard-junk settles messages: give --apply with it",
        id="discard-without-apply",
    ),
    pytest.param(("--subscription", "dead", "--topic", "projects/p/topics/t"), "projects/P/subscriptions/S", id="name"),
    pytest.param(("--subscription", "projects/p/subscriptions/s", "--topic", "t"), "projects/P/topics/T", id="topic"),
    pytest.param(
        ("--subscription", "projects/p/subscriptions/s", "--topic", "projects/p/topics/t", "--limit", "0"),
        "a number from 1",
        id="limit",
    ),
    pytest.param(("--topic", "projects/p/topics/t"), "--subscription", id="no-subscription"),
]


@pytest.mark.parametrize(("options", "complaint"), WRONG)
def test_wrong_use_asks_nothing_of_pubsub(options: tuple[str, ...], complaint: str) -> None:
    """It is refused before anything is asked of Pub/Sub."""
    done = called("redrive", *options, PUBSUB_EMULATOR_HOST="127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr


def test_no_such_subscription(queue: Queue) -> None:
    """A subscription that is not there is named by what Pub/Sub says."""
    queue.dead = "projects/example-project/subscriptions/none"
    done = queue.redrive()
    assert (done.returncode, done.stdout) == (2, "")
    assert "none" in done.stderr


def discard(server: SubscriberServer) -> subprocess.CompletedProcess[str]:
    """Settle all junk."""
    names = (
        "--subscription",
        "projects/example-project/subscriptions/dead",
        "--topic",
        "projects/example-project/topics/t",
    )
    return called(
        "redrive", *names, "--apply", "--discard-junk", "--limit", "10000", PUBSUB_EMULATOR_HOST=server.endpoint
    )


def test_a_failed_settlement_is_reported() -> None:
    """Where junk cannot be settled, what stays is given back at once all the same, and the failure is told."""
    document = data(notification("reverse_shell", finding_id="f"))
    with SubscriberServer([*(f"junk {number}".encode() for number in range(250)), document]) as server:
        server.refused_after = 100
        topic_is_not_served = discard(server)
        assert topic_is_not_served.returncode == 2
        assert "projects/example-project/subscriptions/dead: " in topic_is_not_served.stderr
        assert "Traceback" not in topic_is_not_served.stderr
        assert len(server.acknowledged) == 100
        assert server.released == [f"{250:0>200}"]


def test_not_in_the_clear() -> None:
    """Nothing but this machine is spoken to without TLS."""
    done = called(
        "redrive",
        *("--subscription", "projects/p/subscriptions/s", "--topic", "projects/p/topics/t"),
        PUBSUB_EMULATOR_HOST="192.0.2.1:8085",
    )
    assert (done.returncode, "PUBSUB_EMULATOR_HOST" in done.stderr) == (2, True)
