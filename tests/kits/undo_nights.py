"""A pod with one or two cases, and what takes them back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scc_responder.journal.case import CaseRecord
from scc_responder.pipeline.undo.undo import Undo
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import NODE, SPARE_NODE, Deployment, OneCluster, api_of, deployed, finding_about, policy

ACTIONS = ("label_pod {labels: {scc-responder/threat: reverse-shell}}", "annotate_pod", "isolate_pod", "cordon_node")


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    """A Deployment of two pods on one of two nodes."""
    with SimulatedCluster(stop_seconds=0) as running:
        running.create(objects.namespace("shop"))
        for name in (NODE, SPARE_NODE):
            running.create(objects.node(name))
        running.create(objects.deployment("web", "shop", NODE, replicas=2))
        yield running


class Night:
    """A deployment and findings on one pod, each a case; `undo` reaches the cluster as the identity of undo."""

    def __init__(self, folder: Path, cluster: SimulatedCluster, *actions: str) -> None:
        second = policy(*actions, name="second", when="threat: added_binary_executed")
        self.cluster = cluster
        self.deployment: Deployment = deployed(folder, cluster, policy(*actions), second)
        self.pod = cluster.objects("Pod", "shop")[0]
        self.before = self.state()
        self.delivered: set[int] = set()

    def state(self) -> list[dict[str, Any]]:
        """Pods, nodes and policies, but for their versions."""
        kinds = [item for kind in ("Pod", "Node", "NetworkPolicy") for item in self.cluster.objects(kind)]
        without = {"resourceVersion", "generation"}
        metas = [{key: item["metadata"][key] for key in item["metadata"].keys() - without} for item in kinds]
        metas = [{key: value for key, value in meta.items() if value} for meta in metas]
        return [{**item, "metadata": meta} for item, meta in zip(kinds, metas, strict=True)]

    def case(self, number: int = 1) -> CaseRecord:
        """The case of a finding on the pod, as it stands."""
        golden = {1: "reverse_shell", 2: "added_binary_executed"}[number]
        document = finding_about(self.pod, golden, finding_id=f"{number:032x}")
        if number not in self.delivered:
            self.delivered.add(number)
            self.deployment.list_finding(document, str(number))
            self.deployment.deliver(document)
        return self.deployment.case(document)

    def undo(self, record: CaseRecord, **options: Any) -> Undo:
        """What takes the case back."""
        services = self.deployment.services
        services.clusters = OneCluster(api_of(self.cluster, "undo"))
        return Undo(services, record.finding_key, by="ann", said="a load test", **options)
