"""The shipped policies on a local Cloud Run, from the push of a finding to what a person approves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from google.cloud.run_v2.types import TrafficTargetAllocationType as Allocation

from scc_responder.policy.guardrails import GUARDRAILS_FILE
from scc_responder.policy.policy_set import policy_paths
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import BAD, GOOD, RunDeployment, escape, run_deployed
from tests.kits.google.cloud_run.samples import CHECKOUT
from tests.kits.responder import SHIPPED

MALWARE = "Execution: Added Malicious Binary Executed"
PLAN = ["roll_back_service", "cut_ingress", "scale_to_zero"]
RAILS = (SHIPPED / GUARDRAILS_FILE).read_text()
REVISION = Allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
CONTAIN = "name: contain-cloud-run-malware\n"


def texts(*, raised: bool = False) -> list[str]:
    """The shipped policies for Cloud Run; `raised`: the one that only rolls back enforces."""
    shipped = [path.read_text() for path in policy_paths(SHIPPED) if "cloud-run" in path.name]
    enforced = [text.replace("mode: approve", "mode: enforce") if CONTAIN in text else text for text in shipped]
    return enforced if raised else shipped


@contextmanager
def deployed(
    folder: Path, cluster: SimulatedCluster, *, raised: bool = False, rails: str = RAILS
) -> Iterator[RunDeployment]:
    with run_deployed(folder, cluster, *texts(raised=raised), guardrails=rails) as made:
        yield made


def waiting(running: RunDeployment, document: dict[str, Any]) -> list[str]:
    """The actions of the plan that waits."""
    plan = running.case(document).plan
    return [step.action for step in plan.steps] if plan and running.case(document).state == "waiting" else []


def is_down(running: RunDeployment) -> bool:
    """Whether the service is closed and has no instance."""
    service = running.world.services[CHECKOUT]
    return service.ingress.name == "INGRESS_TRAFFIC_INTERNAL_ONLY" and service.scaling.manual_instance_count == 0


def test_an_escape_is_contained_by_one_approval(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Evidence at once; then one plan, which rolls back, cuts and scales to zero, and is read back."""
    with deployed(tmp_path, cluster) as running:
        document = escape()
        running.respond_to(document)
        assert "capture_evidence: captured" in running.outcomes(document)
        assert (waiting(running, document), running.writes(), running.served()) == (PLAN, [], {BAD: 100})
        assert running.answer(document).reason == "done"
        assert (running.served(), running.writes(), is_down(running)) == ({GOOD: 100}, ["UpdateService"] * 3, True)
        assert running.case(document).state == "done"


def test_malware_asks_for_the_rollback_first(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Two policies, one plan; the latest revision cannot be deleted, which is said and stops nothing."""
    with deployed(tmp_path, cluster) as running:
        document = escape(category=MALWARE)
        running.respond_to(document)
        assert waiting(running, document) == PLAN
        assert "delete_revision: revision_latest" in running.outcomes(document)
        running.answer(document)
        assert (running.served(), is_down(running)) == ({GOOD: 100}, True)


@pytest.mark.parametrize("lifted", [False, True], ids=["under the ceiling", "lifted"])
def test_a_raised_rollback_is_enforced_once_the_ceiling_is_lifted(
    tmp_path: Path, cluster: SimulatedCluster, lifted: bool
) -> None:
    """The rollback alone: what takes the service down goes on waiting for a person."""
    rails = RAILS.replace("      - roll_back_service\n", "") if lifted else RAILS
    with deployed(tmp_path, cluster, raised=True, rails=rails) as running:
        document = escape(category=MALWARE)
        running.respond_to(document)
        assert running.served() == ({GOOD: 100} if lifted else {BAD: 100})
        assert waiting(running, document) == (PLAN[1:] if lifted else PLAN)
        assert not is_down(running)
        assert running.answer(document).status == 204
        assert (running.served(), is_down(running)) == ({GOOD: 100}, True)


def test_a_tag_on_the_bad_revision_goes_in_one_plan(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The rollback takes its tag away; what was planned to go with the scaling is carried out all the same."""
    with deployed(tmp_path, cluster) as running:
        service = running.world.services[CHECKOUT]
        service.traffic.append({"type_": REVISION, "revision": BAD, "tag": "canary"})
        running.world.serve(service)
        document = escape()
        running.respond_to(document)
        assert waiting(running, document) == PLAN
        assert running.answer(document).reason == "done"
        tags = [item.tag for item in running.world.services[CHECKOUT].traffic if item.tag]
        assert (running.served(), tags, is_down(running)) == ({GOOD: 100}, [], True)
