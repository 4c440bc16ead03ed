"""What cannot be undone on Cloud Run, from the push to the record: done once, after evidence, and last."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import (
    BAD,
    GOOD,
    RunDeployment,
    aged_world,
    escape,
    job_escape,
    run_deployed,
    run_policy,
    superseded_world,
)
from tests.kits.google.cloud_run.samples import CHECKOUT, NIGHTLY
from tests.kits.google.cloud_run.world import World

DELETION = ("capture_evidence", "roll_back_service", "delete_revision", "notify")
BAD_PATH = f"{CHECKOUT}/revisions/{BAD}"


def outcomes(running: RunDeployment, document: dict[str, Any]) -> list[str]:
    """The steps that change something, as `action: reason`."""
    named = running.outcomes(document)
    return [each for each in named if not each.startswith(("capture_evidence", "notify"))]


def test_a_revision_is_deleted_once_it_is_rolled_back(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """One plan has both; it counts as contained since the rollback."""
    with run_deployed(tmp_path, cluster, run_policy(*DELETION), world=superseded_world()) as running:
        document = escape()
        running.respond_to(document)
        plan = running.case(document).plan
        assert plan is not None
        assert [step.action for step in plan.steps] == ["roll_back_service", "delete_revision"]
        assert running.answer(document).reason == "done"
        record = running.case(document)
        assert outcomes(running, document) == ["roll_back_service: rolled_back", "delete_revision: revision_deleted"]
        assert (record.state, running.writes(), running.served()) == (
            "done",
            ["UpdateService", "DeleteRevision"],
            {GOOD: 100},
        )
        since = {step.action: step.contained_at for step in record.steps if step.contained_at}
        closed = running.published.messages[-1]
        assert closed["contained_seconds"] == round((since["roll_back_service"] - record.event_time).total_seconds(), 3)


def test_a_revision_that_still_serves_is_kept(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The rollback finds no safe revision: what would follow it is not sent, and the case says why."""
    world = superseded_world()
    del world.revisions[f"{CHECKOUT}/revisions/{GOOD}"]
    with run_deployed(tmp_path, cluster, run_policy(*DELETION), world=world) as running:
        document = escape()
        running.respond_to(document)
        running.answer(document)
        assert outcomes(running, document) == [
            "roll_back_service: no_safe_revision",
            "delete_revision: revision_served",
        ]
        assert (running.case(document).state, running.writes()) == ("held", [])


