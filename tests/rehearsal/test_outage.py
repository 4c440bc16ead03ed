"""Firestore is lost in the midst of a containment: nothing is doubled, nothing lost, and nothing done unrecorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.google.pubsub.topic_publisher import TopicPublisher
from scc_responder.adapters.notifiers.outcome_topic import OutcomeTopic
from scc_responder.domain.clock import utc_now
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.journal import Journal
from scc_responder.journal.messages import Ending
from scc_responder.journal.step import Step
from scc_responder.pipeline.delivery import respond
from scc_responder.pipeline.services import Services
from scc_responder.settings import read_settings
from tests.cluster.audit import AuditEvent
from tests.cluster.polling import wait_until
from tests.counts import SOAK, Cases
from tests.findings import push_body
from tests.kits.google.firestore_faults import FaultyConnections, Reset
from tests.kits.responder import mutations
from tests.pipeline.test_firestore import CALLS
from tests.rehearsal.google_side import SECONDS
from tests.rehearsal.lessened import AFTER_A_CRASH, SHIPPED, Lessened, permission
from tests.rehearsal.stage import Served, Stage
from tests.rehearsal.test_rehearsal import STEPS, WRITES

pytestmark = pytest.mark.timeout(400)
KILLED_AT = Cases(
    "requests at which Firestore is killed in a rehearsal",
    (CALLS // 2, CALLS - 5),
    (*range(CALLS // 4, CALLS - 5, 3), CALLS // 2, CALLS - 5),
)
CHANGES = {"patch": "patch", "create": "create_network_policy", "delete": "delete_pod"}


class Dying(FaultyConnections):
    """A Firestore that is killed at one request: its connections end, and none is taken any more until `revive`.

    `is_fatal` is asked at each request, by its number.
    """

    def __init__(self, upstream: str, is_fatal: Callable[[int], bool]) -> None:
        super().__init__(upstream)
        self.is_fatal = is_fatal

    def take(self) -> Reset | None:
        """Count a request; from the fatal one on, there is no server."""
        super().take()
        self.refuses = self.refuses or self.is_fatal(self.requests)
        return Reset() if self.refuses else None

    def revive(self) -> None:
        """Let there be a server again, with what it had confirmed."""
        self.is_fatal = lambda _: False
        self.refuses = False


@contextmanager
def delivering_to(stage: Stage, source: Path, firestore: Dying) -> Iterator[Served]:
    with firestore, stage.served(source, FIRESTORE_EMULATOR_HOST=firestore.host) as served:
        yield served


@pytest.mark.parametrize("killed_at", KILLED_AT.chosen)
def test_a_killed_response_finishes_without_repeating(stage: Stage, enforcing: Path, killed_at: int) -> None:
    """What was done by then was meant in the journal first; once it is back, the rest is done, and nothing twice."""
    firestore = Dying(stage.firestore.host, lambda number: number == killed_at)
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
            assert resumed(served, document).status == 204
        assert response.case.state is CaseState.DONE, response.log
        assert [step.action for step in response.case.steps] == [step.partition(":")[0] for step in STEPS]
        undone = {step.reason for step in response.case.steps if step.status is not StepStatus.DONE}
        assert undone == {Reason.NO_COLLECTOR_IMAGE, "logging_permission_denied"}
        assert Counter(mutations(response.writes)) == Counter(WRITES)


LOOKED_FOR = next(verb for verb in SHIPPED if permission(verb) in AFTER_A_CRASH)


def test_what_a_crash_takes(stage: Stage, enforcing: Path, lessened: Lessened) -> None:
    """Whether a policy is there is asked only after a crash between making and recording it: then the verb is named."""
    document = stage.victim()
    space = document["finding"]["kubernetes"]["pods"][0]["ns"]
    policies = f"/apis/networking.k8s.io/v1/namespaces/{space}/networkpolicies"
    firestore = Dying(stage.firestore.host, lambda _: bool(stage.plane.admin.list(policies)))
    with delivering_to(stage, enforcing, firestore) as served:
        response = served.respond(document)
        assert [event.verb for event in response.writes][-1] == "create"
        lessened.take(LOOKED_FOR)
        firestore.revive()
        resumed(served, document)

        refused = {(event.rbac_resource, event.verb) for event in response.audit if event.code == 403}
        assert refused == {LOOKED_FOR[2:]}
        assert f"missing permission: {permission(LOOKED_FOR)}" in str(response.case)
        assert mutations(response.writes).count("create networkpolicies") == 1


def meant(event: AuditEvent, steps: tuple[Step, ...]) -> bool:
    """Whether a step of the record says that this was to be done."""
    changes = [step.change for step in steps if step.change.get("change") == CHANGES[event.verb]]
    return any(event.verb == "create" or change.get("name") == event.name for change in changes)


def resumed(served: Served, document: Any) -> Ending:
    """Deliver it again, as Pub/Sub does later: by another instance, to which the two minutes' lease has run out."""
    services = Services(read_settings(served.environment, served.function.source / "policies"))
    services.journal = Journal(services.store, utc_now, lease=timedelta(0))
    services.notifier = OutcomeTopic(TopicPublisher(services.settings.outcome_topic, emulator=served.stage.pubsub.host))
    served.stage.pubsub.take_down([], served.subscriptions[:1])
    try:
        return respond(push_body(document), {}, services)
    finally:
        served.stage.pubsub.set_up([], served.subscriptions[:1])
