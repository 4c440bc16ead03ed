"""A delivery that stalls past its lease: another one finishes the case, and nothing is done twice."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.journal.journal import LEASE
from scc_responder.journal.messages import Ending
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.counts import Cases
from tests.kits.responder import ALL, Deployment, Interposed, api_of, deployed, finding_about, policy

REQUESTS = Cases("requests at which a holder stalls", (1, 6, 9, 12, 15, 18, 20), tuple(range(1, 22)))


def stalled_at(number: int, api: Any) -> tuple[Interposed, threading.Event, threading.Event]:
    """The API server behind a process that stops before its request of this number; when it does, and goes on."""
    stalls, goes_on = threading.Event(), threading.Event()

    def wait(called: int, _verb: str, _path: str) -> None:
        if called == number:
            stalls.set()
            assert goes_on.wait(20)

    return Interposed(api, wait), stalls, goes_on


@pytest.mark.parametrize("number", REQUESTS.chosen)
def test_nothing_is_done_twice(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], number: int) -> None:
    """The first holder wakes up after the second one's end: its journal is no longer its own, so it changes nothing."""
    first = deployed(tmp_path, cluster, policy(*ALL))
    second = Deployment(tmp_path, api_of(cluster), first.services.settings.policies)
    second.set_clock(lambda: utc_now() + LEASE + timedelta(seconds=1))
    document = finding_about(pod)
    first.list_finding(document)
    first.clusters.api, stalls, goes_on = stalled_at(number, first.clusters.api)
    endings: list[Ending] = []
    holder = threading.Thread(target=lambda: endings.append(first.deliver(document)))
    holder.start()
    assert stalls.wait(20)
    ended = second.deliver(document)
    goes_on.set()
    holder.join(20)

    assert ended.status == 204
    assert second.case(document).state == "done"
    assert [ending.status for ending in endings] == [503]
    made = [event for event in cluster.audit if event.user == "responder" and event.code < 300 and not event.dry_run]
    done = Counter(f"{event.verb} {event.rbac_resource}" for event in made if event.verb not in {"get", "list"})
    # A mark or an armed label is the same, whoever of the two sets it.
    assert {name: count for name, count in done.items() if name != "patch pods" and count > 1} == {}
    assert done["delete pods"] == 1