def test_the_latest_revision_is_asked_of_nobody(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The rollback waits for a person; the deletion is held from the first."""
    with run_deployed(tmp_path, cluster, run_policy(*DELETION)) as running:
        document = escape()
        running.respond_to(document)
        plan = running.case(document).plan
        assert plan is not None
        assert [step.action for step in plan.steps] == ["roll_back_service"]
        assert "delete_revision: revision_latest" in outcomes(running, document)


class End(NamedTuple):
    """An action that cannot be undone, its write, and what it says the first time, and to a second finding."""

    action: str
    method: str
    world: Callable[[], World]
    reason: str
    again: str

    def __str__(self) -> str:
        return self.action

    @property
    def request(self) -> str:
        """The method of the API's client that writes."""
        return "update_service" if self.action == "restart_service" else self.action

    @property
    def look(self) -> str:
        """The method of the API's client that reads it."""
        return {"cancel_execution": "get_execution", "delete_revision": "get_revision"}.get(self.action, "get_service")

    @property
    def policy(self) -> str:
        """One that carries it out at once."""
        before = ["roll_back_service"] if self.action == "delete_revision" else []
        return run_policy("capture_evidence", *before, self.action, mode="enforce")

    def finding(self, finding_id: str = "a" * 32) -> dict[str, Any]:
        """A finding, of now, that it answers."""
        document = job_escape() if self.action == "cancel_execution" else escape()
        own = document["finding"]["name"].rpartition("/")[2]
        return dict(json.loads(json.dumps(document).replace(own, finding_id)))


ENDS = [
    End("cancel_execution", "CancelExecution", aged_world, "execution_cancelled", "execution_ended"),
    End("delete_revision", "DeleteRevision", superseded_world, "revision_deleted", "revision_gone"),
    End("restart_service", "UpdateService", aged_world, "service_restarted", "already_restarted"),
]
each_end = pytest.mark.parametrize("end", ENDS, ids=str)


@each_end
def test_two_findings_of_one_moment_end_it_once(tmp_path: Path, cluster: SimulatedCluster, end: End) -> None:
    """The second case finds nothing left to end."""
    with run_deployed(tmp_path, cluster, end.policy, world=end.world()) as running:
        documents = [(end.finding(letter * 32), letter * 32) for letter in "ab"]
        for (document, finding_id), expected in zip(documents, (end.reason, end.again), strict=True):
            running.list_finding(document, finding_id)
            running.deliver(document)
            assert outcomes(running, document)[-1] == f"{end.action}: {expected}"
        assert running.writes().count(end.method) == 1


@each_end
def test_an_end_that_takes_long_is_resumed_by_a_sweep(tmp_path: Path, cluster: SimulatedCluster, end: End) -> None:
    """It is read back, not sent again, and it stays one step of the case."""
    with run_deployed(tmp_path, cluster, end.policy, world=end.world()) as running:
        document = end.finding()
        running.list_finding(document, "a" * 32)
        delayed(running, end.method)
        assert (running.deliver(document).status, running.case(document).reason) == (503, "reconciling")
        for each in running.world.pending:
            each.due = 0
        running.sweep()
        record = running.case(document)
        assert (record.state, running.writes().count(end.method)) == ("done", 1)
        assert [step.action for step in record.steps].count(end.action) == 1
        assert outcomes(running, document)[-1].removeprefix(f"{end.action}: ") in {end.reason, "done_before"}


def delayed(running: RunDeployment, method: str) -> None:
    """Let what this method asks for take longer than a delivery."""
    api: Any = running.services.run
    wait = api.wait_operation

    def slow(name: str, seconds: float) -> Any:
        if running.writes()[-1] != method:
            return wait(name, seconds)
        for each in running.world.pending:
            each.due += 3600
        return wait(name, 0.05)

    vars(api)["wait_operation"] = slow


class Killed(BaseException):
    """The process ends: nothing catches it."""


def killed(running: RunDeployment, method: str, end: End, *, after: bool) -> None:
    """Let the process end before the next request of this method, or once it is answered; a wait, that for the end."""
    api: Any = running.services.run
    send = getattr(api, method)

    def ended(*parts: Any, **named: Any) -> Any:
        if method == "wait_operation" and end.method not in running.writes():
            return send(*parts, **named)
        vars(api).pop(method)
        if after:
            send(*parts, **named)
        raise Killed

    vars(api)[method] = ended


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", ["write", "wait", "look"])
@each_end
def test_a_crash_at_any_request_doubles_nothing(
    tmp_path: Path, cluster: SimulatedCluster, end: End, at: str, *, after: bool
) -> None:
    """The next delivery finishes it, by what is there: it is written once, and is one step."""
    with run_deployed(tmp_path, cluster, end.policy, world=end.world(), LEASE_SECONDS="0") as running:
        document = end.finding()
        running.list_finding(document, "a" * 32)
        killed(running, {"wait": "wait_operation", "write": end.request, "look": end.look}[at], end, after=after)
        with suppress(Killed):
            running.deliver(document)
        running.deliver(document)
        record = running.case(document)
        assert (record.state, running.writes().count(end.method)) == ("done", 1)
        assert [step.action for step in record.steps].count(end.action) == 1
        assert outcomes(running, document)[-1].removeprefix(f"{end.action}: ") in {end.reason, "done_before"}


def test_the_job_stays_and_the_case_says_how_it_is_deleted(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Its next start runs the same image again: deleting it is a person's."""
    with run_deployed(tmp_path, cluster, run_policy("capture_evidence", "cancel_execution", "notify")) as running:
        document = job_escape()
        running.respond_to(document)
        running.answer(document)
        (step,) = [item for item in running.case(document).steps if item.action == "cancel_execution"]
        assert step.detail.endswith("gcloud run jobs delete nightly --region europe-west1 --project example-project")
        assert NIGHTLY in running.world.jobs
