"""The logs of a pod's containers are evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from scc_responder.domain.changes.capture_logs import CaptureLogs
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import Threat
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import EvidenceItem, NotPossible, SourceInput
from scc_responder.execute.evidence.sources import pod_logs as module
from scc_responder.execute.evidence.sources.pod_logs import pod_logs
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.journal_worlds import finding
from tests.kits.responder import Interposed, api_of

THREAT = Threat(name="t", surface="pod", kind="ioc", confidence="likely")


def container(name: str, restarts: int = 0, **state: Any) -> ApiObject:
    """What a kubelet says of a container."""
    shown = state or {"running": {"startedAt": "2026-11-29T11:00:00Z"}}
    return {"name": name, "restartCount": restarts, "containerID": f"containerd://{name}", "state": shown}


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    """A cluster with one node and one namespace."""
    with SimulatedCluster() as made:
        made.create(objects.namespace("shop"))
        made.create(objects.node("node-1"))
        yield made


def pod(cluster: SimulatedCluster, *statuses: ApiObject, **metadata: Any) -> ApiObject:
    """A pod with these containers."""
    containers = [{"name": item["name"], "image": objects.IMAGE} for item in statuses]
    manifest = objects.pod("web-1", "shop", "node-1", **metadata)
    manifest["spec"]["containers"] = containers
    return cluster.create({**manifest, "status": {"phase": "Running", "containerStatuses": [*statuses]}})


def given(cluster: SimulatedCluster, read: ApiObject, api: Any = None) -> SourceInput:
    """What the source may look at."""
    change = CaptureLogs(namespace="shop", pod_name="web-1", pod_uid=read["metadata"]["uid"])
    facts = Context(finding=finding(), threat=THREAT, objects={"pod": read})
    return SourceInput(context=facts, change=change, api=api or api_of(cluster))


def outcomes(items: Any) -> dict[tuple[str, bool], str]:
    """What the index says of each log."""
    return {(log["container"], log["previous"]): log["outcome"] for log in items[-1].content["logs"]}


def test_every_log_is_kept_and_the_run_before(cluster: SimulatedCluster) -> None:
    """As text with the node's times; what was said of none, too; the summary counts lines."""
    read = pod(cluster, container("app", restarts=1), container("side"), container("late", waiting={"reason": "Pull"}))
    cluster.write_log(read, "app", b"one\ntwo\n")
    cluster.write_log(read, "app", b"died\n", previous=True)
    items = pod_logs.read(given(cluster, read))

    texts = {item.title: [line.partition(" ")[2] for line in item.content.splitlines()] for item in items[:-1]}
    assert texts == {"shop/web-1/app": ["one", "two"], "shop/web-1/app before its restart": ["died"]}
    assert outcomes(items) == {
        ("app", False): "kept",
        ("side", False): "empty",
        ("late", False): "not_started",
        ("app", True): "kept",
    }
    assert items[-1].summary == "2 lines of app, 1 lines of app before its restart"


def test_a_pod_that_wrote_nothing_is_a_fact(cluster: SimulatedCluster) -> None:
    """The index says so."""
    (index,) = pod_logs.read(given(cluster, pod(cluster, container("app"))))
    assert (index.is_empty, index.summary) == (True, "no lines of any log")


def test_a_dead_container_of_a_kept_pod_has_no_log(cluster: SimulatedCluster) -> None:
    """Its node says so with the status 200: that text is no log."""
    read = pod(cluster, container("app"), finalizers=[objects.FINALIZER])
    cluster.write_log(read, "app", b"one\n")
    api_of(cluster).delete("/api/v1/namespaces/shop/pods/web-1", {})
    cluster.stop_pods()
    items = pod_logs.read(given(cluster, read))
    assert outcomes(items) == {("app", False): "no_log"}


def refusing(cluster: SimulatedCluster, *containers: str, error: ApiError) -> Interposed:
    """The API server, which refuses these containers' logs."""

    class Refusing(Interposed):
        def read_log(self, path: str, **options: Any) -> Iterator[bytes]:
            if options["container"] in containers:
                raise error
            yield from super().read_log(path, **options)

    return Refusing(api_of(cluster))


