"""What a finding costs in requests and writes, measured, for terraform/docs/cost-and-quotas.md.

`python -m tests.docs.costs` writes the page's tables anew, those of `rates.py` too.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scc_responder.journal.journal import Journal
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.docs import looks, rates
from tests.docs.examples import ROOT
from tests.kits.responder import (
    ALL,
    CLUSTER,
    NODE,
    SHIPPED,
    SPARE_NODE,
    Deployment,
    deployed,
    finding_about,
    mutations,
    policy,
)

PAGE = ROOT / "terraform" / "docs" / "cost-and-quotas.md"
COMMAND = "python -m tests.docs.costs"

LADDER = "`contain-malicious-library`, with a collector"
SHIPPED_LADDER = next(each for each in load_policies(SHIPPED).policies if each.name in LADDER)
COLLECTOR = f"europe-docker.pkg.dev/example-project/tools/collector@sha256:{'c0' * 32}"
MARK = ("label_pod", "annotate_pod", "capture_evidence", "notify")
RESPONSES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "evidence and a message": (("capture_evidence", "notify"), "enforce"),
    "the pod marked as well": (MARK, "enforce"),
    "isolated as well": (("label_pod", "annotate_pod", "isolate_pod", "capture_evidence", "notify"), "enforce"),
    "node cordoned and pod deleted as well": (ALL, "enforce"),
    "the last one, in dry run": (ALL, "dry_run"),
    LADDER: (tuple(step.action for step in SHIPPED_LADDER.then), "enforce"),
}
"""What is done about a finding, by a policy with these actions and this mode."""

_COLUMNS = (
    "API server requests",
    "of them changes",
    "store requests",
    "of them writes",
    "evidence objects",
    "messages",
)

DUPLICATE = "the same notification again"


class Cost(NamedTuple):
    """What one finding takes: `changes` are the requests that change something in the cluster.

    Of `store_requests` some write, and the others read one document or several.
    """

    requests: int
    changes: int
    store_requests: int
    store_writes: int
    evidence: int
    messages: int


class CountedStore:
    """A store that counts what it is asked for: each call is one request, and those that succeed may be writes."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.requests = 0
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)

        def counted(*args: Any, **options: Any) -> Any:
            self.requests += 1
            answer = found(*args, **options)
            self.writes += name in {"create", "replace", "delete"}
            return answer

        return counted


def measured(name: str) -> Cost:
    """The cost of one response, in a cluster that starts afresh; of a duplicate, that of its second delivery.

    By an instance that has read the cluster before.
    """
    actions, mode = RESPONSES.get(name, (ALL, "enforce"))
    with tempfile.TemporaryDirectory() as folder, SimulatedCluster(stop_seconds=0) as cluster:
        for item in (objects.namespace("shop"), objects.node(NODE), objects.node(SPARE_NODE)):
            cluster.create(item)
        cluster.create(objects.deployment("web", "shop", NODE, replicas=2))
        collector = {"collector": COLLECTOR} if name == LADDER else {}
        deployment = deployed(Path(folder), cluster, policy(*actions, mode=mode), **collector)
        services = deployment.services
        services.logs = None
        services.answering.add(CLUSTER)
        store: Any = CountedStore(services.store)
        services.store, services.journal = store, Journal(store, services.clock)
        document = finding_about(cluster.objects("Pod", "shop")[0])
        deployment.respond_to(document)
        first = _so_far(cluster, store, deployment)
        if name != DUPLICATE:
            return first
        deployment.deliver(document)
        both = _so_far(cluster, store, deployment)
        return Cost(*(after - before for after, before in zip(both, first, strict=True)))


def _so_far(cluster: SimulatedCluster, store: CountedStore, deployment: Deployment) -> Cost:
    asked = [event for event in cluster.audit if event.user == "responder"]
    return Cost(
        requests=len(asked),
        changes=len(mutations(event for event in asked if not event.dry_run)),
        store_requests=store.requests,
        store_writes=store.writes,
        evidence=len([*deployment.folder.glob("evidence/**/*.json")]),
        messages=len(deployment.published.messages),
    )


def table() -> str:
    """The costs as a Markdown table."""
    rows = [f"| {name} | {' | '.join(map(str, measured(name)))} |" for name in (*RESPONSES, DUPLICATE)]
    head = f"| one finding | {' | '.join(_COLUMNS)} |"
    return "\n".join([head, "|---" * (len(_COLUMNS) + 1) + "|", *rows])


def written(page: str) -> str:
    """The page with its tables as they should be."""
    most = max(measured(name).requests for name in RESPONSES)
    for name, text in (("costs", table()), ("rates", rates.told(most)), ("looks", looks.told())):
        marked = re.compile(rf"(<!-- {name}: {COMMAND} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = marked.sub(lambda match, text=text: f"{match[1]}\n{text}\n\n{match[2]}", page)  # type: ignore[misc]
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
    sys.stdout.write(f"{PAGE}\n")
