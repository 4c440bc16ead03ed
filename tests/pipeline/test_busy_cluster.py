"""An API server that stalls keeps half of an instance waiting, and no more: the findings of all others go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.domain.context import Cluster
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.ports import KubernetesApi
from scc_responder.journal.messages import Ending
from scc_responder.pipeline import containment
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE, answered
from tests.kits.dribbling_server import dribbling
from tests.kits.responder import CLUSTER, Deployment, deployed, finding_about, policy
from tests.pipeline.test_bulkheads import working

SILENT = tuple(CLUSTER.replace("prod-1", f"silent-{number}") for number in range(4))
STEPS = ("label_pod", "isolate_pod", "notify")
AT_A_TIME = 4
"""Requests that an instance works on, as the Terraform module has it by default."""


class Names:
    """`ports.Clusters`: the deployment's own cluster under its name, a server that does not answer under all others."""

    def __init__(self, sound: KubernetesApi, *silent: KubernetesApi) -> None:
        self._sound = sound
        self._silent = silent

    def describe(self, ref: ClusterRef) -> Cluster:
        return Cluster(ref=ref, autopilot=False, enforces_network_policy=True)

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        number = ref.name.removeprefix("silent-")
        return self._silent[int(number) % len(self._silent)] if number.isdigit() else self._sound


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits half a minute here for what is never read."""
    monkeypatch.setattr(containment, "COLLECT_SECONDS", 3.0)


@pytest.fixture
def silent() -> Iterator[KubernetesApi]:
    """A server whose answers never come to their first line's end."""
    with dribbling(b"HTTP/1.1 200 ", then=b"x") as url:
        yield connect(url, None, lambda: "t", timeout_seconds=2.0)


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster, silent: KubernetesApi) -> Deployment:
    made = deployed(tmp_path, cluster, policy(*STEPS))
    made.services.clusters = Names(made.clusters.api, silent)
    return made


def listed(deployment: Deployment, pod: dict[str, Any], cluster: str, number: int) -> dict[str, Any]:
    """One of many findings, each of its own, that Security Command Center has."""
    document = finding_about(pod, finding_id=f"{number:032x}", cluster=cluster)
    deployment.list_finding(document, f"finding{number}")
    return document


@contextmanager
def flooded(deployment: Deployment, documents: list[dict[str, Any]], at_a_time: int) -> Iterator[list[Ending]]:
    """These findings, delivered again and again until the end, so many at a time; how their deliveries ended."""
    over, endings = Event(), []

    def deliver(mine: list[dict[str, Any]]) -> None:
        while not over.is_set():
            endings.extend(deployment.deliver(document) for document in mine if not over.is_set())
            over.wait(0.02)

    with ThreadPoolExecutor(at_a_time) as threads:
        floods = [threads.submit(deliver, documents[number::at_a_time]) for number in range(at_a_time)]
        try:
            yield endings
        finally:
            over.set()
    for flood in floods:
        flood.result()


def until(holds: Callable[[], bool]) -> None:
    """Wait until it is so. Raises AssertionError where that takes long."""
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to be so")


@pytest.mark.parametrize("names", [SILENT[:1], SILENT])
def test_half_of_the_requests_go_on(deployment: Deployment, pod: dict[str, Any], names: tuple[str, ...]) -> None:
    """A silent API server, under one name or four, leaves the other half: what it has too much is refused at once."""
    documents = [listed(deployment, pod, names[number % len(names)], number) for number in range(8)]
    with flooded(deployment, documents, AT_A_TIME) as endings:
        until(lambda: sum(ending.reason == "cluster_busy" for ending in endings) > 4)
        assert len(deployment.services.bulkheads._seats) <= AT_A_TIME // 2
        began = time.monotonic()
        ending = deployment.deliver(listed(deployment, pod, CLUSTER, 99))
        took = time.monotonic() - began
    assert (ending.status, ending.reason, took < 2.0) == (204, "done", True), (ending, took)
    assert {ending.status for ending in endings} == {503}
    assert "cluster_busy" not in {ending.reason for ending in endings[-1:]} | {ending.reason}


