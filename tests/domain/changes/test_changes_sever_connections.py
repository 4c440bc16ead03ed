"""Connections are said to be ended only where none is left, and none can come back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.changes import restored, stored
from scc_responder.domain.changes.create_network_policy import CreateNetworkPolicy, Enforcement
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.changes.sever_connections import SeverConnections
from scc_responder.domain.labels import isolating_label
from scc_responder.domain.status import Containment, Result
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.collector_logs import document
from tests.kits.one_change import OneCluster, one_cluster, pod_target, step_run
from tests.kits.scripted_collector import AT, Answer, ScriptedApi, breaks_off, cut, says

LEFT = [{"protocol": "tcp", "state": "established", "local": "10.0.0.7:1", "remote": "203.0.113.9:443"}]
NAME = "scc-responder-cut-5401ff97f041"


class Severing:
    """A pod, its isolation, and what is made of an answer."""

    def __init__(self, cluster: SimulatedCluster, means: OneCluster) -> None:
        self.cluster, self.means = cluster, means
        self.played = ScriptedApi(means.api)
        means.api = self.played
        self.pod = pod_target(cluster)
        self.change = SeverConnections(isolation=self.isolation())

    def isolation(
        self, case: str = "5401ff97f041", effective: Enforcement = Enforcement.ENFORCED
    ) -> CreateNetworkPolicy:
        """The policy of a case."""
        return CreateNetworkPolicy(
            namespace="shop",
            name=f"scc-responder-{case}-{self.pod['uid'][:8]}",
            pod_name=self.pod["name"],
            pod_uid=self.pod["uid"],
            selector=isolating_label(self.pod["uid"]),
            effective=effective,
        )

    def isolate(self, case: str = "5401ff97f041") -> None:
        """Cut the pod off from new connections."""
        label = PatchObject(kind="Pod", **self.pod, labels=isolating_label(self.pod["uid"]))
        for change in (label, self.isolation(case)):
            assert str(change.carry_out(step_run(), self.means).status) == "done"

    def severed(self, answer: Answer, change: SeverConnections | None = None, **step: Any) -> Result:
        """The outcome, with this answer of the container."""
        self.played.answers["cut"] = answer
        at = step.pop("intended_at", None)
        run = dataclasses.replace(replace_clock(step_run(**step)), intended_at=at)
        return (change or self.change).carry_out(run, self.means)

    @property
    def put_in(self) -> list[dict[str, Any]]:
        """Our containers in the pod."""
        found: list[dict[str, Any]] = self.cluster.objects("Pod", "shop")[0]["spec"].get("ephemeralContainers", [])
        return found


def replace_clock(step: Any) -> Any:
    """The step at the time that the answers tell."""
    return dataclasses.replace(step, clock=lambda: datetime.fromisoformat(AT).astimezone(UTC) + timedelta(seconds=1))


@pytest.fixture
def severing() -> Iterator[Severing]:
    """A pod that nothing isolates yet."""
    with one_cluster() as (cluster, means):
        yield Severing(cluster, means)


def test_severed_where_none_is_left_and_isolated(severing: Severing) -> None:
    """One container, without target, with one capability; the time is the collector's, in the bounds of our reads."""
    severing.isolate()
    result = severing.severed(says(cut()))
    assert (str(result.status), result.reason, result.containment) == ("done", "severed", Containment.SEVERED)
    assert result.contained_at == datetime.fromisoformat(AT) + timedelta(seconds=1)
    (container,) = severing.put_in
    assert (container["name"], container["args"][0], "targetContainerName" in container) == (NAME, "cut", False)
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN"]}


@pytest.mark.parametrize(
    ("told", "reason", "said"),
    [
        pytest.param(
            cut(complete=False, severed_at="", left=LEFT, left_count=1),
            "connections_left",
            "2 of 2 connections ended, 1 left: tcp 203.0.113.9:443 established",
            id="one-left",
        ),
        pytest.param(
            cut(complete=False, severed_at="", unseen={"udp6 ENOENT": 1}),
            "connections_unknown",
            "2 of 2 connections ended, 0 left: 1 udp6 ENOENT",
            id="a-kind-not-seen",
        ),
        pytest.param(cut(complete=False, left_count=1), "connections_left", "1 left", id="left-though-a-time-is-told"),
        pytest.param(cut(severed_at="soon"), "connections_unknown", "0 left", id="no-time"),
        pytest.param(document("run"), "answer_truncated", "no document cut", id="another-answer"),
        pytest.param(cut(found="many"), "answer_truncated", "no document cut", id="another-form"),
    ],
)
def test_a_no_stays_a_no(severing: Severing, told: bytes, reason: str, said: str) -> None:
    """What is left, or was not seen, is said; nothing is contained by it."""
    severing.isolate()
    result = severing.severed(says(told))
    assert (str(result.status), result.reason, result.containment) == ("not_effective", reason, None)
    assert said in result.detail
    assert result.contained_at is None


