"""Processes are said to be frozen only where that was read back, by somebody whom nobody in the pod can speak for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from scc_responder.domain.changes.freeze_process import MOST_FROZEN, FreezeProcess
from scc_responder.domain.changes.inspect_container import InspectContainer
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, Result, done
from scc_responder.workbench.simulated_cluster.server.resources import RequestTarget
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.collector_logs import document
from tests.kits.one_change import NODE, OneCluster, one_cluster, step_run
from tests.kits.scripted_collector import AT, ScriptedApi, breaks_off, cut, freeze, key_of, matches, says

CASE = "5401ff97f041"
LOOK, FREEZE = f"scc-responder-look-{CASE}", f"scc-responder-freeze-{CASE}"
PROBE = {"httpGet": {"path": "/healthz", "port": 8080}}
LATER = timedelta(hours=1)


class Freezing:
    """A pod with a container `web`, and what is made of the answers of ours."""

    def __init__(self, cluster: SimulatedCluster, means: OneCluster) -> None:
        self.cluster, self.means = cluster, means
        self.played = ScriptedApi(means.api)
        means.api = self.played
        self.number = 0

    def pod(self, *others: dict[str, Any], pod: dict[str, Any] | None = None, **container: Any) -> FreezeProcess:
        """The change of a new pod with other containers, whose spec and own container have these fields besides."""
        self.number += 1
        manifest = objects.pod(f"pod-{self.number}", "shop", NODE)
        manifest["spec"] |= {"containers": [{"name": "web", "image": "web:1", **container}, *others], **(pod or {})}
        name = self.cluster.create(manifest)["metadata"]["name"]
        uid = next(item for item in self.cluster.objects("Pod", "shop") if item["metadata"]["name"] == name)
        host = bool((pod or {}).get("hostNetwork"))
        return FreezeProcess(
            namespace="shop", name=name, uid=uid["metadata"]["uid"], container="web", request="e30", host_network=host
        )

    def frozen(self, change: FreezeProcess, **answers: Any) -> Result:
        """The outcome, with these answers by the words of the containers' names."""
        self.played.answers |= answers
        moment = datetime.fromisoformat(AT).astimezone(UTC) + timedelta(seconds=1)
        return change.carry_out(dataclasses.replace(step_run(), clock=lambda: moment), self.means)

    def seal_look(self, change: FreezeProcess) -> None:
        """Look into its container, keep what that tells, and destroy the key."""
        self.means.keep_inspection = lambda _inspected: done(Reason.INSPECTED)  # type: ignore[attr-defined]
        where = {"namespace": change.namespace, "name": change.name, "uid": change.uid}
        look = InspectContainer(**where, container=change.container, request=change.request)
        assert look.carry_out(step_run(), self.means).reason == Reason.INSPECTED
        self.means.collector.key = None

    def put_in(self, change: FreezeProcess) -> list[dict[str, Any]]:
        """Our containers in the pod."""
        (pod,) = (item for item in self.cluster.objects("Pod", "shop") if item["metadata"]["uid"] == change.uid)
        found: list[dict[str, Any]] = pod["spec"].get("ephemeralContainers", [])
        return found

    def started(self, change: FreezeProcess, after: timedelta) -> str:
        """A time so long after the start of its container."""
        (pod,) = (item for item in self.cluster.objects("Pod", "shop") if item["metadata"]["uid"] == change.uid)
        start = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
        return (datetime.fromisoformat(start) + after).isoformat()

    def looked(self, change: FreezeProcess, *, after: timedelta = LATER, listens: int = 1, **sockets: Any) -> Any:
        """The answer of a look: process 43 matches, started so late; this process waits for connections."""
        told = document("processes", processes=[{"pid": 43, "started_at": self.started(change, after)}])
        bound = [{"protocol": "tcp", "state": "listen", "remote": "", "pids": [listens]}]
        return says(matches(43), told, document("sockets", sockets=bound, **{"denied": {}, **sockets}))


@pytest.fixture
def freezing() -> Iterator[Freezing]:
    """A cluster that lets everything in."""
    with one_cluster() as (cluster, means):
        yield Freezing(cluster, means)


def test_frozen_where_it_was_read_back(freezing: Freezing) -> None:
    """One container beside the target looks and freezes at once; nothing is contained by that alone since a moment."""
    change = freezing.pod()
    result = freezing.frozen(change, look=says(matches(43, 44), freeze(p43="frozen", p44="gone")))
    assert (str(result.status), result.reason, result.containment) == ("done", "frozen", Containment.FROZEN)
    assert result.detail == "1 of 2 processes frozen: pid 43 frozen, pid 44 gone"
    assert result.contained_at is None
    (container,) = freezing.put_in(change)
    assert (container["name"], container["args"][:2], container["targetContainerName"]) == (
        LOOK,
        ["look", "-freeze"],
        "web",
    )
    assert container["securityContext"]["capabilities"]["add"] == ["SYS_PTRACE", "DAC_OVERRIDE", "KILL"]


