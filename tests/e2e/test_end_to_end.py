"""The main job on real parts: Google's Pub/Sub emulator pushes into functions-framework, which serves the deployment
zip, reads findings and clusters from Google's protos over gRPC, and acts on a real kube-apiserver over TLS."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until
from tests.e2e.scene import EACH_ONCE, Scene
from tests.e2e.served import FAILING_MAIN, ROOT, ServedFunction, free_port, unzip
from tests.findings import data, push_body
from tests.kits.google.emulator import Emulator, Topology
from tests.kits.google.grpc_servers import ClusterManagerServer, SecurityCenterServer, cluster, item
from tests.kits.responder import CLUSTER

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def function_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The deployment zip, unpacked."""
    return unzip(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def scene(control_plane: ControlPlane, namespace: str, node: dict[str, Any], tmp_path: Path) -> Scene:
    """A compromised pod and the finding about it."""
    return Scene(control_plane, namespace, node["metadata"]["name"], tmp_path / "scene")


@pytest.fixture
def google_settings(
    scene: Scene, security_center: SecurityCenterServer, cluster_manager: ClusterManagerServer, emulator: Emulator
) -> dict[str, str]:
    """Google's side of the scene, as the settings by which the function finds it."""
    security_center.items = [item(scene.document)]
    cluster_manager.clusters = {CLUSTER: gke_cluster(scene.plane)}
    return {
        "SCC_RESPONDER_SCC_ENDPOINT": security_center.endpoint,
        "SCC_RESPONDER_GKE_ENDPOINT": cluster_manager.endpoint,
        "PUBSUB_EMULATOR_HOST": emulator.host,
    }


@pytest.fixture
def served(
    request: pytest.FixtureRequest,
    scene: Scene,
    google_settings: dict[str, str],
    emulator: Emulator,
    function_folder: Path,
) -> Iterator[tuple[ServedFunction, Topology]]:
    """The function, served, with a subscription that pushes to it."""
    token = scene.folder / "token"
    token.write_text(scene.plane.token("responder"))
    local = {"SCC_RESPONDER_FINDINGS", "SCC_RESPONDER_CLUSTERS_FILE"}
    settings = {
        name: value for name, value in scene.environment.items() if name.startswith("SCC_") and name not in local
    }
    without_yaml = scene.folder / "without_yaml"
    without_yaml.mkdir()
    (without_yaml / "yaml.py").write_text("raise ImportError('the deployed function needs no YAML')")
    port = free_port()
    topology = emulator.deploy(f"http://127.0.0.1:{port}/")
    function = ServedFunction(
        function_folder,
        {
            **settings,
            **google_settings,
            "PYTHONPATH": f"{without_yaml}:{ROOT}",
            "SCC_RESPONDER_KUBERNETES_TOKEN_FILE": str(token),
            "SCC_RESPONDER_OUTCOME_TOPIC": topology.outcome_topic,
            **getattr(request, "param", {}),
        },
        log=scene.folder / "function.log",
        port=port,
        main=FAILING_MAIN if hasattr(request, "param") else None,
    )
    with function:
        yield function, topology


def gke_cluster(plane: ControlPlane) -> Any:
    """What the GKE API says of the test cluster: its real endpoint and CA, and Dataplane V2."""
    return cluster(
        {
            "name": "prod-1",
            "endpoint": plane.url.removeprefix("https://"),
            "masterAuth": {"clusterCaCertificate": base64.b64encode(plane.ca_pem.encode()).decode()},
            "networkConfig": {"datapathProvider": "ADVANCED_DATAPATH"},
        }
    )


def test_a_notification_contains_the_pod(
    scene: Scene, served: tuple[ServedFunction, Topology], emulator: Emulator
) -> None:
    """A notification published on Pub/Sub labels, isolates and deletes the pod and cordons its node, each once.

    No YAML parser can be imported: the policies were compiled when the zip was made.
    """
    function, topology = served

    emulator.publish(topology.topic, data(scene.document))
    outcome = json.loads(emulator.pull(topology.outcome_subscription, seconds=60)[0].data)

    assert [f"{step['action']}: {step['status']}" for step in outcome["steps"]] == [
        "label_pod: done",
        "annotate_pod: done",
        "isolate_pod: done",
        "isolate_pod: done",
        "capture_evidence: done",
        "cordon_node: done",
        "delete_pod: done",
        "delete_pod: done",
    ]
    assert scene.writes() == EACH_ONCE
    delete = next(event for event in scene.requests() if event.verb == "delete")
    armed = next(event for event in scene.requests() if "armed-by" in json.dumps(event.request or {}))
    assert delete.request["preconditions"] == {
        "uid": scene.pod["metadata"]["uid"],
        "resourceVersion": armed.response["metadata"]["resourceVersion"],
    }
    assert {event.verb for event in scene.requests()} <= {"get", "list", "patch", "create", "delete"}
    assert {event.resource for event in scene.requests() if event.verb == "list"} == {
        "networkpolicies",
        "events",
        "endpointslices",
        "poddisruptionbudgets",
    }
    about_objects = [event for event in scene.requests() if event.resource]  # and once the list of API groups
    assert len(about_objects) <= 21  # and the list of the nodes, which is not about this scene alone
    assert function.post(push_body(scene.document)) == (204, b"")
    assert len([event for event in scene.requests() if event.verb == "delete"]) == 1


KILL_BEFORE_DELETING = {"FAILPOINT": "before kubernetes.delete", "FAILPOINT_ONCE": "killed-once"}


@pytest.mark.parametrize("served", [pytest.param(KILL_BEFORE_DELETING, id="killed-before-deleting")], indirect=True)
def test_a_killed_worker_loses_nothing(
    scene: Scene, served: tuple[ServedFunction, Topology], emulator: Emulator, function_folder: Path
) -> None:
    """A worker killed in the midst of containing is replaced, the message comes again, and the work is finished."""
    _function, topology = served
    killed = function_folder / KILL_BEFORE_DELETING["FAILPOINT_ONCE"]

    emulator.publish(topology.topic, data(scene.document))
    wait_until(killed.exists, what="the worker to be killed", seconds=60)
    before = scene.writes()
    scene.let_lease_run_out()
    emulator.pull(topology.outcome_subscription, seconds=90)

    assert before != EACH_ONCE
    assert scene.writes() == EACH_ONCE


def test_what_cannot_be_answered_reaches_the_dead_letters(
    scene: Scene, served: tuple[ServedFunction, Topology], emulator: Emulator
) -> None:
    """A message too large to parse, in which no finding's name stands, reaches a person through the dead letters."""
    _function, topology = served
    padded = json.dumps({"finding": {"description": "x" * 600_000}}).encode()

    emulator.publish(topology.topic, padded)

    assert emulator.pull(topology.dead_letter_subscription, seconds=60)[0].data == padded


def test_answers_are_constant(served: tuple[ServedFunction, Topology]) -> None:
    """Junk is settled with an empty body that echoes neither headers nor payload."""
    function, _topology = served

    status, answer = function.post(b"\x00 canary", {"Authorization": "Bearer canary"})

    assert (status, answer) == (204, b"")


def test_one_log_line(scene: Scene, served: tuple[ServedFunction, Topology]) -> None:
    """Every delivery leaves one line of JSON for Cloud Logging, with severity, reason and trace."""
    function, _topology = served

    function.post(push_body(scene.document), {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})

    def lines() -> list[dict[str, Any]]:
        found = [line for line in function.log.read_text().splitlines() if line.startswith("{")]
        return [json.loads(line) for line in found]

    told = wait_until(lambda: lines() or None, what="a log line")
    assert [(line["severity"], line["logging.googleapis.com/labels"]["reason"]) for line in told or []] == [
        ("NOTICE", "done")
    ]