def test_an_answer_that_breaks_off_tells_nothing(severing: Severing) -> None:
    """Even where the part of it that came is good news."""
    severing.isolate()
    result = severing.severed(breaks_off(cut()))
    assert (result.reason, result.containment) == ("answer_truncated", None)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [({}, "severed"), ({"shareProcessNamespace": True}, "unproven"), ({"hostPID": True}, "unproven")],
    ids=["its own namespace", "one for the pod", "the node's"],
)
def test_who_may_write_our_log_proves_nothing(severing: Severing, spec: dict[str, Any], reason: str) -> None:
    """Beside a cut is nobody, but where processes are shared: there who reaches into it may have written its answer."""
    severing.isolate()
    get, traces = severing.played.get, {"securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}}}

    def shared(path: str) -> dict[str, Any]:
        pod = get(path)
        return (
            {**pod, "spec": {**pod["spec"], "containers": [{"name": "web", **traces}], **spec}}
            if "/pods/" in path
            else pod
        )

    severing.played.get = shared  # type: ignore[attr-defined]
    result = severing.severed(says(cut()))
    assert (result.reason, result.containment) == (reason, Containment.SEVERED if reason == "severed" else None)


ALLOWS = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}


def test_not_severed_where_connections_may_return(severing: Severing) -> None:
    """Without isolation, beside a policy that lets the pod out, where nothing enforces it, and without the label."""
    told = {}
    told["none"] = severing.severed(says(cut()))
    severing.isolate()
    weak = SeverConnections(isolation=severing.isolation(effective=Enforcement.NOT_ENFORCED))
    told["not enforced"] = severing.severed(says(cut()), weak)
    meta = {"name": "let-out", "namespace": "shop"}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    severing.cluster.create({**kind, "metadata": meta, "spec": ALLOWS})
    told["bypassed"] = severing.severed(says(cut()))
    assert {name: result.detail.split("; ")[1].split(":")[0] for name, result in told.items()} == {
        "none": "not_isolated",
        "not enforced": "not_enforced",
        "bypassed": "bypassed_by",
    }
    assert {result.reason for result in told.values()} == {"connections_may_return"}
    assert {result.containment for result in told.values()} == {None}


def test_a_label_that_is_gone_isolates_nothing(severing: Severing) -> None:
    """Whatever was read when the pod was isolated: it is read again after the cut."""
    severing.isolate()
    key = next(iter(isolating_label(severing.pod["uid"])))
    severing.means.api.patch(
        f"/api/v1/namespaces/shop/pods/{severing.pod['name']}", {"metadata": {"labels": {key: None}}}
    )
    assert severing.severed(says(cut())).reason == "connections_may_return"


def test_another_finding_s_isolation_counts(severing: Severing) -> None:
    """Whoever made the policy: it holds the pod."""
    severing.isolate(case="ba9876543210")
    assert severing.severed(says(cut())).reason == "severed"


def test_a_resumed_step_reads_and_puts_nothing_in(severing: Severing) -> None:
    """After a crash the container is there: its answer is read, and the time is the collector's own."""
    severing.isolate()
    severing.severed(breaks_off(cut()))
    result = severing.severed(says(cut()), restored(stored(severing.change)), intended=True)
    assert (result.reason, result.contained_at) == ("severed", datetime.fromisoformat(AT))
    assert len(severing.put_in) == 1


@pytest.mark.parametrize(
    ("watched_ms", "isolated_after", "reason"),
    [
        (2000, 1.59, "severed"),
        (2000, 1.61, "connections_may_return"),
        (0, 0.0, "severed"),
        (0, 0.01, "connections_may_return"),
    ],
)
def test_an_isolation_must_come_while_the_cut_looks_on(
    severing: Severing, watched_ms: int, isolated_after: float, reason: str
) -> None:
    """Where the container was put in before: what was made again until the isolation held was ended too, or may be."""
    severing.isolate()
    severing.severed(breaks_off(cut()))
    intended_at = datetime.fromisoformat(AT).astimezone(UTC) - timedelta(seconds=2)
    severing.means.done_at = intended_at + timedelta(seconds=isolated_after)
    result = severing.severed(says(cut(watched_ms=watched_ms)), intended=True, intended_at=intended_at)
    assert result.reason == reason


def test_a_rehearsal_puts_nothing_in(severing: Severing) -> None:
    """It asks the cluster's admission, and that is all."""
    result = severing.severed(says(cut()), dry_run=True)
    assert (result.reason, severing.put_in, severing.played.logs) == ("would_insert", [], [])


def test_without_an_image_it_is_not_possible(severing: Severing) -> None:
    """And says which setting is missing."""
    severing.means.collector.image = ""
    result = severing.severed(says(cut()))
    assert (str(result.status), result.reason) == ("not_possible", "no_collector_image")
    assert "SCC_RESPONDER_COLLECTOR" in result.detail


def test_another_pod_of_the_name_is_left_alone(severing: Severing) -> None:
    """Nothing is put into a pod with another UID."""
    other = replace(severing.change, isolation=replace(severing.isolation(), pod_uid="other"))
    assert (severing.severed(says(cut()), other).reason, severing.put_in) == ("target_replaced", [])
