"""Whatever one permission of either identity is taken away, a rehearsal of Cloud Run ends with a case that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from scc_responder.domain.status import CaseState
from tests.counts import Cases
from tests.rehearsal.rendered import RUN_WRITER
from tests.rehearsal.run_stage import ESCAPE, MALWARE, PROJECT, RunStage, ServedRun, Victim
from tests.rehearsal.test_refusals import told
from tests.requirements import NOTE

pytestmark = pytest.mark.timeout(300)

MINTS = "iam.serviceAccounts.getAccessToken"
OPENED = "catalogue/event_threat_detection/cloud_run_services_set_iam_policy"


def escaped(stage: RunStage) -> Victim:
    """A service with an escape."""
    return stage.service()


def deployed_by_tag(stage: RunStage) -> Victim:
    """The same, whose images are named by tags."""
    victim = stage.service()
    for number in (1, 2):
        revision = stage.run.world.revisions[f"{victim.name}/revisions/{victim.revision(number)}"]
        revision.containers[0].image = revision.containers[0].image.partition("@")[0] + f":{number}"
    return victim


def retired(stage: RunStage) -> Victim:
    """A service with malware, whose newest revision is another one than the compromised."""
    return stage.service(MALWARE, later="c")


def opened(stage: RunStage) -> Victim:
    """A service that was opened to anyone, and an escape in it within the hour."""
    victim = stage.service(OPENED)
    stage.found(victim.name, ESCAPE, "b")
    return victim


def in_a_job(stage: RunStage) -> Victim:
    """A job with an escape."""
    return stage.job()


READ: dict[str, Callable[[RunStage], Victim]] = {
    "run.services.get": escaped,
    "run.services.getIamPolicy": escaped,
    "run.revisions.list": escaped,
    "run.revisions.get": deployed_by_tag,
    "run.jobs.get": in_a_job,
    "run.jobs.getIamPolicy": in_a_job,
    "run.executions.list": in_a_job,
    "logging.logEntries.list": escaped,
    "monitoring.timeSeries.list": escaped,
}
CHANGED: dict[str, Callable[[RunStage], Victim]] = {
    MINTS: escaped,
    "run.services.update": escaped,
    "run.services.setIamPolicy": opened,
    "run.revisions.delete": retired,
    "run.executions.cancel": in_a_job,
    "run.operations.get": escaped,
}
ALL = READ | CHANGED
FEW = (MINTS, "run.services.get", "run.services.update")
TAKEN = Cases("permissions of Cloud Run taken away in a rehearsal", FEW, tuple(ALL))
OTHER_WORDS = {
    "monitoring.timeSeries.list": "monitoring_permission_denied (monitoring.timeSeries.list)",
    "run.operations.get": "Permission 'run.operations.get' denied",
}
"""A count that is unknown is no failure. Whether a change has ended is looked at again by the sweep."""

NOTHING_DONE = {"run.revisions.list", "run.services.get", "run.services.update", MINTS}
"""Without one of these the service stays as it is."""

UNASKED = {"run.executions.get", "logging.privateLogEntries.list"}
"""Of an execution that is not among those listed; and no answer of a log says what it leaves out."""


@pytest.fixture
def quick(served_run: ServedRun) -> Iterator[ServedRun]:
    """The function before a Cloud Run that is quick: what is missing does not depend on it."""
    world = served_run.stage.run.world
    world.reconcile_seconds, before = 0.05, world.reconcile_seconds
    yield served_run
    world.reconcile_seconds = before


@pytest.mark.parametrize("taken", TAKEN.chosen)
def test_each_missing_permission_is_named(quick: ServedRun, taken: str) -> None:
    """The case or the log names it, and a change that was not made or not seen to end is not said to be done."""
    quick.stage.grant(without=taken)
    if taken == MINTS and quick.relay.deliveries:
        quick.restart()  # an instance keeps the token that it was given
    victim = ALL[taken](quick.stage)
    response = quick.respond(victim.document, until={*CaseState} - {CaseState.OPEN})
    if response.case.state is CaseState.WAITING:
        quick.approve(response)

    wanted = OTHER_WORDS.get(taken, f"missing permission: {taken}")
    assert wanted in told(response), (response.steps, response.log)
    assert taken not in NOTHING_DONE or victim.name not in [name for _, name in quick.stage.run.world.writes]
    assert taken in READ or response.case.state is not CaseState.DONE, response.steps


def test_every_right_is_taken_once(run_stage: RunStage, record_property: pytest.RecordProperty) -> None:
    """Each that Terraform rendered for Cloud Run, but those that no answer of it depends on here."""
    held = run_stage.rendered.held()
    rendered = {*held[f"project/{PROJECT}"], *held[f"identity/{run_stage.writer}"]}
    rendered |= run_stage.rendered.held(identity=RUN_WRITER)[f"project/{PROJECT}"]
    assert {name for name in rendered if not name.startswith("container.")} == {*ALL, *UNASKED}
    asserted = ", ".join(sorted(UNASKED))
    record_property(NOTE, f"Rehearsal of Cloud Run, only asserted on what Terraform rendered: {asserted}.")
