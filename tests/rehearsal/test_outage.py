"""Firestore is lost in the midst of a containment: nothing is doubled, nothing lost, and nothing done unrecorded."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.outcome_topic import OutcomeTopic
from scc_responder.case import CaseState, Step
from scc_responder.journal import Journal
from scc_responder.pipeline import respond
from scc_responder.services import Services, utc_now
from scc_responder.settings import read_settings
from tests.cluster.audit import AuditEvent
from tests.cluster.polling import wait_until
from tests.findings import push_body
from tests.google.firestore_faults import FaultyConnections, Reset
from tests.pipeline.deployment import CONTAINED, mutations
from tests.rehearsal.stage import SECONDS, Response, Served, Stage
from tests.rehearsal.test_rehearsal import WRITES

pytestmark = pytest.mark.timeout(400)
SOAK = bool(os.environ.get("SCC_RESPONDER_SOAK"))
REQUESTS = 21
"""Of the store, in one delivery that does everything: see tests/pipeline/test_firestore.py."""
KILLED_AT = range(2, REQUESTS + 1) if SOAK else (9, 16)
CHANGES = {"patch": "patch", "create": "create_network_policy", "delete": "delete_pod"}


class Dying(FaultyConnections):
    """A Firestore that is killed at one request: its connections end, and none is taken any more until `revive`."""

    def __init__(self, upstream: str, killed_at: int) -> None:
        super().__init__(upstream, {killed_at: Reset()})

    def take(self) -> Any:
        """Count a request; from the fatal one on, there is no server."""
        fault = super().take()
        self.refuses = self.refuses or fault is not None
        return Reset() if self.refuses else None

    def revive(self) -> None:
        """Let there be a server again, with what it had confirmed."""
        self.script = {}
        self.refuses = False


@contextmanager
def delivering_to(stage: Stage, source: Path, firestore: Dying) -> Iterator[Served]:
    with firestore, stage.served(source, FIRESTORE_EMULATOR_HOST=firestore.host) as served:
        yield served


@pytest.mark.parametrize("killed_at", KILLED_AT)
def test_killed(stage: Stage, enforcing: Path, killed_at: int) -> None:
    """What was done by then was meant in the journal first; once it is back, the rest is done, and nothing twice."""
    firestore = Dying(stage.firestore.host, killed_at)
    with delivering_to(stage, enforcing, firestore) as served:
        document = stage.victim()
        response = served.respond(document)
        first, record = list(response.writes), response.record

        assert response.deliveries[0].status == 503
        assert record is not None
        assert record.state is CaseState.OPEN
        assert [str(event) for event in first if not meant(event, record.steps)] == []

        firestore.revive()
        if SOAK:
            wait_until(lambda: response.case.state is not CaseState.OPEN, what="the redelivery", seconds=4 * SECONDS)
        else:
            resumed(served, document)
        assert (response.case.state, reasons(response)) == (CaseState.DONE, CONTAINED), response.log
        assert Counter(mutations(response.writes)) == Counter(WRITES)


def meant(event: AuditEvent, steps: tuple[Step, ...]) -> bool:
    """Whether a step of the record says that this was to be done."""
    changes = [step.change for step in steps if step.change.get("change") == CHANGES[event.verb]]
    return any(event.verb == "create" or change.get("name") == event.name for change in changes)


def reasons(response: Response) -> list[str]:
    """The steps; one that a first delivery had carried out is found so, and says it."""
    settled = {"already": {"patched", "isolated", "armed", "captured"}}
    return [
        wanted if reason in settled and wanted.partition(": ")[2] in settled[reason] else f"{action}: {reason}"
        for (action, reason), wanted in zip(
            ((step.action, step.reason) for step in response.case.steps), CONTAINED, strict=True
        )
    ]


def resumed(served: Served, document: Any) -> None:
    """Deliver it again, as Pub/Sub does later: by another instance, to which the two minutes' lease has run out."""
    services = Services(read_settings(served.environment, served.function.source / "policies"))
    services.journal = Journal(services.store, utc_now, lease=timedelta(0))
    services.outcomes = OutcomeTopic(services.settings.outcome_topic, emulator=served.stage.pubsub.host)
    served.stage.pubsub.take_down([], served.subscriptions[:1])
    try:
        assert respond(push_body(document), {}, services).status == 204
    finally:
        served.stage.pubsub.set_up([], served.subscriptions[:1])