def test_people_are_told_once(deployment: Deployment, pod: dict[str, Any]) -> None:
    """However many findings are refused, one notice names the cluster, and what to do."""
    documents = [listed(deployment, pod, SILENT[0], number) for number in range(8)]
    with flooded(deployment, documents, AT_A_TIME) as endings:
        until(lambda: sum(ending.reason == "cluster_busy" for ending in endings) > 10)
    told = [message for message in deployment.published.messages if message.get("reason") == "cluster_busy"]
    assert [message["cluster"] for message in told] == [SILENT[0]]
    assert "API server" in told[0]["remedy"]
    assert {line["severity"] for line in deployment.lines if line["message"].endswith(": cluster_busy")} == {"WARNING"}


def test_a_refused_finding_is_contained_when_it_comes_again(deployment: Deployment, pod: dict[str, Any]) -> None:
    """It has cost no write of a case, and nothing of it is lost."""
    document = listed(deployment, pod, CLUSTER, 1)
    with half_taken(deployment, CLUSTER):
        assert deployment.deliver(document).reason == "cluster_busy"
        assert not deployment.services.store.scan("case/").entries
    assert deployment.deliver(document).reason == "done"
    with half_taken(deployment, CLUSTER):
        assert deployment.deliver(document).reason == "duplicate"


def test_the_finding_as_it_was_read_decides(deployment: Deployment, pod: dict[str, Any]) -> None:
    """A message that names another cluster than the finding does not get around the bound, and is told of as well."""
    document = listed(deployment, pod, CLUSTER, 1)
    other = finding_about(pod, finding_id=f"{1:032x}", cluster=SILENT[1])
    with half_taken(deployment, CLUSTER):
        assert deployment.deliver(other).reason in {"cluster_busy", "finding_name_differs", "unknown_finding"}
    assert deployment.deliver(document).reason == "done"


def test_a_sweep_skips_a_busy_cluster(deployment: Deployment, silent: KubernetesApi, pod: dict[str, Any]) -> None:
    """It goes on with the others, and comes back to it."""
    busy, free = listed(deployment, pod, SILENT[0], 1), listed(deployment, pod, SILENT[1], 2)
    refusing = connect("http://127.0.0.1:9", None, lambda: "t")
    deployment.services.clusters = Names(deployment.clusters.api, silent, refusing)
    for document in (busy, free):
        deployment.deliver(document)
    later(deployment)
    with half_taken(deployment, SILENT[0]):
        assert swept(deployment) == {"cluster_busy": 1, "resumed": 1}
    assert deployment.case(busy).attempts == 1
    later(deployment)
    assert swept(deployment) == {"resumed": 2}


def test_a_sweep_waits_once_for_a_silent_cluster(deployment: Deployment, pod: dict[str, Any]) -> None:
    """What else it has of that cluster is left to the next one."""
    documents = [listed(deployment, pod, SILENT[0], number) for number in range(3)]
    for document in documents:
        deployment.deliver(document)
    later(deployment)
    assert swept(deployment) == {"cluster_busy": 2, "resumed": 1}
    assert sorted(deployment.case(document).attempts for document in documents) == [1, 1, 2]


def test_an_approval_waits_for_its_cluster(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """It is not taken while nothing could be done with it: whoever approves is asked to come again."""
    made = deployed(tmp_path, cluster, policy(*STEPS, mode="approve"))
    document = finding_about(pod)
    assert made.respond_to(document).reason == "waiting_for_approval"
    with half_taken(made, CLUSTER):
        ending = answered(made, document)
        assert (ending.status, ending.reason) == (503, "cluster_busy")
    assert answered(made, document).reason == "done"


@contextmanager
def half_taken(deployment: Deployment, cluster: str) -> Iterator[None]:
    """Two other requests of the instance work on this cluster."""
    heads = deployment.services.bulkheads
    with working(heads, cluster, "first"), working(heads, cluster, "second"):
        yield


def later(deployment: Deployment) -> None:
    """Let it be a while later."""
    now = deployment.services.clock() + timedelta(hours=1)
    deployment.set_clock(lambda: now)


def swept(deployment: Deployment) -> dict[str, int]:
    """What a sweep met."""
    assert sweep(HERE, "127.0.0.1", deployment.services).status == 204
    return dict(deployment.line["swept"])
