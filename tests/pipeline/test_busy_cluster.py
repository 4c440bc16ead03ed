"""An API server that stalls keeps half of an instance waiting, and no more: the findings of all others go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.domain.context import Cluster
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.ports import KubernetesApi
from scc_responder.pipeline import containment
from scc_responder.pipeline.bulkheads import Bulkheads
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster.polling import wait_until
from tests.counts import Count
from tests.kits.answers import HERE, answered
from tests.kits.dribbling_server import dribbling
from tests.kits.push_queue import PushQueue
from tests.kits.responder import CLUSTER, Deployment, deployed, finding_about, policy
from tests.pipeline.test_bulkheads import connected_elsewhere, working

SILENT = tuple(CLUSTER.replace("prod-1", f"silent-{number}") for number in range(4))
STEPS = ("label_pod", "isolate_pod", "notify")
AT_A_TIME = 4
"""Requests that an instance works on, as the Terraform module has it by default."""
STALLED = Count("deliveries to an API server that does not answer", 12, 50)
SOUND = Count("deliveries to one that does", 4, 10)


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


@contextmanager
def stalled_server() -> Iterator[KubernetesApi]:
    """A server whose answers never come to their first line's end."""
    with dribbling(b"HTTP/1.1 200 ", then=b"x") as url:
        yield connect(url, None, lambda: "t", timeout_seconds=2.0)


@pytest.fixture
def silent() -> Iterator[KubernetesApi]:
    with stalled_server() as api:
        yield api


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


def pushing(deployment: Deployment) -> PushQueue:
    """Pub/Sub, that pushes as many messages at a time as an instance takes."""
    return PushQueue(lambda document: deployment.deliver(document).status, AT_A_TIME)


def said(deployment: Deployment, reason: str) -> int:
    """How many deliveries ended so."""
    return sum(line["message"].endswith(f": {reason}") for line in [*deployment.lines])


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("names", "servers"), [(SILENT[:1], 1), (SILENT, 1), (SILENT[:2], 2), (SILENT, 4)])
def test_the_findings_of_others_take_their_usual_time(
    deployment: Deployment, cluster: SimulatedCluster, names: tuple[str, ...], servers: int
) -> None:
    """An API server that does not answer, under one name or four, leaves half of the instance to all others.

    Several of them leave a quarter. What they have too much of is refused at once: no other finding waits for it.
    """
    pods = cluster.objects("Pod", "shop")
    sound = [listed(deployment, pods[number % 2], CLUSTER, 100 + number) for number in range(2 * SOUND.number)]
    with pushing(deployment) as pushes:
        usual = [pushes.add(document).seconds() for document in sound[: SOUND.number]]
    silent = [listed(deployment, pods[0], names[number % len(names)], number) for number in range(STALLED.number)]
    with ExitStack() as stack, pushing(deployment) as pushes:
        stalling = [stack.enter_context(stalled_server()) for _ in range(servers)]
        deployment.services.clusters = Names(deployment.clusters.api, *stalling)
        stalled = [pushes.add(document) for document in silent]
        wait_until(lambda: said(deployment, "cluster_busy") >= 4, what="findings to be refused")
        times = [pushes.add(document).seconds() for document in sound[SOUND.number :]]
        most = AT_A_TIME // 2 if servers == 1 else AT_A_TIME - 1
        assert len(deployment.services.bulkheads._seats) <= most + 1
    assert max(times) < max(usual) + 1.0, (usual, times)
    assert {status for pushed in stalled for status in pushed.statuses} == {503}


