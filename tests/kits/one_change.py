"""Carry out one change in a simulated cluster, as `execute` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.domain.changes import Change, StepRun
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.kubernetes.collector_stream import new_private_key
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import FrozenProcess, Result, done
from scc_responder.workbench.simulated_cluster.server.objects import Admission, admit_all
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects

NODE = "node-1"
_READERS = ThreadPoolExecutor(2)


IMAGE = "registry.example.com/collector@sha256:" + "a" * 64


class MemoryCollector:
    """`changes.Collector` whose key is in memory."""

    def __init__(self, image: str = IMAGE, case: str = "5401ff97f041") -> None:
        self.image = image
        self.case = case
        self.key: bytes | None = None

    def private_key(self) -> bytes:
        """Make it once."""
        self.key = self.key or new_private_key()
        return self.key

    def stored_key(self) -> bytes | None:
        """The key that was made."""
        return self.key


class OneCluster:
    """`changes.Means` of one cluster that is reached."""

    def __init__(self, cluster: SimulatedCluster, user: str = "responder") -> None:
        self.cluster = cluster
        token = cluster.token(user)
        self.api: Any = connect(cluster.url, None, lambda: token)
        self.published = 0
        self.captured: list[Change] = []
        self.collector = MemoryCollector()
        self.stopped: tuple[FrozenProcess, ...] = ()
        self.done_at: datetime | None = None

    def frozen(self, uid: str) -> tuple[FrozenProcess, ...]:
        """What a test says."""
        return self.stopped

    def was_done_by(self, change: Change, moment: datetime) -> bool:
        """By what a test says."""
        return self.done_at is None or self.done_at <= moment

    def in_cluster(self, change: Callable[[ClusterSession], Result]) -> Result:
        """Make it there."""
        return change(ClusterSession(self.api, {}, lambda _seconds: None, _READERS))

    def capture_evidence(self, change: Change, step: StepRun) -> Result:
        """Keep what was asked for."""
        self.captured.append(change)
        return done(Reason.CAPTURED)

    def publish_decision(self, step: StepRun, to: str) -> Result:
        """Count it."""
        self.published += 1
        return done(Reason.PUBLISHED)


@contextmanager
def one_cluster(
    admission: Admission = admit_all, **namespace_labels: str
) -> Iterator[tuple[SimulatedCluster, OneCluster]]:
    """A cluster with one Deployment of one pod, in a namespace of these labels."""
    with SimulatedCluster(stop_seconds=0, admission=admission) as cluster:
        cluster.create(objects.namespace("shop", labels=namespace_labels))
        cluster.create(objects.node(NODE))
        cluster.create(objects.deployment("web", "shop", NODE))
        means = OneCluster(cluster)
        opened = means.api
        try:
            yield cluster, means
        finally:
            opened.close()


def step_run(action_id: str = "a1", *, dry_run: bool = False, intended: bool = False) -> StepRun:
    """A step that may be carried out."""
    return StepRun(action_id=action_id, dry_run=dry_run, intended=intended, intend=lambda: None, renew=lambda: None)


def pod_target(cluster: SimulatedCluster) -> dict[str, Any]:
    """The pod, as the fields of a change name it."""
    meta = cluster.objects("Pod", "shop")[0]["metadata"]
    return {"namespace": "shop", "name": meta["name"], "uid": meta["uid"]}
