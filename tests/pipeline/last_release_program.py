"""One responder over what another version left, for each of several stores: python last_release_program.py FILE.

FILE holds a cluster's objects and, by names, a finding with the documents of its store. Printed is, by the same names,
how a copy of the notification ended, how one with other content did, what a sweep said, and what was changed in the
cluster. It is run with the last release's own code and kits, and imports nothing that those have not.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.clock import utc_now
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.server.objects import target_to
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import RAILS, Deployment, deployed, mutations, policy

HERE = {"content-type": "application/json", "host": "127.0.0.1:8080"}
AHEAD = timedelta(minutes=20)
"""So much later a case that was given back is a sweep's."""


@contextmanager
def left(objects: list[dict[str, Any]]) -> Iterator[SimulatedCluster]:
    """The cluster as it was left."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        for item in objects:
            cluster._objects._objects[target_to(item).key] = item
        cluster._objects.version = max(int(item["metadata"]["resourceVersion"]) for item in objects)
        yield cluster


def responder(folder: Path, cluster: SimulatedCluster, documents: list[dict[str, Any]]) -> Deployment:
    """One that does at once what its policy asks for, over a store with these documents; the switch is at enforce."""
    steps = policy("label_pod", "isolate_pod", "delete_pod", name="contain")
    made = deployed(folder, cluster, steps, guardrails=f"{RAILS}storm_breaker: {{targets: 1000}}\n")
    made.set_clock(lambda: utc_now() + AHEAD)
    made.turn("enforce")
    store = SqliteStore(folder / "journal.db")
    for entry in documents:
        value, before = entry["value"].encode(), store.get(entry["key"])
        if before:
            store.replace(entry["key"], value, before.version, unfinished=entry["unfinished"])
        else:
            store.create(entry["key"], value, unfinished=entry["unfinished"])
    store.close()
    return made


def answered(given: dict[str, Any], objects: list[dict[str, Any]]) -> dict[str, Any]:
    """What became of one finding."""
    document = given["finding"]
    with tempfile.TemporaryDirectory() as folder, left(objects) as cluster:
        made = responder(Path(folder), cluster, given["documents"])
        made.list_finding(document)
        same = made.deliver(document).reason
        newer = {**document, "finding": {**document["finding"], "severity": "LOW"}}
        newer["finding"]["eventTime"] = (utc_now() + AHEAD / 2).isoformat().replace("+00:00", "Z")
        made.list_finding(newer)
        other = made.deliver(newer).reason
        swept = sweep(HERE, "127.0.0.1", made.services).reason
        changed = mutations([event for event in cluster.audit if not event.dry_run])
        return {"same": same, "other": other, "swept": swept, "changed": changed}


def main(path: str) -> None:
    """Print what became of all of them."""
    given = json.loads(Path(path).read_text())
    made = {name: answered(each, given["objects"]) for name, each in given["stores"].items()}
    sys.stdout.write(f"{json.dumps(made)}\n")


if __name__ == "__main__":
    main(sys.argv[1])