def test_a_fork_bomb_that_is_frozen_fits_into_its_case(freezing: Freezing) -> None:
    """Whoever is in the container makes as many processes as they like: the step keeps some of them."""
    bomb = {f"p{number}": "frozen" for number in range(1, 5_001)}
    result = freezing.frozen(freezing.pod(), look=says(matches(1), freeze(**bomb)))
    assert (result.reason, len(result.frozen)) == ("frozen", MOST_FROZEN)
    assert len(msgspec.json.encode(result)) < 25_000


def test_it_does_not_wait_for_the_rest(freezing: Freezing) -> None:
    """What was stopped is told first; that the log breaks off later is the look's affair."""
    result = freezing.frozen(
        freezing.pod(), look=breaks_off(matches(43), freeze(p43="frozen"), document("x", a="b" * 30000))
    )
    assert result.reason == "frozen"


@pytest.mark.parametrize(
    ("told", "status", "reason"),
    [
        pytest.param((matches(1), freeze(p1="impossible")), "not_effective", "first_process", id="process-1"),
        pytest.param(
            (matches(1, 43), freeze(p1="impossible", p43="frozen")), "not_effective", "first_process", id="both"
        ),
        pytest.param((matches(43), freeze(p43="denied")), "not_effective", "not_frozen", id="denied"),
        pytest.param(
            (matches(43, 44), freeze(p43="frozen", p44="running")), "not_effective", "not_frozen", id="one-runs"
        ),
        pytest.param((matches(43), freeze(p43="own_program")), "not_effective", "not_frozen", id="a-shell"),
        pytest.param((matches(43), freeze(p43="gone")), "not_effective", "not_frozen", id="gone-meanwhile"),
        pytest.param((matches(), freeze()), "skipped", "no_process_matched", id="no-match"),
        pytest.param((matches(unread=1), freeze()), "not_effective", "processes_unread", id="one-unread"),
        pytest.param((matches(complete=False), freeze()), "not_effective", "processes_unread", id="not-all-seen"),
        pytest.param((matches(43),), "not_effective", "answer_truncated", id="no-freeze-told"),
        pytest.param((freeze(p43="frozen"),), "not_effective", "answer_truncated", id="no-match-told"),
    ],
)
def test_a_no_stays_a_no(freezing: Freezing, told: tuple[bytes, ...], status: str, reason: str) -> None:
    """Whatever was not read back as stopped is not said to be."""
    result = freezing.frozen(freezing.pod(), look=says(*told))
    assert (str(result.status), result.reason, result.containment) == (status, reason, None)


@pytest.mark.parametrize(
    "security",
    [
        pytest.param({"privileged": True}, id="privileged"),
        pytest.param({"capabilities": {"add": ["SYS_PTRACE"]}}, id="traces"),
    ],
)
def test_who_may_write_our_log_proves_nothing(freezing: Freezing, security: dict[str, Any]) -> None:
    """A target that reaches into our container may have written its answer."""
    result = freezing.frozen(freezing.pod(securityContext=security), look=says(matches(43), freeze(p43="frozen")))
    assert (str(result.status), result.reason, result.containment) == ("not_effective", "unproven", None)


@pytest.mark.parametrize(("shares", "reason"), [(False, "frozen"), (True, "unproven")])
def test_a_neighbour_may_write_it_where_processes_are_shared(freezing: Freezing, shares: bool, reason: str) -> None:
    """Then every container of the pod is beside ours, not only its target."""
    neighbour = {"name": "agent", "image": "agent:1", "securityContext": {"privileged": True}}
    change = freezing.pod(neighbour, pod={"shareProcessNamespace": shares})
    assert freezing.frozen(change, look=says(matches(43), freeze(p43="frozen"))).reason == reason


def test_the_target_s_own_form_proves_nothing() -> None:
    """Where only that is let in, an attacker is the same user: he may have hidden, or gone on."""

    def unprivileged(_target: RequestTarget, _stored: ApiObject, pod: ApiObject) -> str:
        asked = pod["spec"].get("ephemeralContainers", ())
        root = any(item["securityContext"].get("runAsUser") == 0 for item in asked)
        return 'violates PodSecurity "restricted:latest": runAsUser=0' if root else ""

    with one_cluster(admission=unprivileged) as (cluster, means):
        freezing = Freezing(cluster, means)
        result = freezing.frozen(freezing.pod(), look=says(matches(43), freeze(p43="frozen")))
    assert result.reason == "unproven"


