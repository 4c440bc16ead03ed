"""What the pages tell people to do about a held case does it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.cli.main import main
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE
from tests.kits.responder import Deployment, deployed, finding_about, policy

PAGE = (Path(__file__).parents[3] / "terraform/docs/on-call-reference.md").read_text()
WAYS = [
    Reason.CLUSTER_ENDPOINT_PRIVATE,
    Reason.CONNECT_GATEWAY_OFF,
    Reason.NO_REACHABLE_ENDPOINT,
    Reason.NO_CLUSTER_AUTHORITY,
    Reason.CLUSTER_NOT_FOUND,
]


def resumed(deployment: Deployment, document: dict[str, Any], tmp_path: Path) -> None:
    """`case resume CASE --apply`, and the next sweep."""
    case, store = deployment.case(document).finding_key[:12], f"sqlite:///{tmp_path / 'journal.db'}"
    assert main(["case", "resume", case, "--apply", "--store", store]) == 0
    sweep(HERE, "127.0.0.1", deployment.services)


@pytest.mark.parametrize("reason", WAYS)
@pytest.mark.parametrize("is_asked", [True, False], ids=["asked", "by itself"])
def test_a_way_that_is_open_again_is_taken(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], reason: Reason, *, is_asked: bool
) -> None:
    """The page says: open one, and a sweep goes on by itself, or at once as a person asks."""
    (line,) = (line for line in PAGE.splitlines() if line.startswith("|") and f"`{reason}`" in line.split("|")[1])
    assert "case resume CASE --apply" in line
    assert "redrive" not in line
    deployment, document = deployed(tmp_path, cluster, policy("isolate_pod")), finding_about(pod)
    connect = deployment.clusters.connect

    def shut(_ref: object) -> Any:
        raise ApiError(reason, "no way")

    vars(deployment.clusters)["connect"] = shut
    deployment.respond_to(document)
    assert deployment.case(document).state == "held"
    vars(deployment.clusters)["connect"] = connect
    if is_asked:
        resumed(deployment, document, tmp_path)
    else:
        deployment.set_clock(lambda: utc_now() + timedelta(minutes=20))
        sweep(HERE, "127.0.0.1", deployment.services)
    assert (deployment.case(document).state, len(cluster.objects("NetworkPolicy"))) == ("done", 1)
