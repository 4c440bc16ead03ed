"""A sweep says once a day whether findings are still sent, by the real client, and how long ago the last one was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from google.cloud.securitycenter_v2.types import NotificationConfig as StoredConfig

from scc_responder.domain.resource_names import NotificationConfig
from scc_responder.pipeline.later.feed_check import FEED_KEY, FeedState, check_feed
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE
from tests.kits.google.grpc_servers import Fault, SecurityCenterServer
from tests.kits.responder import Deployment, deployed, finding_about, policy

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MADE = NotificationConfig(
    name="organizations/123/locations/global/notificationConfigs/scc-responder",
    pubsub_topic="projects/example-project/topics/scc-responder-findings",
    filter='state = "ACTIVE" AND finding_class = "THREAT" AND -mute = "MUTED"',
)


def stored(**changes: str) -> StoredConfig:
    """The config as Security Command Center has it."""
    fields = {**msgspec.structs.asdict(MADE), **changes}
    return StoredConfig(
        name=fields["name"],
        pubsub_topic=fields["pubsub_topic"],
        streaming_config=StoredConfig.StreamingConfig(filter=fields["filter"]),
    )


@pytest.fixture
def server() -> Iterator[SecurityCenterServer]:
    with SecurityCenterServer() as made:
        made.configs[MADE.name] = stored()
        yield made


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster, server: SecurityCenterServer) -> Deployment:
    setting = msgspec.json.encode(MADE).decode()
    made = deployed(tmp_path, cluster, policy("label_pod"), notification_config=setting, scc_endpoint=server.endpoint)
    made.set_clock(lambda: NOON)
    return made


def checked(deployment: Deployment, *, days: float = 0, newest: datetime | None = None) -> dict[str, Any]:
    """The line of a check at so many days after noon; nothing where none was written."""
    deployment.lines.clear()
    deployment.set_clock(lambda: NOON + timedelta(days=days))
    check_feed(deployment.services, newest)
    assert len(deployment.lines) < 2
    return deployment.lines[0] if deployment.lines else {}


def told(line: dict[str, Any]) -> tuple[str, str, int]:
    return line["logging.googleapis.com/labels"]["reason"], line["severity"], line["days_without_finding"]


def test_what_is_as_it_was_made_is_told_once_a_day(deployment: Deployment) -> None:
    """The first sweep of a day says so, and no other of that day."""
    assert told(checked(deployment)) == ("config_as_made", "INFO", 0)
    assert checked(deployment, days=0.4) == {}
    assert told(checked(deployment, days=0.6)) == ("config_as_made", "INFO", 0)


@pytest.mark.parametrize("field", ["pubsub_topic", "filter"])
def test_a_change_is_told_with_what_was_made(deployment: Deployment, server: SecurityCenterServer, field: str) -> None:
    """It stands beside what is there now, every day until it is mended."""
    server.configs[MADE.name] = stored(**{field: "other"})
    for day in (0, 1):
        line = checked(deployment, days=day)
        assert told(line)[:2] == ("config_changed", "ERROR")
        assert line["differs"] == {field: {"made": getattr(MADE, field), "found": "other"}}


def test_a_removed_config_is_a_change(deployment: Deployment, server: SecurityCenterServer) -> None:
    """Nothing is sent at all then."""
    del server.configs[MADE.name]
    line = checked(deployment)
    assert told(line)[:2] == ("config_changed", "ERROR")
    assert "not found" in line["error"]


def test_a_config_that_may_not_be_read_is_told(deployment: Deployment, server: SecurityCenterServer) -> None:
    """Nobody knows then: the line names the permission."""
    server.granted = {"securitycenter.findings.list"}
    line = checked(deployment)
    assert told(line)[:2] == ("config_unread", "ERROR")
    assert "securitycenter.notificationconfig.get" in line["error"]


def test_no_answer_is_asked_for_again(deployment: Deployment, server: SecurityCenterServer) -> None:
    """An outage is nobody's change: the next sweep of the same day asks again."""
    server.faults.append(Fault(code=grpc.StatusCode.UNAVAILABLE))
    assert checked(deployment) == {}
    assert told(checked(deployment)) == ("config_as_made", "INFO", 0)


def test_days_count_from_the_last_finding(deployment: Deployment) -> None:
    """From the first sweep on where there was none; an older one takes nothing back, nor does one of the future."""
    assert told(checked(deployment))[2] == 0
    assert told(checked(deployment, days=20))[2] == 20
    assert told(checked(deployment, days=21, newest=NOON + timedelta(days=19)))[2] == 2
    assert told(checked(deployment, days=22, newest=NOON))[2] == 3
    assert told(checked(deployment, days=23, newest=NOON + timedelta(days=99)))[2] == 0
    assert told(checked(deployment, days=24))[2] == 1


def test_a_record_that_makes_no_sense_is_begun_anew(deployment: Deployment) -> None:
    """It hides nothing."""
    deployment.services.store.create(FEED_KEY, b"\xff")
    assert told(checked(deployment)) == ("config_as_made", "INFO", 0)
    entry = deployment.services.store.get(FEED_KEY)
    assert entry is not None
    assert msgspec.json.decode(entry.value, type=FeedState) == FeedState(newest=NOON, checked=NOON.date())


def test_without_the_setting_nothing_is_asked(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A deployment that does not know what was made compares nothing."""
    made = deployed(tmp_path, cluster, policy("label_pod"))
    check_feed(made.services, NOON)
    assert (made.lines, made.services.store.get(FEED_KEY)) == ([], None)


def test_a_sweep_counts_from_the_findings_that_it_meets(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], server: SecurityCenterServer
) -> None:
    """The newest counts; one that Security Command Center does not know was sent by somebody else."""
    at = datetime.fromisoformat(finding_about(pod)["finding"]["eventTime"])
    deployment.set_clock(lambda: at + timedelta(minutes=1))
    known = finding_about(pod, finding_id="a" * 32)
    assert deployment.respond_to(known).status == 204
    forged = finding_about(pod, finding_id="b" * 32, finding={"eventTime": (at + timedelta(days=3)).isoformat()})
    deployment.set_clock(lambda: at + timedelta(days=3, hours=2))
    while deployment.deliver(forged).status == 503:
        deployment.set_clock(lambda: at + timedelta(days=5))
    assert deployment.case(forged).state == "rejected"
    deployment.lines.clear()
    deployment.set_clock(lambda: at + timedelta(days=6, hours=1))
    sweep(HERE, "127.0.0.1", deployment.services)
    assert [told(line) for line in deployment.lines if "days_without_finding" in line] == [
        ("config_as_made", "INFO", 6)
    ]