FORBIDDEN = ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="pods/log: get in namespace shop")


def test_one_refused_log_keeps_the_others(cluster: SimulatedCluster) -> None:
    """It says why."""
    read = pod(cluster, container("app"), container("side"))
    cluster.write_log(read, "side", b"one\n")
    items = pod_logs.read(given(cluster, read, refusing(cluster, "app", error=FORBIDDEN)))
    assert outcomes(items) == {("app", False): "failed", ("side", False): "kept"}
    assert "missing permission" in items[-1].content["logs"][0]["why"]


def test_whoever_may_read_no_log_says_which_right_is_missing(cluster: SimulatedCluster) -> None:
    """He has not found that there are none; another delivery would be refused too."""
    read = pod(cluster, container("app"))
    with pytest.raises(NotPossible, match="kubernetes_forbidden") as caught:
        pod_logs.read(given(cluster, read, refusing(cluster, "app", error=FORBIDDEN)))
    assert caught.value.permission == "pods/log: get in namespace shop"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(ApiError(Reason.SERVER_ERROR, status=500), "node_not_answering", id="no-kubelet"),
        pytest.param(ApiError(Reason.TIMEOUT), "node_not_answering", id="no-answer"),
        pytest.param(ApiError(Reason.THROTTLED, status=429), "throttled", id="by-the-server"),
    ],
)
def test_no_log_at_all_is_a_failure(error: ApiError, reason: str, cluster: SimulatedCluster) -> None:
    """A later delivery may read them. The node's own silence is not waited for without end."""
    read = pod(cluster, container("app"))
    with pytest.raises(ApiError) as caught:
        pod_logs.read(given(cluster, read, refusing(cluster, "app", error=error)))
    assert (caught.value.reason, caught.value.is_about_object) == (reason, reason == "node_not_answering")


def test_an_answer_that_is_no_log_is_not_asked_for_again(cluster: SimulatedCluster) -> None:
    """What stands before the server and answers with something else answers the next delivery so, too."""
    read = pod(cluster, container("app"))
    with pytest.raises(NotPossible, match="unusable_answer"):
        pod_logs.read(given(cluster, read, refusing(cluster, "app", error=ApiError(Reason.UNUSABLE_ANSWER))))


def test_a_pod_that_is_gone_has_no_logs(cluster: SimulatedCluster) -> None:
    """That is no failure: a later delivery would find nothing either."""
    read = pod(cluster, container("app"))
    api_of(cluster, "admin").delete("/api/v1/namespaces/shop/pods/web-1", {"gracePeriodSeconds": 0})
    with pytest.raises(NotPossible, match="target_absent"):
        pod_logs.read(given(cluster, read))


def test_the_log_of_another_pod_is_not_kept(cluster: SimulatedCluster) -> None:
    """A log names no UID: a pod that took the name meanwhile is noticed."""
    read = pod(cluster, container("app"))
    read["metadata"]["uid"] = "another"
    with pytest.raises(NotPossible, match="target_replaced"):
        pod_logs.read(given(cluster, read))


def test_logs_share_the_pods_bytes(cluster: SimulatedCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many containers leave less to each, and of very many some are named and not read."""
    monkeypatch.setattr(module, "POD_BYTES", 4000)
    monkeypatch.setattr(module, "MOST_LOGS", 3)
    read = pod(cluster, *(container(name) for name in ("a", "b", "c", "d")))
    for name in ("a", "b", "c", "d"):
        cluster.write_log(read, name, b"x" * 60 + b"\n" + b"y" * 2000 + b"\n")
    items = pod_logs.read(given(cluster, read))
    assert {len(item.content) for item in items[:-1]} == {1333}
    assert items[-1].content["left_out"] == ["d"]


def test_texts_are_stored_as_text(cluster: SimulatedCluster) -> None:
    """Not as JSON."""
    read = pod(cluster, container("app"))
    cluster.write_log(read, "app", b"{}\n")
    text, index = pod_logs.read(given(cluster, read))
    assert (isinstance(text, EvidenceItem), text.is_text, index.is_text) == (True, True, False)
