"""Containment with its journal in Firestore: whatever becomes of a call, nothing is doubled, lost or unrecorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.journal import LEASE, Journal
from scc_responder.journal.messages import Ending
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.counts import Cases
from tests.kits.google.firestore import FirestoreEmulator, Opened
from tests.kits.google.firestore_faults import CallFault, CallScript, Cut, FaultyFirestore, Lose, Refuse, Stall
from tests.kits.responder import ALL, CONTAINED, Deployment, Interposed, deployed, finding_about, policy
from tests.pipeline.test_faults import assert_contained_once

CALLS = 31
"""Of the store, in one delivery that does everything, the first of its instance in this cluster."""

EACH = 4
CALM = {"deadline_seconds": 60.0, "try_seconds": 60.0}
PATIENT = {"deadline_seconds": 30.0, "try_seconds": 1.0}
HASTY = {"deadline_seconds": 0.4, "try_seconds": 0.2}
CHANGES = {"patch": "patch", "create": "create_network_policy", "delete": "delete_pod"}
PASSING = {"lost": Lose(), "stalled after the commit": Stall(forward=True), "cut": Cut()}
_UNANSWERED = ("store_unavailable", "store_outcome_unknown", "ledger_unavailable", "control_unreadable")
OUTAGES = {(503, reason) for reason in _UNANSWERED}
LASTING = {"unavailable": Refuse(), "lost": Lose()}


def failed(faults: Mapping[str, CallFault], each: int = 1) -> list[Any]:
    """Each fault at every call, or at each so many: at other calls by each fault."""
    return [
        pytest.param(fault, number, id=f"{name}-{number}")
        for start, (name, fault) in enumerate(faults.items())
        for number in range(1 + start % each, CALLS + 1, each)
    ]


PASSED = Cases("faults of Firestore at one call of a containment", failed(PASSING, EACH), failed(PASSING))
LASTED = Cases("outages of Firestore in a containment", failed(LASTING, EACH), failed(LASTING))


class Response:
    """A deployment whose journal is in Firestore, by a way that is not to be relied on."""

    def __init__(self, folder: Path, cluster: SimulatedCluster, firestore: FirestoreEmulator) -> None:
        self.opened = Opened(firestore.host, firestore.address())
        self.host = firestore.host
        self.deployment: Deployment = deployed(
            folder, cluster, policy(*ALL), store=self.opened.address, emulator=firestore.host
        )
        self.direct = Journal(self.opened(), self.deployment.services.clock)
        self.document: dict[str, Any] = finding_about(cluster.objects("Pod", "shop")[0])
        self.key = parse_notification(self.document).key
        self.unrecorded: list[str] = []
        self.deployment.clusters.api = Interposed(self.deployment.clusters.api, before=self._check)

    def _check(self, _number: int, verb: str, path: str) -> None:
        """Keep what is about to be changed without that standing in the record as meant.

        The label of an isolation needs no intent: it comes before the isolation's own, and says whose work it is.
        """
        record = self.direct.read(self.key)
        meant = [step.change for step in record.steps if not step.is_settled] if record else []
        begun = {step.action for step in record.steps} if record else set()
        if verb == "patch" and "/pods/" in path and "annotate_pod" in begun and "isolate_pod" not in begun:
            return
        if verb in CHANGES and not any(
            change.get("change") == CHANGES[verb] and (verb == "create" or path.endswith(f"/{change['name']}"))
            for change in meant
        ):
            self.unrecorded.append(f"{verb} {path}")

    def deliver(self, script: CallScript, *, lease: timedelta = LEASE, **bounds: float) -> tuple[Ending, list[str]]:
        """Deliver the finding while the store's calls fail by a script: the ending, and the calls."""
        with FaultyFirestore(self.host, script) as proxy:
            store = FirestoreStore(self.opened.address, emulator=proxy.host, **bounds)  # type: ignore[arg-type]
            self.deployment.services.store = store
            self.deployment.services.journal = Journal(store, self.deployment.services.clock, lease=lease)
            ending = self.deployment.respond_to(self.document)
            store.close()
            return ending, proxy.calls

    def record_tells(self) -> tuple[str, list[str]]:
        """The case's state and outcomes, read directly."""
        record = self.direct.read(self.key)
        assert record is not None
        return record.state, [f"{step.action}: {step.reason}" for step in record.steps]


@pytest.fixture
def response(tmp_path: Path, cluster: SimulatedCluster, firestore: FirestoreEmulator) -> Iterator[Response]:
    made = Response(tmp_path, cluster, firestore)
    yield made
    made.opened.close()


def test_a_finding_costs_few_store_calls(response: Response, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A finding costs at most four writes, and two more for each action; with what it reads, 31 requests."""
    ending, calls = response.deliver({}, **CALM)
    assert (ending.reason, response.record_tells()) == ("done", ("done", CONTAINED))
    assert len(calls) == CALLS
    assert calls.count("Commit") <= 2 * len(ALL) + 4
    assert_contained_once(cluster, pod)
    assert response.unrecorded == []


@pytest.mark.parametrize(("fault", "number"), PASSED.chosen)
def test_a_fault_at_one_call(
    response: Response, cluster: SimulatedCluster, pod: dict[str, Any], fault: CallFault, number: int
) -> None:
    """It is made up for within the delivery."""
    ending, calls = response.deliver({number: fault}, **PATIENT)
    assert (ending.status, ending.reason) == (204, "done")
    assert len(calls) > CALLS
    assert response.record_tells() == ("done", CONTAINED)
    assert_contained_once(cluster, pod)
    assert response.unrecorded == []


@pytest.mark.parametrize(("fault", "number"), LASTED.chosen)
def test_an_outage_from_one_call_on(
    response: Response, cluster: SimulatedCluster, pod: dict[str, Any], fault: CallFault, number: int
) -> None:
    """The message comes again, and what the first delivery did is found and not done again."""
    ending, _ = response.deliver(lambda call, _: fault if call >= number else None, **HASTY)
    assert (ending.status, ending.reason) in OUTAGES
    again, _ = response.deliver({}, lease=timedelta(0), **PATIENT)
    assert (again.status, response.record_tells()[0]) == (204, "done")
    assert_contained_once(cluster, pod)
    assert response.unrecorded == []


def test_an_outage_of_the_whole_delivery_touches_nothing(response: Response, cluster: SimulatedCluster) -> None:
    """Without a journal there is no response: not even a read of the cluster."""
    ending, _ = response.deliver(lambda _call, _: Refuse(), **HASTY)
    assert (ending.status, ending.reason) == (503, "store_unavailable")
    assert response.deployment.clusters.asked == 0
    assert list(cluster.audit) == []


def test_a_role_that_cannot_write(response: Response) -> None:
    """A missing permission is an error that a person is told of by name, and nothing is changed."""
    refuse = Refuse(grpc.StatusCode.PERMISSION_DENIED)
    ending, _ = response.deliver(lambda _call, method: refuse if method == "Commit" else None, **HASTY)
    assert (ending.status, ending.severity) == (503, "ERROR")
    assert "missing permission: datastore.entities.create" in response.deployment.line["error"]
