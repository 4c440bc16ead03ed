"""What is an error at once is one line of the log, and one notice where there is somebody to tell."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.errors import ApiError
from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.reasons import Reason
from scc_responder.guard.limits.ledger_document import Breaker
from scc_responder.guard.trust.first_shot import FirstShot
from scc_responder.pipeline.notices.urgent_notices import log_untold, page_breaker, page_first_shot
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import CLUSTER, Deployment, deployed, policy

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
TRIPPED = Breaker(tripped_at=NOON, detail="6 denials", paging_since=NOON, scope="namespace=shop")


@pytest.fixture
def made(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    return deployed(tmp_path, cluster, policy("label_pod"))


def said(made: Deployment) -> tuple[Any, Any]:
    (line,) = made.lines
    return line["logging.googleapis.com/labels"]["reason"], line["severity"]


def test_a_tripped_breaker_is_logged_and_told(made: Deployment) -> None:
    """With its scope and the command that resets it; without anybody to tell, it is logged."""
    page_breaker(made.services, CLUSTER, TRIPPED)
    (message,) = made.published.messages
    assert said(made) == ("storm_breaker", "ERROR")
    assert made.line["remedy"] == message["remedy"]
    assert "--scope namespace=shop" in message["remedy"]
    made.services.notifier = None  # type: ignore[assignment]
    page_breaker(made.services, CLUSTER, replace(TRIPPED, scope="cluster"))
    assert len(made.lines) == 2


def test_an_error_of_the_notifier_is_raised(made: Deployment) -> None:
    """Whoever finds the breaker next tells people."""

    class Down:
        def tell(self, notice: Notice) -> str:
            raise ApiError(Reason.TIMEOUT, notice.reason)

    made.services.notifier = Down()
    with pytest.raises(ApiError, match="storm_breaker"):
        page_breaker(made.services, CLUSTER, TRIPPED)


def test_a_first_shot_that_is_too_wide_is_logged_and_told(made: Deployment) -> None:
    """The line says what the notice says."""
    page_first_shot(made.services, FirstShot(place=CLUSTER, policy="contain", content="", detail="9 pods of 5"))
    (message,) = made.published.messages
    assert said(made) == ("first_shot_too_wide", "ERROR")
    assert (message["policy"], message["detail"]) == ("contain", "9 pods of 5")


def test_a_notifier_that_failed_is_logged_alone(made: Deployment) -> None:
    """Nobody else is told, and an error that is none of ours is named by its kind alone."""
    log_untold(made.services, "chat", ApiError(Reason.TIMEOUT, "not now"))
    assert said(made) == ("notifier_failed", "ERROR")
    log_untold(made.services, "chat", ValueError("https://hooks.example.com/s3cr3t"))
    assert (made.line["error"], made.published.messages) == ("ValueError", [])
