"""What looks at contained cases cost, measured, for terraform/docs/cost-and-quotas.md: see `costs.py`."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from scc_responder.domain.clock import utc_now
from scc_responder.pipeline.looks.look_sweep import look_sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.answers import HERE
from tests.kits.checkout_deployment import run_deployed, run_policy, split
from tests.kits.google.cloud_run.samples import CHECKOUT, IMAGE, deploy, image
from tests.kits.responder import ALL, NODE, SPARE_NODE, deployed, finding_about, policy

CASES = 1_000
SWEEPS = 24 * 60


class LookCost(NamedTuple):
    """What the looks at one case take: requests of the API server, documents read and written, and how many they are.

    `shared` are the documents that a sweep reads besides, for all cases together; as many are written at most.
    """

    looks: int
    requests: int
    reads: int
    writes: int
    shared: int


class _Documents:
    """A store that counts documents: a query that finds none is billed as one."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.cases = self.shared = self.writes = 0

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._store, name)

        def counted(*args: Any, **options: Any) -> Any:
            answer = asked(*args, **options)
            is_case = name == "scan_due" or str(args[0]).startswith("case/")
            if name in {"create", "replace"}:
                self.writes += is_case
            else:
                self.cases += is_case
                self.shared += not is_case
            return answer

        return counted


def measured() -> LookCost:
    """All looks at one case that isolated a pod, cordoned its node and deleted it; the most that a look can take."""
    with tempfile.TemporaryDirectory() as folder, SimulatedCluster(stop_seconds=0) as cluster:
        for item in (objects.namespace("shop"), objects.node(NODE), objects.node(SPARE_NODE)):
            cluster.create(item)
        cluster.create(objects.deployment("web", "shop", NODE, replicas=2))
        made = deployed(Path(folder), cluster, policy(*ALL))
        document = finding_about(cluster.objects("Pod", "shop")[0])
        made.respond_to(document)
        begun, before = utc_now(), len(cluster.audit)
        counts = []
        for after in made.services.settings.looks:
            made.set_clock(lambda after=after: begun + after + timedelta(seconds=1))  # type: ignore[misc]
            store: Any = _Documents(made.services.store)
            made.services.store = made.services.journal._store = store
            look_sweep(HERE, "127.0.0.1", made.services)
            counts.append(store)
        return LookCost(
            looks=len(counts),
            requests=len([event for event in cluster.audit[before:] if event.user == "responder"]),
            reads=sum(store.cases for store in counts),
            writes=sum(store.writes for store in counts),
            shared=max(store.shared for store in counts),
        )


def asked_on_run() -> int:
    """The requests of Google's APIs that all looks at one case of Cloud Run make: the most that they can take.

    Somebody deployed since, so that its images are asked for by their tags.
    """
    with tempfile.TemporaryDirectory() as folder, SimulatedCluster(stop_seconds=0) as cluster:
        cuts = run_policy("roll_back_service", "cut_ingress", "remove_invokers", mode="enforce")
        with run_deployed(Path(folder), cluster, cuts) as running:
            running.escaped()
            revision = deploy(running.world, image("c"))
            running.world.revisions[f"{CHECKOUT}/revisions/{revision}"].containers[0].image = f"{IMAGE}:c"
            split(running.world, {revision: 100})
            begun = utc_now()
            asked = (running.server.requests, running.digests.asked)
            before = sum(map(len, asked))
            for after in running.services.settings.looks:
                running.set_clock(lambda after=after: begun + after + timedelta(seconds=1))  # type: ignore[misc]
                look_sweep(HERE, "127.0.0.1", running.services)
            return sum(map(len, asked)) - before


def told() -> str:
    """The page's table."""
    cost, on_run = measured(), asked_on_run()
    head = f"| | {cost.looks} looks at one case | a day with {CASES:,} cases under watch |"
    rows = (
        ("API server requests", cost.requests, f"{CASES * cost.requests:,}"),
        ("of Cloud Run instead: requests of Google's APIs", on_run, f"{CASES * on_run:,}"),
        (
            "documents read",
            cost.reads,
            f"{CASES * cost.reads + SWEEPS * (1 + cost.shared):,} at most; {SWEEPS:,} where nothing is due",
        ),
        ("documents written", cost.writes, f"{CASES * cost.writes + SWEEPS * cost.shared:,} at most"),
    )
    return "\n".join([head, "|---|---|---|", *(f"| {name} | {one} | {day} |" for name, one, day in rows)])
