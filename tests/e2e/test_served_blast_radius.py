"""Eight responders at once on one ledger, killed in between: no limit is exceeded, by the API server's audit log."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from scc_responder.domain.labels import ARMED_BY
from scc_responder.guard.limits.ledger_document import Budget
from tests.cluster import objects
from tests.cluster.control_plane import ControlPlane
from tests.counts import Count
from tests.e2e.scene import Scene, finish_delivery, responder_environment, start_delivery
from tests.findings import data
from tests.kits.responder import finding_about, policy, turn, write_policies

PROCESSES = 8
LOOK = ("list poddisruptionbudgets", "list nodes", "get deployments")
ROUNDS = Count("rounds of eight processes on one ledger", 1, 10)
POINTS = 40
"""About as many as a delivery passes: a number is drawn from these, at which it is killed."""

LIMITS = {"owner": 2, "namespace": 3, "node": 4, "cluster": 5, "organization": 6}
GUARDRAILS = yaml.safe_dump(
    {
        "protected": {"namespaces": []},
        "limits": {name: [{"most": most, "within": "10m"}] for name, most in LIMITS.items()} | {"node_pool": []},
        "storm_breaker": {"targets": 1000, "denials": 1000},
        "isolation": {
            "limits": {name: [{"most": most, "within": "10m"}] for name, most in LIMITS.items()},
            "storm_breaker": {"targets": 1000, "denials": 1000},
        },
    }
)


class Crowd:
    """Pods of two namespaces, two workloads each, on two nodes, and a finding about every one."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.plane, self.folder = plane, folder
        self.spaces = [objects.create_namespace(plane.admin) for _ in range(2)]
        self.nodes = [objects.create_node(plane.admin)["metadata"]["name"] for _ in range(2)]
        self.pods = [pod for space in self.spaces for number in range(2) for pod in self._workload(space, number)]
        (folder / "findings").mkdir(parents=True)
        self.documents = [finding_about(pod, finding_id=pod["metadata"]["uid"].replace("-", "")) for pod in self.pods]
        for number, document in enumerate(self.documents):
            (folder / "findings" / f"{number}.json").write_bytes(data(document))
        write_policies(folder / "policies", policy("isolate_pod", "delete_pod"), guardrails=GUARDRAILS)
        self.environment = responder_environment(plane, folder)

    def _workload(self, namespace: str, number: int) -> Sequence[dict[str, Any]]:
        name = f"web-{number}"
        self.plane.admin.create(objects.deployment(name, namespace, self.nodes[number], replicas=4))
        return objects.running_pods(self.plane.admin, namespace, name, count=4)

    def deliver(self, documents: Sequence[Any], kills: Sequence[int] = (), **more: str) -> list[int]:
        """Deliver these at once, each in a process of its own, of which some die at the failpoint of this number.

        `more` is more of their environment.
        """
        fatal = [{"FAILPOINT": str(number)} if number else {} for number in kills]
        environments = [{**self.environment, **more, **kill} for kill in fatal or [{}] * len(documents)]
        return list(map(finish_delivery, list(map(start_delivery, documents, environments))))

    def scope(self, uid: str, scope: str) -> str:
        """What a pod counts in."""
        pod = next(pod for pod in self.pods if pod["metadata"]["uid"] == uid)
        values = {
            "owner": pod["metadata"]["ownerReferences"][0]["uid"],
            "namespace": pod["metadata"]["namespace"],
            "node": pod["spec"]["nodeName"],
        }
        return str(values.get(scope, ""))

    def disrupted(self) -> dict[Budget, set[str]]:
        """UIDs of pods marked for isolation or cut off, and of those armed or deleted, by the audit log."""
        events = [event for space in self.spaces for event in self.plane.audit(user="responder", namespace=space)]
        # Others' nodes stand in the log too: the cluster is shared.
        own = [event for event in events if event.namespace in self.spaces]
        accepted = [event for event in own if event.code < 300 and not event.dry_run]
        writes = [event for event in accepted if event.verb in {"patch", "create", "delete"}]
        found: dict[Budget, set[str]] = {budget: set() for budget in Budget}
        for write in writes:
            found[budget_of(write)].add(target(write))
        return found


def budget_of(event: Any) -> Budget:
    """What a write counts in: one pod may be cut off while another one is deleted, each within its limits."""
    is_armed = event.verb == "patch" and ARMED_BY in event.request["metadata"].get("annotations", {})
    return Budget.DISRUPTION if event.verb == "delete" or is_armed else Budget.ISOLATION


def target(event: Any) -> str:
    """The UID of the pod that a write is about."""
    body = event.request
    if event.verb == "delete":
        return str(body["preconditions"]["uid"])
    owners = body["metadata"].get("ownerReferences")
    return str(owners[0]["uid"] if owners else body["metadata"]["uid"])


@pytest.fixture(params=["sqlite", "firestore"])
def crowd(request: pytest.FixtureRequest, control_plane: ControlPlane, tmp_path: Path) -> Crowd:
    """Pods and findings, with a ledger in each store."""
    made = Crowd(control_plane, tmp_path / "crowd")
    if request.param == "firestore":
        emulator, address = request.getfixturevalue("firestore"), request.getfixturevalue("firestore").address()
        turn(address, emulator=emulator.host)
        made.environment |= {"SCC_RESPONDER_STORE": address, "FIRESTORE_EMULATOR_HOST": emulator.host}
    return made


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(ROUNDS.number))
def test_no_limit_is_exceeded(crowd: Crowd, seed: int) -> None:
    """Whoever decides at the same time and whoever dies in between: no more pods are disrupted than any limit allows.

    And no fewer: what a crash left reserved is used by the delivery that goes on.
    """
    chance = random.Random(seed)
    chance.shuffle(crowd.documents)
    waiting = crowd.documents
    statuses: list[int] = []
    for first in range(0, len(waiting), PROCESSES):
        kills = [chance.randint(1, POINTS) if chance.random() < 0.6 else 0 for _ in range(PROCESSES)]
        statuses += crowd.deliver(waiting[first : first + PROCESSES], kills)
    assert -9 in statuses
    for _ in range(6):
        waiting = [document for document, status in zip(waiting, statuses, strict=True) if status != 204]
        parts = [waiting[first : first + PROCESSES] for first in range(0, len(waiting), PROCESSES)]
        statuses = [status for part in parts for status in crowd.deliver(part, LEASE_SECONDS="0")]

    assert statuses == []
    for budget, disrupted in crowd.disrupted().items():
        counts = {scope: Counter(crowd.scope(uid, scope) for uid in disrupted) for scope in LIMITS}
        over = {scope: count for scope in LIMITS for count in counts[scope].values() if count > LIMITS[scope]}
        assert over == {}, (budget, counts)
        assert len(disrupted) == LIMITS["cluster"], budget


def test_the_look_costs_three_requests(control_plane: ControlPlane, namespace: str, node: Any, tmp_path: Path) -> None:
    """Budgets, the pool's nodes and the workload are read once each, at the same time, and nothing else is added."""
    scene = Scene(control_plane, namespace, node["metadata"]["name"], tmp_path)
    begun = datetime.now(UTC)
    assert scene.deliver() == 204
    pool = node["metadata"]["labels"]["cloud.google.com/gke-nodepool"]
    events = [
        event
        for event in control_plane.audit(since=begun, namespace=namespace)
        if event.namespace or namespace in event.uri or event.name == scene.node or pool in event.uri
    ]
    counted = Counter(f"{event.verb} {event.resource}" for event in events)
    assert {look: counted[look] for look in LOOK} == dict.fromkeys(LOOK, 1)
    assert len(events) <= 22
