"""A folder with all that a deployment of the responder needs to work on the simulated cluster."""

from __future__ import annotations

import json
import re
from pathlib import Path

from scc_responder.settings import VARIABLE_PREFIX
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.notifications import (
    CHECKOUT_SERVICE,
    CLOUD_RUN_SOURCE,
    CONTAINER_SOURCE,
    STORY_CLUSTER,
)

CONTEXT = "simulated"
PLAYED_COLLECTOR = f"europe-docker.pkg.dev/example-project/tools/collector@sha256:{'c0' * 32}"
"""The image that looks into pods: the simulated cluster plays what it would tell."""

RUN_WRITER = "writer@example-project.iam.gserviceaccount.com"
"""Who changes the Cloud Run that is played: it asks for no token."""

_REHEARSING = "respond-to-compiler.yaml"
"""The policy that stays as it is shipped."""

_WARM_UP = re.compile(r"^warm_up: .*$", re.MULTILINE)
_MODE = re.compile(r"^mode: dry_run$", re.MULTILINE)


class StoryFolder:
    """The folder's parts. `lay_out` writes those that the responder only reads.

    `run_endpoint` is where Cloud Run is played, `host:port`; empty where it is not.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policies = folder / "policies"
        self.findings = folder / "findings"
        self.evidence = folder / "evidence"
        self.journal = folder / "journal.db"
        self.log = folder / "function.log"
        self.clusters = folder / "clusters.yaml"
        self.undo_clusters = folder / "undo-clusters.yaml"
        """The same cluster, reached as the identity of undo."""
        self.run_endpoint = ""

    @property
    def settings(self) -> dict[str, str]:
        """The environment that makes the function work with this folder."""
        given = {
            "POLICIES": str(self.policies),
            "CLUSTERS": STORY_CLUSTER,
            "SOURCES": f"{CONTAINER_SOURCE},{CLOUD_RUN_SOURCE}",
            "STORE": f"sqlite:///{self.journal}",
            "EVIDENCE": self.evidence.as_uri(),
            "COLLECTOR": PLAYED_COLLECTOR,
            "CLUSTERS_FILE": str(self.clusters),
            "FINDINGS": str(self.findings),
            **(self._cloud_run if self.run_endpoint else {}),
        }
        return {VARIABLE_PREFIX + name: value for name, value in given.items()}

    @property
    def undo_settings(self) -> dict[str, str]:
        """The environment of a desk that takes back what the function did."""
        return {**self.settings, f"{VARIABLE_PREFIX}CLUSTERS_FILE": str(self.undo_clusters)}

    @property
    def _cloud_run(self) -> dict[str, str]:
        return {"SERVICES": CHECKOUT_SERVICE, "RUN_ENDPOINT": self.run_endpoint, "RUN_WRITER": RUN_WRITER}

    def lay_out(self, cluster: SimulatedCluster, shipped: Path) -> int:
        """Write how to reach the cluster, and the policies; return how many of them are raised to `enforce`."""
        for folder in (self.policies, self.findings, self.evidence):
            folder.mkdir()
        for user, file in (("responder", self.clusters), ("undo", self.undo_clusters)):
            write_access(cluster, user, file)
        return sum(_raise(path, self.policies / path.name) for path in sorted(shipped.glob("*.yaml")))


def write_access(cluster: SimulatedCluster, user: str, file: Path) -> None:
    """Write how this user reaches the cluster: a file of clusters, and a kubeconfig beside it."""
    kubeconfig = file.with_name(f"{user}-kubeconfig")
    kubeconfig.write_text(json.dumps(_kubeconfig(cluster, user), indent=2))
    entry = {"context": CONTEXT, "kubeconfig": kubeconfig.name, "enforces_network_policy": True}
    file.write_text(json.dumps({STORY_CLUSTER: entry}, indent=2))


def _raise(path: Path, copy: Path) -> bool:
    """Copy a file, in mode `enforce` if it is a policy in dry-run. Of the guardrails, no first shot waits."""
    text = path.read_text()
    raised = text if path.name == _REHEARSING else _MODE.sub("mode: enforce", text)
    copy.write_text(_WARM_UP.sub("warm_up: 0s", raised))
    return raised != text


def _kubeconfig(cluster: SimulatedCluster, user: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": {"server": cluster.url}}],
        "users": [{"name": CONTEXT, "user": {"token": cluster.token(user)}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
    }
