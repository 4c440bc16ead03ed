"""A container is asked once: it is put in, begins, and answers, or the outcome says why not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.kubernetes.collector_asking import begin_container, read_answer
from scc_responder.domain.kubernetes.collector_container import CollectorContainer, CollectorJob
from scc_responder.domain.kubernetes.ephemeral_containers import Role, cut_arguments, cut_form
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result
from tests.kits.one_change import OneCluster, one_cluster, pod_target, step_run
from tests.kits.scripted_collector import ScriptedApi, breaks_off, cut, says


def begun(means: OneCluster, pod: dict[str, str]) -> tuple[ClusterSession, CollectorContainer | Result]:
    """A container that cuts, and the session that put it in."""
    job = CollectorJob(
        namespace=pod["namespace"],
        pod=pod["name"],
        uid=pod["uid"],
        role=Role.CUT,
        forms=lambda _pod: (cut_form(),),
        arguments=cut_arguments,
    )
    sessions: list[ClusterSession] = []

    def put(session: ClusterSession) -> Result:
        sessions.append(session)
        return begin_container(session, step_run(), means, job, Tries())  # type: ignore[return-value]

    container = means.in_cluster(put)
    return sessions[0], container


def test_what_cannot_be_put_in_is_not_waited_for() -> None:
    """The outcome of the first part is the outcome."""
    with one_cluster() as (cluster, means):
        means.collector.image = ""
        _, container = begun(means, pod_target(cluster))
    assert isinstance(container, Result)
    assert container.reason == "no_collector_image"


@pytest.mark.parametrize("breaks", [False, True])
def test_an_answer_is_judged_where_it_is_whole(breaks: bool) -> None:
    """One that breaks off is judged by nobody."""
    with one_cluster() as (cluster, means):
        played = means.api = ScriptedApi(means.api)
        played.answers["cut"] = breaks_off(cut()) if breaks else says(cut())
        session, container = begun(means, pod_target(cluster))
        assert isinstance(container, CollectorContainer)
        answer = read_answer(session, container, list)
    assert answer == ["cut"] if not breaks else str(answer.reason) == "answer_truncated"


def test_the_end_of_the_log_is_not_waited_for() -> None:
    """The node tells of no end where it is stopped from starting another container of the pod."""

    class Endless(ScriptedApi):
        def read_log(self, path: str, *, container: str, **options: object) -> Iterator[bytes]:
            yield from super().read_log(path, container=container, **options)
            raise ApiError(Reason.TIMEOUT)

    with one_cluster() as (cluster, means):
        played = means.api = Endless(means.api)
        played.answers["cut"] = says(cut())
        session, container = begun(means, pod_target(cluster))
        assert isinstance(container, CollectorContainer)
        assert read_answer(session, container, list) == ["cut"]
