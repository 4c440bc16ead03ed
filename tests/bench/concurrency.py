"""`python -m tests.bench.concurrency`: a burst of findings at several thread counts, with the function killed in it.

Prints JSON; 1 if a write was lost or doubled. The journal is SQLite: no call to it has a network to cross.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.clock import utc_now
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from tests.bench.rig import Rig, rig
from tests.cluster.audit import AuditEvent
from tests.cluster.cut_off import made, named
from tests.e2e.scene import EACH_ONCE, let_leases_run_out, purpose
from tests.e2e.served import ServedFunction
from tests.findings import push_body

PATIENCE = 240.0
BACKOFF = (0.2, 2.0)
"""Seconds before a delivery is repeated, at first and at most. Pub/Sub waits longer, which would measure Pub/Sub."""
UNSETTLED = {"failed", "intent", "unknown"}


class Burst:
    """Findings about as many pods, posted at once to one function, which is killed while it works on them."""

    def __init__(self, rig: Rig, threads: int, documents: Sequence[Mapping[str, Any]]) -> None:
        self.rig, self.documents = rig, documents
        self.journal = rig.folder / f"burst-{next(rig.runs)}.db"
        environment = {**rig.environment(self.journal), "THREADS": str(threads)}
        self.function = ServedFunction(rig.function, environment, log=self.journal.with_suffix(".log"))
        self.unanswered: Counter[str] = Counter()
        self.megabytes = 0.0
        self.begun = datetime.now(UTC)
        self._up = threading.Event()

    def run(self, kills: Sequence[int]) -> None:
        """Post everything; kill the function once so many writes were accepted. Raises AssertionError, TimeoutError."""
        self._start()
        try:
            self._post_all(kills)
        finally:
            self.function.stop()

    def _post_all(self, kills: Sequence[int]) -> None:
        with ThreadPoolExecutor(len(self.documents)) as pool:
            self.begun = datetime.now(UTC)
            deliveries = [pool.submit(self._deliver, push_body(document)) for document in self.documents]
            for moment in kills:
                self._watch_until(deliveries, moment)
                self._kill()
            self._watch_until(deliveries)
        for delivery in deliveries:
            delivery.result()

    def _start(self) -> None:
        self.function.start()
        # One core, as an instance has by default. The worker is forked later, and inherits it.
        os.sched_setaffinity(self.function.process.pid, {min(os.sched_getaffinity(0))})
        self.function.wait_listening()
        self._up.set()

    def _deliver(self, body: bytes) -> None:
        """Post until it is settled, as Pub/Sub does. Raises TimeoutError."""
        pause, last = BACKOFF
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self._up.wait(PATIENCE)
            answer = self._post(body)
            if answer == "204":
                return
            self.unanswered[answer] += 1
            time.sleep(pause)
            pause = min(pause * 2, last)
        raise TimeoutError(f"a delivery was not settled within {PATIENCE:.0f} s: {self.unanswered}")

    def _post(self, body: bytes) -> str:
        try:
            return str(self.function.post(body)[0])
        except (OSError, http.client.HTTPException):
            return "cut_off"

    def _watch_until(self, deliveries: Sequence[Future[None]], moment: int | None = None) -> None:
        """Note the memory in use until that many writes were accepted, or else until everything is settled."""
        while wait(deliveries, timeout=0.05).not_done:
            self.megabytes = max(self.megabytes, self.function.resident_megabytes())
            if moment is not None and len(self.writes()) >= moment:
                return
        assert moment is None, "the burst was over before the function was to be killed"

    def _kill(self) -> None:
        self._up.clear()
        self.function.kill()
        # No other process holds a case: every lease is a dead one, and running out is all that it could do.
        let_leases_run_out(self.journal)
        self._start()

    def writes(self) -> list[AuditEvent]:
        """The writes made to this burst's pods, nodes and network policies, by the audit log."""
        nodes = {_pod_of(document)["node"] for document in self.documents}
        events = self.rig.plane.audit(since=self.begun, namespace=self.rig.namespace)
        return [event for event in made(events) if event.resource != "nodes" or event.name in nodes]

    def cases(self) -> list[CaseRecord]:
        """The findings' cases. Raises AssertionError where one was never opened."""
        store = SqliteStore(self.journal)
        journal = Journal(store, utc_now)
        records = [journal.read(parse_notification(document).key) for document in self.documents]
        store.close()
        found = [record for record in records if record is not None]
        assert len(found) == len(records), "a finding has no case"
        return found


