"""What a sweep writes into a case has a line: no head of its hash chain is missing in the log."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from scc_responder.domain.clock import utc_now
from scc_responder.domain.finding import case_id
from scc_responder.intake.notification import parse_notification
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.bundle.case_statements import exported_statements
from scc_responder.workbench.bundle.chain_differences import chain_differences
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE
from tests.kits.responder import deployed, finding_about, policy


def test_a_plan_that_expires_leaves_no_gap(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """The line names the case, and both heads: of before the write and of after it."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", mode="approve"))
    document = finding_about(pod)
    deployment.respond_to(document)
    plan = deployment.case(document).plan
    assert plan is not None
    later = plan.expires_at + timedelta(seconds=1) - utc_now()
    deployment.set_clock(lambda: utc_now() + later)
    sweep(HERE, "127.0.0.1", deployment.services)
    waited, expired, _ = deployment.lines
    case = case_id(parse_notification(document).key)
    assert (expired["case"], expired["by"], expired["message"]) == (case, "sweep", "scc-responder: approval_expired")
    assert waited["chain_head"] == expired["chain_from"] != expired["chain_head"]
    said = exported_statements("\n".join(map(json.dumps, deployment.lines)).encode(), case)
    assert chain_differences(deployment.case(document), said) == ()