def test_on_the_host_s_network_its_connections_end_too(freezing: Freezing) -> None:
    """Those of the stopped processes alone; the word stays `frozen`, and it is contained since then."""
    change = freezing.pod(pod={"hostNetwork": True})
    result = freezing.frozen(change, look=says(matches(43), freeze(p43="frozen"), cut()))
    (container,) = freezing.put_in(change)
    assert container["args"][:3] == ["look", "-freeze", "-sockets"]
    assert "NET_ADMIN" in container["securityContext"]["capabilities"]["add"]
    assert (result.reason, result.containment) == ("frozen", Containment.FROZEN)
    assert result.contained_at == datetime.fromisoformat(AT) + timedelta(seconds=1)
    assert result.detail.endswith("2 of 2 connections ended, 0 left")


def test_a_pod_that_sees_its_node_is_left_alone(freezing: Freezing) -> None:
    """A process of another pod may have the same program."""
    change = freezing.pod(pod={"hostPID": True})
    result = freezing.frozen(change)
    assert (str(result.status), result.reason, freezing.put_in(change)) == ("not_possible", "host_processes", [])


def test_without_an_image_any_pod_says_so(freezing: Freezing) -> None:
    """Whatever else would keep a container out: the deployment has none to put in."""
    freezing.means.collector.image = ""
    for fields in ({"pod": {"hostPID": True}}, {"pod": {}}):
        assert freezing.frozen(freezing.pod(**fields)).reason == "no_collector_image"


def test_after_a_look_another_container_freezes(freezing: Freezing) -> None:
    """A look that froze nothing cannot be changed any more."""
    change = freezing.pod(livenessProbe=PROBE)
    freezing.frozen(change, look=freezing.looked(change), freeze=says(matches(43), freeze(p43="frozen")))
    froze = {container["name"]: "-freeze" in container["args"] for container in freezing.put_in(change)}
    assert froze == {LOOK: False, FREEZE: True}


@pytest.mark.parametrize(
    ("probe", "looked", "reason"),
    [
        pytest.param({}, {}, "frozen", id="no-probe"),
        pytest.param({"readinessProbe": PROBE}, {}, "frozen", id="readiness-alone"),
        pytest.param({"livenessProbe": PROBE}, {}, "frozen", id="another-process"),
        pytest.param({"startupProbe": PROBE}, {"listens": 43}, "own_process_probed", id="startup"),
        pytest.param({"livenessProbe": PROBE}, {"listens": 43}, "own_process_probed", id="it-listens"),
        pytest.param({"livenessProbe": PROBE}, {"after": timedelta(seconds=5)}, "own_process_probed", id="began-early"),
        pytest.param({"livenessProbe": PROBE}, {"denied": {"fd": 1}}, "own_process_probed", id="sockets-denied"),
    ],
)
def test_no_container_restarts_because_of_us(
    freezing: Freezing, probe: dict[str, Any], looked: dict[str, Any], reason: str
) -> None:
    """Where a probe would restart the container, the workload's own process is left running."""
    change = freezing.pod(**probe)
    frozen = says(matches(43), freeze(p43="frozen"))
    first = freezing.looked(change, **looked) if probe.keys() - {"readinessProbe"} else frozen
    result = freezing.frozen(change, look=first, freeze=frozen)
    assert result.reason == reason
    assert reason == "frozen" or (result.status, result.detail) == ("held", f"{next(iter(probe))} of web: pid 43")
    froze = any("-freeze" in container["args"] for container in freezing.put_in(change))
    assert froze is (reason == "frozen")


def test_after_a_sealed_look_another_key_reads_the_freeze(freezing: Freezing) -> None:
    """The key of the look is destroyed then: what freezes is put in with one of its own, and the look stays shut."""
    change = freezing.pod()
    freezing.seal_look(change)
    result = freezing.frozen(change, freeze=says(matches(43), freeze(p43="frozen")))
    assert (result.reason, result.containment) == ("frozen", Containment.FROZEN)
    looked, froze = (key_of(container) for container in freezing.put_in(change))
    assert looked != froze


def test_what_a_sealed_look_told_is_not_asked_again(freezing: Freezing) -> None:
    """Whether the process is the workload's own is not known then: under a probe it is left alone."""
    change = freezing.pod(livenessProbe=PROBE)
    freezing.seal_look(change)
    result = freezing.frozen(change, freeze=says(matches(43), freeze(p43="frozen")))
    assert (result.status, result.reason) == ("held", "own_process_probed")
    assert result.detail.startswith("livenessProbe of web: the look is sealed")
    assert [container["name"] for container in freezing.put_in(change)] == [LOOK]


def test_under_a_probe_nothing_is_frozen_by_an_unproven_look(freezing: Freezing) -> None:
    """Who may write our log may have said that the process is not the workload's own."""
    change = freezing.pod(livenessProbe=PROBE, securityContext={"privileged": True})
    result = freezing.frozen(change, look=freezing.looked(change), freeze=says(matches(43), freeze(p43="frozen")))
    assert (str(result.status), result.reason) == ("not_effective", "unproven")
    assert [container["name"] for container in freezing.put_in(change)] == [LOOK]
