"""A flood of findings in development, and one attack in production beside it: production does not wait for it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.bench.rig import Rig, rig_on
from tests.cluster import objects
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until
from tests.counts import Count
from tests.e2e.scene import purpose
from tests.e2e.served import ServedFunction
from tests.findings import push_body
from tests.kits.push_queue import PushQueue
from tests.kits.responder import CLUSTER, compiled, finding_about, policy, write_policies

ROUNDS = Count("attacks in production beside a flood in development", 3, 20)
FINDINGS = Count("findings of one Deployment in that flood", 50, 500)
DECOYS, REPLICAS = 20, 10
AT_A_TIME = 4
"""Pushes in flight, as many as an instance takes by default."""
SECONDS = 2.0
DEVELOPMENT = [CLUSTER.replace("prod-1", f"dev-{number}") for number in (1, 2, 3)]


class Clusters:
    """Four names of one API server: three of development, with decoys and a Deployment, and production."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig = rig
        self.node = objects.create_node(rig.plane.admin)["metadata"]["name"]
        known = json.loads((rig.folder / "clusters.json").read_text())[CLUSTER]
        names = {name: known | {"name": name.rpartition("/")[2]} for name in (*DEVELOPMENT, CLUSTER)}
        (rig.folder / "clusters.json").write_text(json.dumps(names))
        self.policies = compiled(write_policies(folder / "attacked", policy("label_pod", "isolate_pod")))
        self.flood = [*self._decoys(), *self._crowd()]
        self.attacks = [self._attack() for _ in range(ROUNDS.number)]
        rig.findings = [*self.flood, *self.attacks]
        (rig.folder / "findings.json").write_text(json.dumps(rig.findings))

    def function(self, number: int) -> ServedFunction:
        """A function with a journal of its own."""
        environment = self.rig.environment(self.rig.folder / f"attacked-{number}.db") | {
            "SCC_RESPONDER_CLUSTERS": "projects/example-project/locations/*/clusters/*",
            "SCC_RESPONDER_POLICIES": str(self.policies),
            "THREADS": str(AT_A_TIME),
        }
        return ServedFunction(self.rig.function, environment, log=self.rig.folder / f"attacked-{number}.log")

    def _decoys(self) -> list[dict[str, Any]]:
        """Findings about pods of as many workloads, in each cluster of development."""
        made = []
        for cluster in DEVELOPMENT:
            space = objects.create_namespace(self.rig.plane.admin)
            for number in range(DECOYS):
                self._create(f"decoy-{number}", space, 1)
            pods = self._running(space, DECOYS)
            made += [finding_about(pod, finding_id=_id(pod, 0), cluster=cluster) for pod in pods]
        return made

    def _crowd(self) -> list[dict[str, Any]]:
        """Many findings about the pods of one Deployment."""
        space = objects.create_namespace(self.rig.plane.admin)
        self._create("web", space, REPLICAS)
        pods = self._running(space, REPLICAS)
        numbers = range(FINDINGS.number)
        return [
            finding_about(pods[number % REPLICAS], finding_id=_id(pods[0], number), cluster=DEVELOPMENT[0])
            for number in numbers
        ]

    def _attack(self) -> dict[str, Any]:
        space = objects.create_namespace(self.rig.plane.admin)
        self._create("web", space, 2)
        return finding_about(self._running(space, 2)[0], finding_id=_id(self._running(space, 2)[0], 0))

    def _create(self, name: str, space: str, replicas: int) -> None:
        self.rig.plane.admin.create(objects.deployment(name, space, self.node, replicas=replicas))

    def _running(self, space: str, count: int) -> Sequence[dict[str, Any]]:
        def running() -> Sequence[dict[str, Any]]:
            pods = self.rig.plane.admin.list(f"/api/v1/namespaces/{space}/pods")
            return pods if len(pods) == count and all(map(objects.is_running, pods)) else ()

        return wait_until(running, what=f"{count} pods of {space}", seconds=120)


def _id(pod: Mapping[str, Any], number: int) -> str:
    return f"{int(pod['metadata']['uid'].replace('-', ''), 16) + number:032x}"[-32:]


def isolated_at(plane: ControlPlane, document: Mapping[str, Any], since: datetime) -> datetime:
    """When the API server had taken the last write of the pod's isolation, by its audit log."""
    pod = document["finding"]["kubernetes"]["pods"][0]
    events = plane.audit(since=since, namespace=pod["ns"])
    accepted = [event for event in events if event.code < 300 and not event.dry_run and event.namespace == pod["ns"]]
    times = {purpose(event): event.completed for event in accepted}
    return max(times["create networkpolicies"], times["isolate pod"])


class Attacked:
    """One round: the flood, and the attack once its first findings are worked on."""

    def __init__(self, clusters: Clusters, number: int) -> None:
        self._plane, self._attack = clusters.rig.plane, clusters.attacks[number]
        self._function = clusters.function(number)
        self._flood = random.Random(number).sample(clusters.flood, len(clusters.flood))
        self._pushed_at: list[datetime] = []

    def seconds(self) -> float:
        """From the push of the attack to the last write of its pod's isolation."""
        with self._function, PushQueue(self._post, AT_A_TIME) as pushes:
            flood = [pushes.add(document) for document in self._flood]
            wait_until(lambda: any(204 in each.statuses for each in flood), what="the flood's first answer", seconds=60)
            pushes.add(self._attack, now=True).seconds()
        first = self._pushed_at[0]
        return (isolated_at(self._plane, self._attack, first) - first).total_seconds()

    def _post(self, document: Mapping[str, Any]) -> int:
        if document is self._attack:
            self._pushed_at.append(datetime.now(UTC))
        return self._function.post(push_body(document))[0]


@pytest.mark.timeout(3600)
def test_production_does_not_wait_for_development(control_plane: ControlPlane, tmp_path: Path) -> None:
    """Its pod is isolated within two seconds of its push, while development fills every place that it is given."""
    with rig_on(control_plane, tmp_path) as rig:
        clusters = Clusters(rig, tmp_path)
        took = [Attacked(clusters, number).seconds() for number in range(ROUNDS.number)]
    assert max(took) < SECONDS, took
