"""The parts of a measurement: the test cluster, Google's local servers, the deployment zip, and fresh victims."""

from __future__ import annotations

import base64
import itertools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import binaries, objects
from tests.cluster.control_plane import ControlPlane, running
from tests.cluster.kubelet import LogKubelet
from tests.e2e.served import ROOT, ServedFunction, unzip
from tests.kits.responder import CLUSTER, RAILS, SOURCE, compiled, finding_about, policy, turn, write_policies

ALL = ("label_pod", "annotate_pod", "isolate_pod", "capture_evidence", "cordon_node", "delete_pod", "notify")
GUARDRAILS = RAILS + "".join(
    [
        "approval: {approvers: [oncall@example.com]}\n",
        "storm_breaker: {targets: 1000, denials: 1000}\nlimits:\n",
        *(
            f"  {scope}: [{{most: 1000, within: 10m}}, {{most: 1000, of: nodes, within: 10m}}]\n"
            for scope in ("owner", "namespace", "node", "node_pool", "cluster", "organization")
        ),
        "isolation:\n  storm_breaker: {targets: 1000, denials: 1000}\n  limits:\n",
        *(
            f"    {scope}: [{{most: 1000, within: 10m}}]\n"
            for scope in ("owner", "namespace", "node", "cluster", "organization")
        ),
    ]
)
"""Every limit is counted, and none is met by as many findings as are measured."""
SIDE_BY_SIDE = 4
FLOOR = 'import functions_framework\n\n\n@functions_framework.http\ndef respond(request):\n    return "", 204\n'


class Rig:
    """One cluster and one set of local servers, under which functions are started and measured."""

    def __init__(self, plane: ControlPlane, folder: Path, endpoints: dict[str, str]) -> None:
        self.plane, self.folder, self.endpoints = plane, folder, endpoints
        self.kubelet: LogKubelet | None = None
        self.function, self.repository = unzip(folder), ROOT
        self.floor = folder / "floor"
        self.floor.mkdir()
        (self.floor / "main.py").write_text(FLOOR)
        self.policies = compiled(write_policies(folder / "policies", policy(*ALL), guardrails=GUARDRAILS))
        (folder / "token").write_text(plane.token("responder"))
        self.namespace = objects.create_namespace(plane.admin)
        self.findings: list[dict[str, Any]] = []
        self.golden = "reverse_shell"
        self.runs = itertools.count(1)

    def victims(self, count: int) -> list[dict[str, Any]]:
        """Findings about fresh pods, each of a Deployment and on a node of its own, known to the local servers."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            made = list(pool.map(lambda _: self._victim(), range(count)))
        self.findings += made
        (self.folder / "findings.json").write_text(json.dumps(self.findings))
        time.sleep(0.3)  # the servers' process looks for changes every 50 ms
        return made

    def _victim(self) -> dict[str, Any]:
        node = objects.create_node(self.plane.admin)["metadata"]["name"]
        if self.kubelet:
            self.kubelet.serve(node)
        name = f"web-{next(self.runs)}"
        self.plane.admin.create(objects.deployment(name, self.namespace, node, replicas=2))
        pod = objects.running_pods(self.plane.admin, self.namespace, name, count=2)[0]
        return finding_about(pod, self.golden, finding_id=pod["metadata"]["uid"].replace("-", ""))

    def served(self, *, floor: bool = False) -> ServedFunction:
        """A function that is not started yet, with a journal of its own."""
        number = next(self.runs)
        log = self.folder / f"function-{number}.log"
        if floor:
            return ServedFunction(self.floor, {}, log=log)
        environment = {**self._environment(), **self.journal(number)}
        return ServedFunction(self.function, environment, log=log, repository=self.repository)

    def journal(self, number: int) -> dict[str, str]:
        """The settings of a fresh journal, and of the policies."""
        return self._kept_in(self.folder / f"journal-{number}.db")

    def environment(self, journal: Path) -> dict[str, str]:
        """All settings of a function whose journal is this new file, with the kill switch at enforce."""
        return {**self._environment(), **self._kept_in(journal)}

    def _kept_in(self, path: Path) -> dict[str, str]:
        turn(path)
        return {
            "SCC_RESPONDER_STORE": f"sqlite:///{path}",
            "SCC_RESPONDER_POLICIES": str(self.policies),
        }

    def _environment(self) -> dict[str, str]:
        return {
            "SCC_RESPONDER_CLUSTERS": CLUSTER,
            "SCC_RESPONDER_SOURCES": SOURCE,
            "SCC_RESPONDER_EVIDENCE": f"file://{self.folder / 'evidence'}",
            "SCC_RESPONDER_SCC_ENDPOINT": self.endpoints["scc"],
            "SCC_RESPONDER_GKE_ENDPOINT": self.endpoints["gke"],
            "SCC_RESPONDER_KUBERNETES_TOKEN_FILE": str(self.folder / "token"),
        }


@contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """A rig with a control plane of its own, which end with the block."""
    with running(binaries.programs()) as plane, rig_on(plane, folder) as parts:
        yield parts


@contextmanager
def rig_on(plane: ControlPlane, folder: Path) -> Iterator[Rig]:
    """A rig on a control plane that runs already; its local servers end with the block."""
    (folder / "findings.json").write_text("[]")
    (folder / "clusters.json").write_text(json.dumps({CLUSTER: _gke_cluster(plane)}))
    serve = [sys.executable, "-m", "tests.kits.google.serve", "--scc-findings", str(folder / "findings.json")]
    serve += ["--clusters", str(folder / "clusters.json")]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, cwd=ROOT) as servers:
        try:
            assert servers.stdout is not None
            yield Rig(plane, folder, json.loads(servers.stdout.readline()))
        finally:
            servers.terminate()


def _gke_cluster(plane: ControlPlane) -> dict[str, Any]:
    return {
        "name": "prod-1",
        "endpoint": plane.url.removeprefix("https://"),
        "masterAuth": {"clusterCaCertificate": base64.b64encode(plane.ca_pem.encode()).decode()},
        "networkConfig": {"datapathProvider": "ADVANCED_DATAPATH"},
    }


def first_answer(function: ServedFunction, body: bytes) -> float:
    """Start a function and push to it as soon as it listens: the seconds from its start to its answer."""
    start = time.monotonic()
    function.start()
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", function.port)) == 0:
                break
        assert function.process.poll() is None, function.log.read_text()
        time.sleep(0.002)
    status, _answer = function.post(body)
    assert status == 204, function.log.read_text()
    return time.monotonic() - start
