"""After a change the instances are counted once more by a sweep, until a count is of after the change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.adapters.google.cloud_monitoring import CloudMonitoring
from scc_responder.cli.case import case_text
from scc_responder.domain.clock import utc_now
from scc_responder.domain.reasons import Reason
from scc_responder.journal.account.manifest_names import manifests_of
from scc_responder.journal.contained import instances_unknown, not_contained
from scc_responder.journal.journal import Transition
from scc_responder.pipeline.later.later_counts import COUNT_NOTES, count_later
from scc_responder.pipeline.later.later_notes import ASKED_AFTER, MOST_TRIES
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


@pytest.mark.parametrize(("counted", "reason"), [(0, "captured"), (2, "instances_left")])
def test_the_case_says_what_runs_since_the_change(
    running: RunDeployment, monitoring: MonitoringServer, counted: int, reason: str
) -> None:
    """With the manifests of both captures; while instances still run, the case is not contained."""
    document = running.escaped()
    before = running.case(document)
    (told,) = running.published.messages
    assert (told["instances_unknown"], "not_contained" in told) == ("metrics_before_change", False)
    monitoring.count(INSTANCES, counted, utc_now() + timedelta(minutes=4), revision=BAD)
    assert later(running, ASKED_AFTER * 1.5) == 1

    after = running.case(document)
    assert (after.steps[-1].reason, after.state, len(after.steps)) == (reason, before.state, len(before.steps))
    assert f"{counted} instances" in after.steps[-1].detail
    assert manifests_of(after)[:-1] == manifests_of(before)
    assert len(manifests_of(after)) == 3
    assert bool([*not_contained(after)]) == (reason == "instances_left")
    assert instances_unknown(before, "") == "no_points"
    assert instances_unknown(after, "") == ""
    notices = [(told["attributes"]["reason"], told["not_contained"]) for told in running.published.messages[1:]]
    assert notices == ([("instances_left", ["instances of the revision still run"])] if counted else [])
    assert all(
        "contained_seconds" not in told and "2 instances" in told["error"] for told in running.published.messages[1:]
    )


def test_the_message_says_why_no_instances_are_counted(running: RunDeployment) -> None:
    """Where nobody may ask Cloud Monitoring, the case says so too, and no later count comes."""
    document = running.escaped()
    assert running.published.messages[-1]["instances_unknown"] == "no_cloud_monitoring"
    record = running.case(document)
    assert (instances_unknown(record, ""), later(running, ASKED_AFTER * 2)) == ("no_cloud_monitoring", 0)
    shown = "\n".join(case_text.case(record, utc_now()))
    assert "whether instances of the revision still run: no_cloud_monitoring" in shown


def test_a_case_that_is_worked_on_is_told_later(running: RunDeployment, monitoring: MonitoringServer) -> None:
    """Nobody writes into a case that another has."""
    document = running.escaped()
    monitoring.count(INSTANCES, 0, utc_now() + timedelta(minutes=4), revision=BAD)
    key = running.case(document).finding_key
    now = utc_now() + ASKED_AFTER * 1.5
    running.set_clock(lambda: now)
    running.services.journal.apply(key, lambda record, _: Transition(**TAKEN, record=replace(record, state="open")))
    assert count_later(running.services) == 0
    assert "0 instances" not in running.case(document).steps[-1].detail


TAKEN: dict[str, Any] = {"reason": Reason.RESUMED, "status": 204, "starts": True}


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