def _pod_of(document: Mapping[str, Any]) -> dict[str, str]:
    pod = document["finding"]["kubernetes"]["pods"][0]
    node = document["finding"]["kubernetes"]["nodes"][0]["name"].rpartition("/")[2]
    return {"name": pod["name"], "node": node}


def deviations(writes: Sequence[AuditEvent], findings: int) -> list[str]:
    """Where the writes are not each purpose once for each finding: empty when nothing was lost or doubled."""
    counts = Counter((purpose(event), named(event)) for event in writes)
    doubled = [f"{what} {name}: {count} times" for (what, name), count in counts.items() if count != 1]
    objects = Counter(what for what, _name in counts)
    wanted = dict.fromkeys(EACH_ONCE, findings)
    names = sorted({*wanted, *objects})
    return doubled + [
        f"{what}: of {objects[what]} objects, not of {wanted.get(what, 0)}"
        for what in names
        if objects[what] != wanted.get(what, 0)
    ]


def moments(findings: int, kills: int, seed: int) -> list[int]:
    """After how many accepted writes of the burst to kill: anywhere in the first four fifths, in order."""
    return sorted(random.Random(seed).sample(range(1, findings * len(EACH_ONCE) * 4 // 5), kills))


def measured(rig: Rig, threads: int, documents: Sequence[Mapping[str, Any]], kills: Sequence[int]) -> dict[str, Any]:
    """The figures of one burst."""
    burst = Burst(rig, threads, documents)
    burst.run(kills)
    writes, cases = burst.writes(), burst.cases()
    contained = sorted(
        (event.completed - burst.begun).total_seconds() for event in writes if purpose(event) == "delete pods"
    )
    return {
        "threads": threads,
        "findings_per_second": round(len(documents) / contained[-1], 2),
        "contained_seconds": {"median": round(statistics.median(contained), 2), "p95": _p95(contained)},
        "resident_megabytes": round(burst.megabytes, 1),
        "deliveries_repeated": dict(burst.unanswered),
        "cases_interrupted": sum(case.epoch > 1 for case in cases),
        "unsettled": sorted({step.action for case in cases for step in case.steps if step.status in UNSETTLED}),
        "not_contained": _not_contained(cases),
        "not_exactly_once": deviations(writes, len(documents)),
    }


def _not_contained(cases: Sequence[CaseRecord]) -> list[list[str]]:
    """What became of each finding whose pod was not deleted, step by step."""
    told = [[f"{step.action}: {step.status}: {step.reason}" for step in case.steps] for case in cases]
    return [steps for steps in told if not any(step.endswith((": deleted", ": gone_after_intent")) for step in steps)]


def _p95(values: Sequence[float]) -> float:
    return round(values[max(0, -(-len(values) * 95 // 100) - 1)], 2)


def main() -> int:
    """Measure each thread count once, with the same moments to kill at."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.concurrency")
    parser.add_argument("--threads", default="1,2,4,8,16", help="thread counts, with commas between")
    parser.add_argument("--findings", type=int, default=24, help="findings in a burst")
    parser.add_argument("--kills", type=int, default=2, help="how often the function is killed in each burst")
    parser.add_argument("--seed", type=int, default=1, help="for the moments at which it is killed")
    chosen = parser.parse_args()
    kills = moments(chosen.findings, chosen.kills, chosen.seed)
    figures = []
    for threads in map(int, chosen.threads.split(",")):
        print(f"{threads} threads ...", file=sys.stderr, flush=True)
        # A cluster slows down with what earlier bursts left in it: each count has a fresh one.
        with tempfile.TemporaryDirectory(prefix="scc-responder-bench-") as folder, rig(Path(folder)) as parts:
            figures.append(measured(parts, threads, parts.victims(chosen.findings), kills))
        print(json.dumps(figures[-1]), file=sys.stderr, flush=True)
    machine = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 2)}
    print(json.dumps({"figures": figures, "killed_after_writes": kills, "machine": machine}, indent=2))
    return 1 if any(figure["not_exactly_once"] or figure["unsettled"] for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
