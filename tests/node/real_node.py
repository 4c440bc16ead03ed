"""The real node as tests see it: `python -m tests.node.real_node` builds what is missing for one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp

import yaml

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.domain.ports import KubernetesApi
from tests.admission.installed import MODE, network_policy
from tests.admission.kustomize import build
from tests.cluster import binaries as cluster_binaries
from tests.cluster import control_plane as cluster
from tests.cluster.binaries import BinariesUnavailable
from tests.cluster.client import Answer, ClusterClient, object_path
from tests.cluster.control_plane import ControlPlane
from tests.cluster.objects import Manifest
from tests.cluster.polling import wait_until
from tests.cluster.state import read_state
from tests.node import binaries, cgroups, packages
from tests.node.packages import NodeUnavailable
from tests.node.supervisor import first_process
from tests.node.truth import Outside

SUPERVISOR = "tests.node.supervisor"
CONTAINERS = "k8s.io"
"""containerd's namespace of what kubelet runs."""


class Node:
    """A running node: its API server, and what reached the server outside it."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self._folder = plane.ca_file.parent
        self.outside = Outside(self._folder)
        self.collector = ""

    @cached_property
    def responder(self) -> KubernetesApi:
        """The API server as the responder sees it, by connections that are kept, as on a warm function."""
        plane = self.plane
        return connect(plane.url, plane.ca_pem.encode(), lambda: plane.token("responder"))

    def run(self, *command: str) -> str:
        """Run a program of the machine's within the node: what it printed. Raises CalledProcessError."""
        first = first_process(first_process(read_state(self._folder).supervisor))
        inside = ("nsenter", f"--target={first}", "--mount", "--pid", "--net", *command)
        return subprocess.run(inside, check=True, capture_output=True, text=True).stdout

    def admit(self, collector: str) -> None:
        """Apply what is shipped for a cluster, with this collector image, and turn it on. Raises TimeoutError."""
        self.collector = collector
        identity = {"email": self.plane.user("responder"), "unique_id": "1" * 21}
        shipped = build(identity, ["forensic"], collector={"image": collector})
        self.admin.apply(yaml.safe_dump_all([*shipped, *_forensic(self.plane.user("responder"))]))
        self.admin.patch("/api/v1/namespaces/default", {"metadata": {"annotations": {MODE: "enforce"}}})
        api = self.plane.client("responder")
        path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"

        def answer(name: str) -> Answer:
            return api.send("POST", path, network_policy("default", name), dryRun="All")

        good = str(network_policy("default")["metadata"]["name"])
        wait_until(lambda: "scc-responder-acts" in str(answer("x").body), what="the admission policy to be in force")
        wait_until(lambda: answer(good).status == 201, what="the mode to be in force")

    def offer(self, name: str, layout: Path) -> None:
        """Let the node's registry have an image, as an OCI layout: `registry.HOST/NAME@sha256:...`."""
        shutil.copytree(layout, self._folder / "registry" / name)

    def current(self, pod: Manifest) -> Manifest:
        """The pod of this name as it is: the given one where there is none."""
        answer = self.admin.send("GET", object_path(pod))
        return answer.body if answer.status == 200 else pod

    def remove_image(self, name: str) -> None:
        """Let the node have the image of this name no longer: its next container has to pull it."""
        listed = self.run("ctr", "--namespace", CONTAINERS, "images", "ls").splitlines()[1:]
        digests = {words[2] for words in map(str.split, listed) if words[0] == name}
        same = [words[0] for words in map(str.split, listed) if words[2] in digests]
        if same:
            self.run("ctr", "--namespace", CONTAINERS, "images", "rm", *same)

    @property
    def admin(self) -> ClusterClient:
        """The client that may do everything."""
        return self.plane.admin


def _forensic(user: str) -> Sequence[Manifest]:
    """The tier `forensic`, whether or not an enabled policy needs it."""
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "forensic"}}
    rules = [
        {"apiGroups": [""], "resources": ["pods/ephemeralcontainers"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    ]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "forensic"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]
    return (
        {**kind, "kind": "ClusterRole", "rules": rules},
        {**kind, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": subjects},
    )


def programs() -> dict[str, Path]:
    """All that a node is made of, built if need be. Raises NodeUnavailable, BinariesUnavailable."""
    machine = packages.require()
    fixed = [str(path) for path in cgroups.own_groups().values() if not os.access(path, os.W_OK)]
    if fixed:
        raise NodeUnavailable(f"no cgroup can be made in {fixed[0]}", packages.PRIVILEGED)
    started = {"outside": machine["nsenter"], **dict.fromkeys(("forward", "registry"), Path(sys.executable))}
    return {**machine, **cluster_binaries.programs(), **binaries.programs(), **started}


def start(folder: Path, paths: Mapping[str, Path], owner: int) -> Node:
    """Start a node in `folder`, which ends with the process `owner`; `tests.cluster.control_plane` ends it too.

    Raises RuntimeError.
    """
    return Node(cluster.start(folder, paths, owner, SUPERVISOR))


@contextmanager
def running(paths: Mapping[str, Path]) -> Iterator[Node]:
    """A node, for the time of a `with` block."""
    folder = Path(mkdtemp(prefix="scc-node-"))
    node = start(folder, paths, os.getpid())
    try:
        yield node
    finally:
        cluster.stop(folder)


if __name__ == "__main__":
    try:
        programs()
    except (NodeUnavailable, BinariesUnavailable) as error:
        sys.exit(f"no real node: {error.reason}\n{error.remedy}")
