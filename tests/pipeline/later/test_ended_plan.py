"""That a plan was rejected, or ran out, is told also where its process was killed then, or the store failed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import StoreUnavailable
from scc_responder.domain.notices.notice import Notice
from scc_responder.journal.case import UNTOLD
from scc_responder.journal.journal import LEASE
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import answered, plan_of
from tests.kits.responder import Deployment, deployed, finding_about, policy
from tests.pipeline.test_sweep import swept

MOMENT = timedelta(seconds=1)


class Killed(BaseException):
    """The process is gone."""


class Failing:
    """Nobody can be told."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def tell(self, notice: Notice) -> str:
        raise self.error


@pytest.fixture
def waiting(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> tuple[Deployment, dict[str, Any]]:
    """A deployment in which a plan waits, and the finding that it is about."""
    made, document = deployed(tmp_path, cluster, policy("label_pod", mode="approve")), finding_about(pod)
    assert made.respond_to(document).status == 204
    return made, document


def told(made: Deployment) -> list[str]:
    return [message["attributes"]["reason"] for message in made.published.messages]


def at(made: Deployment, moment: timedelta) -> dict[str, int]:
    """What a sweep does so much later."""
    now = utc_now() + moment
    made.set_clock(lambda: now)
    return swept(made)


FAILURES = pytest.mark.parametrize("error", [Killed(), StoreUnavailable("")], ids=["killed", "not stored"])


def end(made: Deployment, document: dict[str, Any], ends: str) -> None:
    """Reject the plan, or let it run out, whatever its process meets."""
    try:
        if ends == "approval_rejected":
            answered(made, document, "reject", reason="planned")
        else:
            at(made, plan_of(made, document).expires_at - utc_now() + MOMENT)
    except Killed:
        pass


@FAILURES
@pytest.mark.parametrize("ends", ["approval_rejected", "approval_expired"])
def test_an_end_that_nobody_heard_of_is_told_by_a_sweep(
    waiting: tuple[Deployment, dict[str, Any]], ends: str, error: BaseException
) -> None:
    """Once, when nobody can be at it any longer, and with the same words."""
    made, document = waiting
    made.services.notifier = Failing(error)
    end(made, document, ends)
    made.services.notifier = made.published
    ended = made.services.clock() - utc_now()

    assert (made.case(document).reason, made.case(document).owner) == (ends, UNTOLD)
    at(made, ended + LEASE - MOMENT)
    assert told(made) == ["waiting_for_approval"]
    assert [at(made, ended + LEASE + MOMENT).get(ends) for _ in range(3)] == [1, None, None]
    assert told(made) == ["waiting_for_approval", ends]
    assert made.case(document).owner == ""


def test_what_is_told_is_not_told_by_a_sweep(waiting: tuple[Deployment, dict[str, Any]]) -> None:
    """The process that took the rejection notes that people know."""
    made, document = waiting
    end(made, document, "approval_rejected")
    assert (at(made, LEASE + MOMENT), told(made)) == ({"at_rest": 1}, ["waiting_for_approval", "approval_rejected"])
