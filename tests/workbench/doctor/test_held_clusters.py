"""Which clusters doctor names because cases about them are held there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.journal.case import CaseRecord
from scc_responder.workbench.doctor.held_clusters import RECENT, examine_held_clusters, note_cluster

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROD = "projects/example-project/locations/europe-west1/clusters/prod-1"
SPARE = PROD.replace("prod-1", "prod-2")
READ = {"decision": {"pod": {"uid": "u"}}}


def closed(minutes: int, reason: str, cluster: str = PROD, **fields: Any) -> CaseRecord:
    """A case that was closed so many minutes before noon."""
    when = NOON - timedelta(minutes=minutes)
    known = {"finding_key": "k", "finding_name": "f", "event_time": when, "digest": "d", "state": CaseState.HELD}
    return CaseRecord(**known, reason=reason, cluster=cluster, closed_at=when, updated_at=NOON, **fields)


def told(*records: CaseRecord, now: datetime = NOON) -> list[tuple[str, str, str]]:
    """What is named, for what reason, and with which remedy."""
    latest: dict[str, CaseRecord] = {}
    for record in records:
        note_cluster(record, latest)
    return [(check.probed, check.reason, check.fix) for check in examine_held_clusters(latest, "4 cases", now)]


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        (Reason.CLUSTER_PAUSED, "kubectl annotate namespace default scc-responder/mode=enforce --overwrite"),
        (Reason.CLUSTER_NOT_ONBOARDED, "kubectl apply -k terraform/kubernetes; or: Terraform variable clusters: take"),
        (Reason.CLUSTER_ACCESS_LOST, "kubectl apply -k terraform/kubernetes"),
    ],
)
def test_a_held_cluster_is_named_once(reason: str, remedy: str) -> None:
    """Each with its remedy, however many of its cases are held, and beside others that are well."""
    records = [closed(5, reason), closed(4, reason), closed(3, Reason.DONE, SPARE, **READ)]
    ((cluster, word, fix),) = told(*records)
    assert (cluster, word) == (PROD, reason)
    assert fix.startswith(remedy)


ANSWERS = [
    pytest.param(closed(1, Reason.DONE, **READ), True, id="read-since"),
    pytest.param(closed(9, Reason.DONE, **READ), False, id="read-before"),
    pytest.param(closed(1, Reason.MUTED), False, id="settled-unread"),
    pytest.param(closed(1, Reason.DONE, SPARE, **READ), False, id="another-cluster"),
]


@pytest.mark.parametrize(("other", "well"), ANSWERS)
@pytest.mark.parametrize("first", [True, False])
def test_only_a_later_read_takes_it_back(other: CaseRecord, *, well: bool, first: bool) -> None:
    """In whatever order the cases are stored: a case of that cluster that was closed later, and shows what was read."""
    held = closed(5, Reason.CLUSTER_ACCESS_LOST, **READ)
    reasons = [reason for _, reason, _ in told(*((other, held) if first else (held, other)))]
    assert reasons == ([""] if well else ["cluster_access_lost"])


def test_an_old_case_tells_nothing() -> None:
    """A sweep does not try it any more; and where nothing is held, the cases that were looked at are counted."""
    held = closed(0, Reason.CLUSTER_PAUSED)
    assert told(held, now=NOON + RECENT) == [("4 cases", "", "")]
    assert told(held, now=NOON + RECENT - timedelta(seconds=1))[0][1] == "cluster_paused"
