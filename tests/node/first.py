"""The first process of the node: `python -m tests.node.first FOLDER START_JSON`. The kernel ends all others with it.

It starts a control plane and a node in its own namespaces. When all is ready it writes FOLDER/state.json, and from then
on waits for a program to end, which ends the node.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import yaml

from scc_responder.domain.value import Value
from tests.cluster import launch, supervisor
from tests.cluster.client import ApiFailure, ClusterClient
from tests.cluster.launch import Ports
from tests.cluster.objects import is_settled
from tests.cluster.polling import wait_until
from tests.cluster.roles import roles
from tests.cluster.state import Identity, State
from tests.cluster.supervisor import Programs, StartFailed
from tests.node import launch as node_launch
from tests.node import namespaces, registry

READY_SECONDS = 90.0
KINDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CALICO_KINDS = "/apis/crd.projectcalico.org/v1"


class Start(Value, frozen=True, kw_only=True):
    """What the supervisor hands over."""

    supervisor: int
    ports: Ports
    listener: int
    controllers: tuple[str, ...]
    programs: dict[str, str]
    identities: dict[str, Identity]


def main(folder: Path, start: Start) -> None:
    """Run a node until one of its programs ends."""
    started = time.monotonic()
    namespaces.prepare(folder, start.controllers)
    programs = Programs(folder, start.programs)
    try:
        _start(folder, start, programs)
    except (StartFailed, TimeoutError, ApiFailure) as error:
        sys.exit(f"{error}\n" + "\n".join(f"{name}:\n{programs.log_tail(name)}" for name in programs.names))
    state = State(
        url=f"https://127.0.0.1:{start.ports.server}",
        supervisor=start.supervisor,
        ready_seconds=time.monotonic() - started,
        identities=start.identities,
    )
    supervisor.write_whole(folder / "state.json", msgspec.json.encode(state))
    _reap(programs)


def _start(folder: Path, start: Start, programs: Programs) -> None:
    python = {"PYTHONPATH": os.environ["PYTHONPATH"]}
    programs.start("containerd", node_launch.containerd(folder))
    programs.start("outside", ("--net=/run/netns/outside", start.programs["workload"], "outside", node_launch.OUTSIDE))
    programs.start("etcd", launch.etcd(folder, start.ports))
    supervisor.wait_listening("etcd", start.ports.etcd, programs)
    reached = "--kubelet-preferred-address-types=InternalIP"
    programs.start("kube-apiserver", (*launch.kube_apiserver(folder, start.ports), reached))
    forward = ("-m", "tests.node.forward", str(start.listener), str(start.ports.server))
    programs.start("forward", forward, python, inherited=(start.listener,))
    programs.start("registry", ("-m", "tests.node.registry", str(folder / "registry"), str(registry.PORT)), python)
    _import_images(folder, start.programs["ctr"], programs)
    url = f"https://127.0.0.1:{start.ports.server}"
    admin = ClusterClient(url, folder / "ca.pem", start.identities["admin"].token)
    supervisor.wait_ready(admin, programs)
    programs.start("kube-controller-manager", launch.kube_controller_manager(folder))
    programs.start("kubelet", node_launch.kubelet(folder))
    _prepare_calico(Path(start.programs["crds"]), admin)
    programs.start("calico-felix", (), node_launch.felix(folder))
    admin.apply(yaml.safe_dump_all(roles(start.identities["responder"].user, start.identities["reader"].user)))
    supervisor.wait_service_accounts(admin, programs)
    _wait_node(admin, programs)


def _import_images(folder: Path, ctr: str, programs: Programs) -> None:
    wait_until(Path("/run/containerd/containerd.sock").exists, what="containerd", seconds=READY_SECONDS)
    programs.check()
    for path in sorted((folder / "images").iterdir()):
        namespaces.run(ctr, "--namespace", "k8s.io", "images", "import", str(path))


def _prepare_calico(crds: Path, admin: ClusterClient) -> None:
    for path in sorted(crds.glob("*.yaml")):
        for item in yaml.safe_load_all(path.read_text()):
            admin.request("POST", KINDS, item)
    ready = {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "ClusterInformation",
        "metadata": {"name": "default"},
        "spec": {"datastoreReady": True},
    }
    target = f"{CALICO_KINDS}/clusterinformations"
    wait_until(lambda: admin.send("POST", target, ready).status in {201, 409}, what="Calico's kinds")


def _wait_node(admin: ClusterClient, programs: Programs) -> None:
    def ready() -> Any:
        programs.check()
        answer = admin.send("GET", f"/api/v1/nodes/{node_launch.NODE}")
        return answer.status == 200 and is_settled(answer.body)

    wait_until(ready, what="the node to be ready", seconds=READY_SECONDS)


def _reap(programs: Programs) -> None:
    """Wait for what ends: orphans, which are many, and programs, after which there is no node any more."""
    mine = {programs.pid(name): name for name in programs.names}
    while True:
        pid, status = os.wait()
        if pid in mine:
            sys.exit(f"{mine[pid]} ended with {os.waitstatus_to_exitcode(status)}:\n{programs.log_tail(mine[pid])}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=Start))
