"""A case of Cloud Run with the rights that are granted for its policies, and with each of them taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scc_responder.domain.permissions import RUN_OPERATION
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import (
    CHANGES_AS,
    GOOD,
    READS_AS,
    RunDeployment,
    escape,
    granted,
    run_deployed,
    run_policy,
)
from tests.kits.google.cloud_run.samples import IMAGE
from tests.kits.responder import write_policies
from tests.pipeline.test_cloud_run import shown

STEPS = ("capture_evidence", "roll_back_service", "cut_ingress", "remove_invokers")
POLICY = run_policy(*STEPS, mode="enforce")
OF_A_TAG = "run.revisions.get"
OF_A_SERVICE = ("run.revisions.list", "run.services.get", "run.services.getIamPolicy")
CHANGES = ("run.services.setIamPolicy", "run.services.update")


@pytest.fixture
def deployed(tmp_path: Path, cluster: SimulatedCluster) -> Iterator[RunDeployment]:
    """A deployment with two identities, each of which has what the module grants, and no more."""
    with run_deployed(tmp_path, cluster, POLICY) as made:
        yield made


def without(deployed: RunDeployment, missing: str) -> None:
    """Take a right away from whoever has it."""
    rights = deployed.server.rights
    deployed.server.rights = {who: {*held} - {missing} for who, held in rights.items()}


def test_a_case_needs_what_is_granted_and_no_more(deployed: RunDeployment) -> None:
    """Evidence, three changes and what they came to; each request is made by the identity that it is for."""
    document = escape()
    assert deployed.respond_to(document).status == 204
    assert (deployed.case(document).state, deployed.served()) == ("done", {GOOD: 100})
    changing = {method.partition("/")[2] for method, who in deployed.server.bearers if who == CHANGES_AS}
    reading = {method.partition("/")[2] for method, who in deployed.server.bearers if who == READS_AS}
    assert changing == {"UpdateService", "SetIamPolicy", "WaitOperation"}
    assert reading == {"GetService", "ListRevisions", "GetIamPolicy"}


def test_what_this_page_takes_away_is_all_that_is_granted(tmp_path: Path) -> None:
    """The tests below leave none out; those of jobs are not asked for by a finding about a service."""
    rights = granted(write_policies(tmp_path / "policies", POLICY))
    of_a_service = {name for name in rights[READS_AS] if not name.startswith(("run.jobs.", "run.executions."))}
    assert of_a_service == {*OF_A_SERVICE, OF_A_TAG}
    assert {*rights[CHANGES_AS]} == {*CHANGES, RUN_OPERATION}


@pytest.mark.parametrize("missing", [*OF_A_SERVICE, *CHANGES])
def test_each_right_that_is_taken_away_names_itself_in_the_case(deployed: RunDeployment, missing: str) -> None:
    """Where a person reads it; what could be done without it is done, and nothing is changed unread."""
    without(deployed, missing)
    document = escape()
    assert deployed.respond_to(document).status == 204
    assert deployed.case(document).state in {"held", "partial"}
    assert f"missing permission: {missing}" in shown(deployed, document)
    unread = missing in {"run.services.get", "run.revisions.list"}
    assert (deployed.writes() == []) is unread


def test_the_right_to_know_what_a_tag_stood_for_names_itself(deployed: RunDeployment) -> None:
    """It is asked for where an image has no digest; without it no revision is safe."""
    for item in deployed.world.revisions.values():
        item.containers[0].image = f"{IMAGE}:latest"
    deployed.digests.answers += [403] * 4
    document = escape()
    assert deployed.respond_to(document).status == 204
    told = shown(deployed, document)
    assert f"missing permission: {OF_A_TAG}" in told
    assert "digest_unknown" in told


def test_a_change_whose_end_may_not_be_seen_is_read_off_the_service(deployed: RunDeployment) -> None:
    """The log names the right; what was sent is sent once."""
    without(deployed, RUN_OPERATION)
    document = escape()
    assert deployed.respond_to(document).status == 503
    assert RUN_OPERATION in json.dumps(deployed.lines)
    deployed.respond_to(document)
    assert (deployed.case(document).state, deployed.served()) == ("done", {GOOD: 100})
    assert deployed.writes().count("UpdateService") == 2
