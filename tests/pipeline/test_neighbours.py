"""Related findings of whatever origin: only another threat of a listed source may turn an isolation into a deletion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.google.security_center import SecurityCenter
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.google.grpc_servers import SecurityCenterServer, item
from tests.kits.responder import SHIPPED, SOURCE, Deployment, api_of, finding_about, raised

Object = dict[str, Any]
CTD = "catalogue/container_threat_detection"
MINER = f"{CTD}/suspicious_crypto_mining_activity_using_stratum_protocol"
MALWARE = f"{CTD}/added_malicious_binary_executed"


@pytest.fixture
def deployment(
    tmp_path: Path, cluster: SimulatedCluster, security_center: SecurityCenterServer
) -> Iterator[Deployment]:
    """The responder with the shipped policies about miners, which act, and the client of Security Command Center."""
    folder = tmp_path / "policies"
    folder.mkdir()
    for path in (SHIPPED / "guardrails.yaml", *SHIPPED.glob("*miner.yaml"), *SHIPPED.glob("*mining.yaml")):
        (folder / path.name).write_text(raised(path.read_text()))
    deployment = Deployment(tmp_path, api_of(cluster), folder)
    client = SecurityCenter(sources=deployment.services.settings.sources, endpoint=security_center.endpoint)
    deployment.services.findings = client
    yield deployment
    client.close()


def of_source(document: Object, source: str) -> Object:
    """The finding as one of another source, which says that it is the same detector's."""
    moved: Object = json.loads(json.dumps(document).replace(SOURCE, source))
    return moved


NEIGHBOURS = {
    "a listed one": ({}, SOURCE, True),
    "of a scanner": ({}, "9" * 19, False),
    "of a source whose number begins like a listed one": ({}, f"{SOURCE}9", False),
    "of a source whose number ends like a listed one": ({}, f"9{SOURCE[1:]}", False),
    "no threat": ({"findingClass": "VULNERABILITY"}, SOURCE, False),
    "muted": ({"mute": "MUTED"}, SOURCE, False),
    "inactive": ({"state": "INACTIVE"}, SOURCE, False),
    "all of it": ({"findingClass": "OBSERVATION", "mute": "MUTED", "state": "INACTIVE"}, "9" * 19, False),
}


@pytest.mark.parametrize("case", list(NEIGHBOURS.values()), ids=list(NEIGHBOURS))
def test_only_a_threat_of_a_listed_source_costs_the_pod(
    case: tuple[Object, str, bool],
    deployment: Deployment,
    security_center: SecurityCenterServer,
    cluster: SimulatedCluster,
    pod: Object,
) -> None:
    """Whoever can write findings of any other source, or of another kind, gets no pod deleted: it is isolated."""
    fields, source, confirms = case
    document = finding_about(pod, MINER)
    neighbour = of_source(finding_about(pod, MALWARE, finding_id="e" * 32, finding=fields), source)
    security_center.items = [item(document), item(neighbour)]

    deployment.deliver(document)

    outcomes = deployment.outcomes(document)
    left = {one["metadata"]["uid"] for one in cluster.objects("Pod", "shop")}
    assert "isolate_pod: isolated" in outcomes
    assert ("delete_pod: processes_ended" in outcomes, pod["metadata"]["uid"] not in left) == (confirms, confirms)


def test_a_flood_beyond_the_last_page_costs_no_pod(
    deployment: Deployment, security_center: SecurityCenterServer, pod: Object
) -> None:
    """Where the list is cut, related findings are missing, and said to be: the pod is isolated and not deleted."""
    document = finding_about(pod, MINER)
    elsewhere = item(finding_about(pod, MALWARE, finding_id="e" * 32, pod="other-1"))
    security_center.items = [
        item(document),
        *([elsewhere] * 12),
        item(finding_about(pod, MALWARE, finding_id="f" * 32)),
    ]
    security_center.page_limit = 2

    deployment.deliver(document)

    assert deployment.case(document).decision["missing"]["related"] == "partial_list"
    outcomes = deployment.outcomes(document)
    assert "isolate_pod: isolated" in outcomes
    assert not any("delete_pod" in outcome for outcome in outcomes)
