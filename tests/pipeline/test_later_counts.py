"""After a change the instances are counted once more by a sweep, until a count is of after the change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scc_responder.adapters.google.cloud_monitoring import CloudMonitoring
from scc_responder.domain.clock import utc_now
from scc_responder.pipeline.later_counts import COUNT_NOTES, count_later
from scc_responder.pipeline.later_notes import ASKED_AFTER, MOST_TRIES
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import BAD, RunDeployment, run_deployed, run_policy
from tests.kits.google.monitoring_server import INSTANCES, MonitoringServer

ROLLS_BACK = run_policy("capture_evidence", "roll_back_service", "notify", mode="enforce")


@pytest.fixture
def running(tmp_path: Path, cluster: SimulatedCluster) -> Iterator[RunDeployment]:
    """A responder that rolls a service back."""
    with run_deployed(tmp_path, cluster, ROLLS_BACK) as made:
        yield made


@pytest.fixture
def monitoring(running: RunDeployment) -> Iterator[MonitoringServer]:
    """Cloud Monitoring at the responder's own time, which the responder asks."""
    with MonitoringServer(lambda: running.services.clock()) as server:  # noqa: PLW0108 - the clock is set anew
        metrics = CloudMonitoring(endpoint=server.endpoint)
        running.services.metrics = metrics
        yield server
        metrics.close()


def later(running: RunDeployment, wait: timedelta) -> int:
    """How many notes a sweep answers that much later."""
    now = utc_now() + wait
    running.set_clock(lambda: now)
    return count_later(running.services)


def counts(running: RunDeployment) -> list[str]:
    """What is stored of instances."""
    found = running.folder.glob("evidence/**/run-settings-*.json")
    return [text for path in found if '"instances"' in (text := path.read_text())]


def test_a_sweep_counts_until_the_count_is_new(running: RunDeployment, monitoring: MonitoringServer) -> None:
    """What was counted before the change is no answer; what comes then is added, and the note is gone."""
    now = utc_now()
    monitoring.count(INSTANCES, 2, now - timedelta(minutes=1), revision=BAD)
    running.escaped()
    assert len(counts(running)) == 2

    assert later(running, ASKED_AFTER - timedelta(seconds=30)) == 0
    assert later(running, ASKED_AFTER + timedelta(seconds=30)) == 0
    monitoring.count(INSTANCES, 0, now + timedelta(minutes=8), revision=BAD)
    assert later(running, ASKED_AFTER * 2.5) == 1
    assert len(counts(running)) == 3
    assert any('"value":0' in text.replace(" ", "") for text in counts(running))
    assert later(running, ASKED_AFTER * 4) == 0
    assert running.services.store.scan(COUNT_NOTES, limit=9).entries == ()


def test_a_count_that_never_comes_is_given_up(running: RunDeployment, monitoring: MonitoringServer) -> None:
    """After an hour of tries."""
    running.escaped()
    asked = [later(running, ASKED_AFTER * (number + 1.5)) for number in range(MOST_TRIES + 1)]
    assert asked == [0] * (MOST_TRIES - 1) + [1, 0]
    assert monitoring.requests
    assert len(counts(running)) == 2


def test_without_the_api_no_note_is_left(running: RunDeployment) -> None:
    """Nor is the store asked for any."""
    running.escaped()
    assert running.services.store.scan(COUNT_NOTES, limit=9).entries == ()
    assert later(running, ASKED_AFTER * 2) == 0
