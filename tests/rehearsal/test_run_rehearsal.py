"""What Terraform would deploy contains an escape in Cloud Run once a person approves, with the shipped rights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.status import CaseState
from scc_responder.settings import read_settings
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.rehearsal.google_side import Response
from tests.rehearsal.local import ADDED, OF_CLOUD_RUN, REPLACED
from tests.rehearsal.run_stage import FUNCTION, MALWARE, RunStage, ServedRun, Victim
from tests.rehearsal.run_timeline import (
    COLD_MORE,
    FOR_EACH_CHANGE,
    MEGABYTES,
    REQUESTS,
    at_once,
    beside_asked,
    from_approval,
    made,
    until_told,
)
from tests.rehearsal.test_refusals import told
from tests.requirements import NOTE

pytestmark = pytest.mark.timeout(300)

PLAN = ("roll_back_service", "cut_ingress", "scale_to_zero")
OTHER_CHANGES = len(PLAN) - 1
BEFORE = [
    "capture_evidence: captured",
    *(f"{action}: waiting_for_approval" for action in PLAN),
    "capture_cloud_logs: captured",
    "notify: published",
]
AFTER = [
    "capture_evidence: captured",
    "roll_back_service: rolled_back",
    "cut_ingress: access_cut",
    "scale_to_zero: scaled_to_zero",
    "capture_cloud_logs: captured",
    "notify: published",
    "capture_evidence: captured",
    "notify: published",
]
"""What the shipped pack comes to about an escape: what it read, once more at the end, and both messages."""


def test_an_approved_escape_ends_contained(served_run: ServedRun, record_property: pytest.RecordProperty) -> None:
    """A finding published on Pub/Sub is kept and told of at once, and contained when it is approved at the function."""
    assert served_run.relay.deliveries == [], "the instance is not a new one"
    cold = until_told(waiting(served_run, served_run.stage.service()))
    victim, run = served_run.stage.service(), served_run.stage.run
    before = len(run.requests)
    response = waiting(served_run, victim)
    assert (response.steps, written(victim, run)) == (BEFORE, [])
    warm = until_told(response)

    done = served_run.approve(response)
    assert (done.returncode, "approval taken" in done.stdout) == (0, True), done
    assert (response.case.state, response.steps) == (CaseState.DONE, AFTER), response.log
    service = run.world.services[victim.name]
    assert [(each.revision, each.percent) for each in service.traffic_statuses] == [(victim.revision(1), 100)]
    assert written(victim, run) == ["UpdateService"] * len(PLAN)
    after = from_approval(response)
    requests, megabytes = made(run.requests[before:]), served_run.function.resident_megabytes()
    others = OTHER_CHANGES * FOR_EACH_CHANGE
    of_rollback = requests - others
    for text in (
        f"milliseconds from publish: {beside_asked(warm)}",
        f"the same by a new instance: {beside_asked(cold, COLD_MORE)}",
        f"milliseconds from approval: {beside_asked(after)}",
        f"requests to Cloud Run: {of_rollback} for the rollback with evidence (at most {REQUESTS}); others: {others}",
        f"resident megabytes: {megabytes:.0f} (at most {MEGABYTES})",
    ):
        record_property(NOTE, f"Rehearsal of Cloud Run, {text}.")
    assert [list(moments.values()) for moments in (warm, cold, after)] == [
        sorted(moments.values()) for moments in (warm, cold, after)
    ]
    assert of_rollback <= REQUESTS, run.requests[before:]
    assert megabytes <= MEGABYTES
    check_identities(served_run.stage, run.bearers[before:])


def test_malware_is_rolled_back_at_once(served_run: ServedRun, record_property: pytest.RecordProperty) -> None:
    """Where that policy is raised, as it says itself, nobody is asked; what is felt more waits for a person."""
    victim, run = served_run.stage.service(MALWARE), served_run.stage.run
    response = waiting(served_run, victim)
    case = response.case
    assert "roll_back_service: rolled_back" in response.steps, response.log
    assert "missing permission: run." not in told(response)
    assert written(victim, run) == ["UpdateService"]
    assert [each.revision for each in run.world.services[victim.name].traffic_statuses] == [victim.revision(1)]
    assert case.plan is not None
    assert [step.action for step in case.plan.steps] == ["cut_ingress", "scale_to_zero"]
    record_property(NOTE, f"Rehearsal of Cloud Run, milliseconds from publish: {beside_asked(at_once(response))}.")


def written(victim: Victim, run: CloudRunServer) -> list[str]:
    """The changes that were accepted of this service, by their methods."""
    return [method for method, name in run.world.writes if name == victim.name]


def check_identities(stage: RunStage, bearers: Sequence[tuple[str, str]]) -> None:
    """The function read, and another account changed, with a token that was minted for a quarter of an hour."""
    assert {method for method, token in bearers if token == FUNCTION} == {
        *("Services/GetService", "Services/GetIamPolicy", "Revisions/ListRevisions"),
    }
    assert {method for method, token in bearers if token != FUNCTION} == {
        *("Services/UpdateService", "Operations/WaitOperation"),
    }
    assert {*stage.credentials.asked} == {(stage.writer, FUNCTION, "900s")}


def waiting(served: ServedRun, victim: Victim) -> Response:
    """Publish the finding; its plan waits, or its case says why not."""
    response = served.respond(victim.document, until={*CaseState} - {CaseState.OPEN})
    assert response.case.state is CaseState.WAITING, (response.steps, response.log)
    assert f"scc-responder case approve {response.key[:12]} --plan" in str(response.log)
    return response


def test_every_setting_is_rendered_or_refused(run_stage: RunStage) -> None:
    """Every setting is the rendered one but those of the tables, each of which the function refuses on Cloud Run."""
    rendered, local = run_stage.rendered.environment, run_stage.environment
    changed = {name for name in rendered if local[name] != rendered[name]}
    assert changed == REPLACED.keys()
    for name in REPLACED.keys() | ADDED.keys() | OF_CLOUD_RUN.keys():
        with pytest.raises(SettingsError, match=name):
            read_settings({**rendered, name: local[name], "K_SERVICE": "scc-responder"}, Path("policies"))
