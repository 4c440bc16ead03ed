"""Acts, edits by others and undos in any order, on a real API server: all is as before, and what others did stays."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from scc_responder.domain.finding import case_id
from scc_responder.journal.case import CaseRecord
from scc_responder.pipeline.undo.undo import Undo
from scc_responder.workbench.policies.merge_patch import merge_patch
from tests.admission.installed import Installed
from tests.admission.undo_installed import UndoInstalled
from tests.cluster import objects
from tests.cluster.polling import wait_until
from tests.counts import Count
from tests.kits.responder import OneCluster, api_of, deployed, finding_about, policy

pytestmark = pytest.mark.timeout(900)

SEQUENCES = Count("sequences of acts, edits and undos", few=6, full=60)
ACTIONS = ("label_pod {labels: {scc-responder/threat: suspected}}", "annotate_pod", "isolate_pod")
THREATS = {1: "reverse_shell", 2: "added_binary_executed"}
COST = {"controller.kubernetes.io/pod-deletion-cost": "100"}
"""Its workload keeps the pod, and removes another one, once it has one too many."""


@pytest.fixture(scope="module")
def undo(shipped: Installed) -> Iterator[UndoInstalled]:
    """The identity of undo beside the responder's, each with what is shipped and nothing else."""
    shipped.switch("enforce")
    installed = UndoInstalled(shipped.plane, shipped.namespace)
    try:
        installed.apply()
        yield installed
    finally:
        installed.remove()


class World:
    """One pod of a Deployment, its node, and a deployment of the responder; `expected` follows the others' edits."""

    def __init__(self, folder: Path, shipped: Installed, undo: UndoInstalled, random: Random) -> None:
        self.admin, self.namespace, self.random = shipped.plane.admin, shipped.namespace, random
        self.node = objects.create_node(self.admin)["metadata"]["name"]
        name = f"web-{uuid.uuid4().hex[:8]}"
        self.admin.create(objects.deployment(name, self.namespace, self.node, replicas=2))
        self.pod = objects.running_pods(self.admin, self.namespace, name, count=2)[0]
        self.pod_path = f"/api/v1/namespaces/{self.namespace}/pods/{self.pod['metadata']['name']}"
        self.node_path = f"/api/v1/nodes/{self.node}"
        self.admin.patch(self.pod_path, {"metadata": {"annotations": COST}})
        more = random.choice([(), ("cordon_node",), ("detach_pod",), ("cordon_node", "detach_pod")])
        seconds = policy(*ACTIONS, name="second", when=f"threat: {THREATS[2]}")
        first = policy(*ACTIONS, *more)
        self.deployment = deployed(folder, shipped, first, seconds)
        self.deployment.services.wait = time.sleep
        self.sides = {"responder": OneCluster(api_of(shipped)), "undo": OneCluster(api_of(undo))}
        self.expected = {path: self.read(path) for path in (self.pod_path, self.node_path)}
        self.numbers: set[int] = set()

    def read(self, path: str) -> dict[str, Any]:
        """The object, without what any write changes, and of a node without what its kubelet tells."""
        found = self.admin.get(path)
        for field in ("resourceVersion", "managedFields", "generation"):
            found["metadata"].pop(field, None)
        if path == self.node_path:
            del found["status"]
        return found

    def document(self, number: int) -> dict[str, Any]:
        uid = self.pod["metadata"]["uid"].replace("-", "")
        return finding_about(self.pod, THREATS[number], finding_id=f"{number}{uid[1:]}")

    def act(self, number: int) -> None:
        """A finding on the pod comes in, and is responded to."""
        if number in self.numbers:
            return
        self.deployment.services.clusters = self.sides["responder"]
        self.deployment.list_finding(self.document(number), f"{number}-{self.node}")
        self.deployment.deliver(self.document(number))
        self.numbers.add(number)
        outcomes = self.deployment.outcomes(self.document(number))
        assert {"label_pod: patched", "annotate_pod: patched", "isolate_pod: isolated"} <= {*outcomes}, outcomes

    def take_back(self, number: int, *, only: bool = False) -> None:
        """A person takes its case back, as the identity of undo."""
        if number not in self.numbers:
            return
        record: CaseRecord = self.deployment.case(self.document(number))
        self.deployment.services.clusters = self.sides["undo"]
        undone = Undo(self.deployment.services, record.finding_key, only=only, by="ann").apply()
        refused = [(each.item.step.action, each.result) for each in undone if not each.is_good]
        assert refused == [], case_id(record.finding_key)

    def edit(self) -> None:
        """Somebody else sets a label or an annotation of the pod or of the node."""
        path = self.random.choice([self.pod_path, self.node_path])
        field = self.random.choice(["labels", "annotations"])
        key = f"example.com/{self.random.choice('abc')}"
        value = self.random.choice([None, "1", "2"])
        body = {"metadata": {field: {key: value}}}
        self.admin.patch(path, body)
        self.expected[path] = merge_patch(self.expected[path], body)

    def is_as_expected(self) -> bool:
        """Whether all is as before, but for what others did; the taint of a cordon goes a moment later."""
        policies = self.admin.list(f"/apis/networking.k8s.io/v1/namespaces/{self.namespace}/networkpolicies")
        uid = self.pod["metadata"]["uid"]
        ours = [item for item in policies if item["metadata"]["name"].endswith(uid[:8])]
        return not ours and all(_bare(self.read(path)) == _bare(expected) for path, expected in self.expected.items())


def _bare(item: dict[str, Any]) -> dict[str, Any]:
    """Without empty labels and annotations, which the API server leaves out."""
    meta = {key: value for key, value in item["metadata"].items() if value}
    return {**item, "metadata": meta}


@pytest.mark.parametrize("seed", range(SEQUENCES.number))
def test_all_is_as_before(tmp_path: Path, shipped: Installed, undo: UndoInstalled, seed: int) -> None:
    """Whatever the order of findings, edits and undos: once every case is taken back, nothing of ours is left."""
    random = Random(seed)
    world = World(tmp_path, shipped, undo, random)
    moves: list[Any] = [
        lambda: world.act(1),
        lambda: world.act(2),
        lambda: world.take_back(random.choice([1, 2]), only=random.random() < 0.5),
        world.edit,
        world.edit,
    ]
    world.act(random.choice([1, 2]))
    for _ in range(random.randint(3, 7)):
        random.choice(moves)()
    for number in random.sample([1, 2], 2):
        world.take_back(number, only=random.random() < 0.5)
    try:
        wait_until(world.is_as_expected, what="all to be as before")
    except TimeoutError:
        for path, expected in world.expected.items():
            assert _bare(world.read(path)) == _bare(expected)
        raise
    world.admin.delete(world.node_path)
