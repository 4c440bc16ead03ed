"""One more evidence source is one more file: read at its moment, kept, listed and asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import evidence_sources
from scc_responder.workbench.bundle.bundle_manifests import manifest_content
from scc_responder.workbench.needed_permissions import cluster_role, needed
from scc_responder.workbench.simulated_cluster.server.rbac import rules
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import Deployment, Interposed, deployed, finding_about, policy

FOLDER = "scc_responder.execute.evidence.sources"
NEIGHBOURS = '''
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.permissions import observes
from scc_responder.execute.evidence import EvidenceItem, Moment, source


@source(moment=Moment.BEFORE_ISOLATION, permissions=observes("pods", "list"))
def neighbours(given):
    """All pods of the pod's namespace."""
    found = given.cluster_api.list(api_paths.pods(given.pod.namespace))
    return [EvidenceItem(kind="pods", content={"items": found}, is_empty=not found)]
'''


@pytest.fixture(autouse=True)
def one_more_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A source in one more file of the folder."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "neighbours.py").write_text(NEIGHBOURS)
    folder = import_module(FOLDER)
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path / "sources")])
    # The simulated cluster grants what all sources declare, as it was asked first.
    for found_once in (evidence_sources, rules):
        found_once.cache_clear()
    yield
    for found_once in (evidence_sources, rules):
        found_once.cache_clear()


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    return deployed(tmp_path, cluster, policy("isolate_pod", "capture_evidence"))


def kept(deployment: Deployment, prefix: str) -> Any:
    """The one object of this prefix."""
    (path,) = deployment.folder.glob(f"evidence/**/{prefix}-*.json")
    return manifest_content(path.read_bytes()) if prefix == "manifest" else json.loads(path.read_text())


def test_it_is_read_before_isolation_and_kept(deployment: Deployment, pod: Any) -> None:
    """The capture comes after isolation: what it keeps of this source was read before."""
    document = finding_about(pod)
    deployment.respond_to(document)

    assert deployment.outcomes(document)[-1] == "capture_evidence: captured"
    assert [item["name"] for item in kept(deployment, "manifest")["objects"] if item["source"] == "neighbours"]
    (read,) = [
        item for item in kept(deployment, "neighbours")["items"] if item["metadata"]["uid"] == pod["metadata"]["uid"]
    ]
    assert read["metadata"].get("labels") == pod["metadata"].get("labels")


def test_it_is_asked_for_wherever_evidence_is_captured() -> None:
    """In the role that cluster teams grant, too."""
    needs = needed([("contain", "capture_evidence")])
    assert next(need.by for need in needs if need.permission == "pods: list") == {"capture_evidence": ("contain",)}
    (rule,) = [rule for rule in cluster_role(needs, "r")["rules"] if "pods" in rule["resources"]]
    assert "list" in rule["verbs"]


def test_without_its_permission_the_rest_is_kept(deployment: Deployment, pod: Any) -> None:
    """The manifest names the permission, and the capture ends well: nothing needs the source."""

    def refuse(_call: int, verb: str, path: str) -> None:
        if verb == "list" and path.endswith("/pods"):
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="pods: list in namespace shop")

    deployment.clusters.api = Interposed(deployment.clusters.api, before=refuse)
    document = finding_about(pod)
    deployment.respond_to(document)

    assert deployment.outcomes(document)[-1] == "capture_evidence: captured"
    manifest = kept(deployment, "manifest")
    assert next(item for item in manifest["sources"] if item["name"] == "neighbours") == {
        "name": "neighbours",
        "moment": "before_isolation",
        "required": False,
        "outcome": "refused",
        "permission": "pods: list in namespace shop",
        "why": "kubernetes_forbidden",
    }
    assert manifest["missing"]["neighbours"] == "missing permission: pods: list in namespace shop"
    assert {item["source"] for item in manifest["objects"]} >= {"finding", "pod", "events"}
