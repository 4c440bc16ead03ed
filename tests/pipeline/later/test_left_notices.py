"""What a command at somebody's desk leaves to be told is told by a sweep, and kept where that fails."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from scc_responder.domain.errors import ApiError
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import MAX_VALUE_BYTES
from scc_responder.pipeline.later.left_notices import LEFT_NOTICES, MOST_TOLD, leave_notice, tell_left
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import Deployment, deployed, policy

NOTICE = Notice(
    kind=NoticeKind.POLICY, severity=NoticeSeverity.ERROR, reason="error_budget_spent", facts={"policy": "contain"}
)


class Silent:
    """Nobody can be told."""

    def tell(self, notice: Notice) -> str:
        raise ApiError(Reason.TIMEOUT, notice.reason)


def left(made: Deployment) -> int:
    return len(made.services.store.scan(LEFT_NOTICES).entries)


def test_what_was_left_is_told_once(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Each is told and gone; of many, the next sweeps tell the rest."""
    made = deployed(tmp_path, cluster, policy("label_pod"))
    for _ in range(MOST_TOLD + 1):
        leave_notice(made.services.store, NOTICE)
    assert [tell_left(made.services) for _ in range(3)] == [MOST_TOLD, 1, 0]
    assert made.published.messages[0] == {"attributes": NOTICE.attributes, "policy": "contain"}


def test_a_notice_that_is_too_large_for_the_store_is_told_without_a_part(
    tmp_path: Path, cluster: SimulatedCluster
) -> None:
    """Of a case with long texts: that it was taken back is not lost for them."""
    made = deployed(tmp_path, cluster, policy("label_pod"))
    leave_notice(made.services.store, replace(NOTICE, facts={**NOTICE.facts, "answers": "a" * MAX_VALUE_BYTES}))
    assert tell_left(made.services) == 1
    (told,) = made.published.messages
    assert (told["policy"], told["left_out"]) == ("contain", ["answers"])


def test_what_cannot_be_read_is_in_no_ones_way(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """It is left alone; however much of it comes first, the others are told."""
    made = deployed(tmp_path, cluster, policy("label_pod"))
    for number in range(MOST_TOLD + 1):
        made.services.store.create(f"{LEFT_NOTICES}{number:02}", (b"{}", b'{"kind": "\xff"}')[number % 2])
    leave_notice(made.services.store, NOTICE)
    assert (tell_left(made.services), left(made)) == (1, MOST_TOLD + 1)


def test_what_cannot_be_told_stays(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A later sweep tells it."""
    made = deployed(tmp_path, cluster, policy("label_pod"))
    leave_notice(made.services.store, NOTICE)
    made.services.notifier = Silent()
    assert (tell_left(made.services), left(made)) == (0, 1)
    made.services.notifier = made.published
    assert (tell_left(made.services), left(made)) == (1, 0)