@pytest.mark.timeout(300)
def test_two_warm_servers_that_stall_at_once_leave_a_place(deployment: Deployment, pod: dict[str, Any]) -> None:
    """From the first moment: nobody waits for a timeout to find out that they do not answer any more."""
    with ExitStack() as stack:
        turning = [stack.enter_context(turning_server()) for _ in range(2)]
        deployment.services.clusters = Names(deployment.clusters.api, *(api for api, _ in turning))
        sound = [listed(deployment, pod, CLUSTER, 200 + number) for number in range(2 * SOUND.number)]
        with pushing(deployment) as pushes:
            usual = [pushes.add(document).seconds() for document in sound[: SOUND.number]]
        for number in range(2):
            deployment.deliver(listed(deployment, pod, SILENT[number], 300 + number))
            assert deployment.services.bulkheads._answers(SILENT[number])
        for _, stalls in turning:
            stalls.set()
        with pushing(deployment) as pushes:
            for number in range(STALLED.number):
                pushes.add(listed(deployment, pod, SILENT[number % 2], number))
            wait_until(lambda: said(deployment, "cluster_busy") >= 1, what="a finding to be refused", seconds=1.5)
            times = [pushes.add(document, now=True).seconds() for document in sound[SOUND.number :]]
            assert said(deployment, "timeout") + said(deployment, "cluster_unreachable") == 0
    assert max(times) < max(usual) + 1.0, (usual, times)


@contextmanager
def turning_server() -> Iterator[tuple[KubernetesApi, threading.Event]]:
    """A server that answers at once that nothing is there, and does not answer any more once the event is set."""
    stalls, over = threading.Event(), threading.Event()

    class Turning(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if stalls.is_set():
                over.wait(60)
                return
            body = b'{"kind": "Status", "code": 404, "reason": "NotFound", "status": "Failure"}'
            self.send_response(404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_given: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Turning) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield connect(f"http://127.0.0.1:{server.server_port}", None, lambda: "t", timeout_seconds=2.0), stalls
        finally:
            over.set()
            server.shutdown()


def test_people_are_told_once(deployment: Deployment, pod: dict[str, Any]) -> None:
    """However many findings are refused, one notice names the cluster, and what to do."""
    documents = [listed(deployment, pod, SILENT[0], number) for number in range(8)]
    with pushing(deployment) as pushes:
        for document in documents:
            pushes.add(document)
        wait_until(lambda: said(deployment, "cluster_busy") > 10, what="findings to be refused")
    told = [message for message in deployment.published.messages if message.get("reason") == "cluster_busy"]
    assert [message["cluster"] for message in told] == [SILENT[0]]
    assert "API server" in told[0]["remedy"]
    assert {line["severity"] for line in deployment.lines if line["message"].endswith(": cluster_busy")} == {"WARNING"}


def test_an_instance_that_told_remembers_it(
    deployment: Deployment, pod: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of refused findings asks the store once who was told; another instance asks it too, and is silent."""
    store, asked = deployment.services.store, []
    read = store.get
    monkeypatch.setattr(store, "get", lambda key: [asked.append(key), read(key)][1])
    documents = [listed(deployment, pod, CLUSTER, number) for number in range(5)]

    def refused() -> int:
        asked.clear()
        with half_taken(deployment, CLUSTER):
            assert {deployment.deliver(document).reason for document in documents} == {"cluster_busy"}
        return len([key for key in asked if key.startswith("told/cluster_busy/")])

    first = refused()
    deployment.services.bulkheads = Bulkheads(AT_A_TIME, lambda: deployment.services.pool, 8)
    assert (first, refused()) == (1, 1)
    assert [message["cluster"] for message in deployment.published.messages] == [CLUSTER]


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
        assert deployment.deliver(other).reason == "cluster_busy"
    assert [message["cluster"] for message in deployment.published.messages] == [CLUSTER]
    assert deployment.deliver(document).reason == "done"


def test_a_new_name_of_a_silent_server_is_told_apart(deployment: Deployment, pod: dict[str, Any]) -> None:
    """It turns out to be that server when it is connected to: nothing is read of it, and no evidence is taken."""
    heads, api = deployment.services.bulkheads, deployment.services.clusters.connect(ClusterRef.parse(SILENT[0]))  # type: ignore[arg-type]
    with connected_elsewhere(heads, SILENT[0], api), connected_elsewhere(heads, SILENT[1], api):
        document = listed(deployment, pod, SILENT[2], 1)
        assert deployment.deliver(document).reason == "cluster_busy"
    assert (deployment.case(document).state, deployment.case(document).steps) == ("open", ())
    assert [message["cluster"] for message in deployment.published.messages] == [SILENT[2]]


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
        assert (ending.status, ending.reason, made.case(document).state) == (503, "cluster_busy", "waiting")
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
