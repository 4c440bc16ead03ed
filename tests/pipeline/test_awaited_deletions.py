"""A deletion whose end is not seen: the case stays open, and a sweep after the grace period tells what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.ports import KubernetesApi
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.listed_cases import cases_of
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE, answered
from tests.kits.compromised_pod import small
from tests.kits.responder import RAILS, Deployment, api_of, crashing, deployed, finding_about, policy

GRACE = 7
DELETE = f"delete_pod {{grace_period_seconds: {GRACE}}}"
GRACE_OVER = timedelta(seconds=GRACE + 10)
NOT_YET, OVER = GRACE_OVER - timedelta(seconds=1), GRACE_OVER + timedelta(seconds=1)


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    """Its pods do not stop by themselves within a test."""
    with SimulatedCluster(stop_seconds=3600) as running:
        yield small(running)


@pytest.fixture
def made(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    return deployed(tmp_path, cluster, policy(DELETE, "notify"))


@pytest.fixture
def document(cluster: SimulatedCluster, made: Deployment) -> dict[str, Any]:
    """The notification of a finding whose pod was deleted, and runs on."""
    notified = finding_about(cluster.objects("Pod", "shop")[0])
    assert made.respond_to(notified).reason == "deletion_awaited"
    return notified


def swept(made: Deployment, wait: timedelta) -> dict[str, int]:
    """Sweep that time after the deletion, however slow the machine is, and return what the sweep met."""
    steps = (step for record in cases_of(made.services.journal.cases()).records for step in record.steps)
    due = min((step.due_at for step in steps if step.due_at), default=utc_now() + GRACE_OVER)
    at = due - GRACE_OVER + wait
    made.set_clock(lambda: at)
    assert sweep(HERE, "127.0.0.1", made.services).status == 204
    return dict(made.line["swept"])


def deletion(made: Deployment, document: dict[str, Any]) -> tuple[str, str, str]:
    """The state of the case, and status and reason of the deletion."""
    record = made.case(document)
    (step,) = (step for step in record.steps if step.change.get("change") == "delete_pod")
    return str(record.state), str(step.status), step.reason


def path(cluster: SimulatedCluster) -> str:
    (name,) = (
        item["metadata"]["name"] for item in cluster.objects("Pod", "shop") if "deletionTimestamp" in item["metadata"]
    )
    return f"/api/v1/namespaces/shop/pods/{name}"


def stays(_cluster: SimulatedCluster) -> None:
    """The kubelet is gone, or an attacker stops it."""


def forced(cluster: SimulatedCluster) -> None:
    """Somebody takes the object away."""
    api_of(cluster, "admin").delete(path(cluster), {"gracePeriodSeconds": 0})


def ends(cluster: SimulatedCluster) -> None:
    """The kubelet stops the containers; a finalizer keeps the object."""
    api_of(cluster, "admin").patch(path(cluster), {"metadata": {"finalizers": ["example.com/hold"]}})
    cluster.stop_pods()


LATER: list[Any] = [
    pytest.param(stays, ("partial", "terminating", "terminating"), id="it does not end"),
    pytest.param(forced, ("done", "done", "deleted"), id="its object is gone"),
    pytest.param(ends, ("done", "done", "processes_ended"), id="its object is kept"),
]


@pytest.mark.parametrize(("event", "told"), LATER)
def test_a_sweep_tells_what_came_of_it(
    made: Deployment,
    document: dict[str, Any],
    cluster: SimulatedCluster,
    event: Callable[[SimulatedCluster], None],
    told: tuple[str, str, str],
) -> None:
    """Once the grace period and ten seconds are over, and not before; nothing is deleted again, and people are told."""
    before = len(made.published.messages)
    event(cluster)
    assert swept(made, NOT_YET) == {"at_rest": 1}
    assert deletion(made, document) == ("open", "terminating", "deletion_awaited")
    assert swept(made, OVER) == {"resumed": 1}
    assert deletion(made, document) == told
    assert len([each for each in cluster.audit if each.verb == "delete" and "scc" in str(each.request)]) <= 1
    assert len(made.published.messages) == before + 1
    assert {step["reason"] for step in made.published.messages[-1]["steps"]} >= {told[2]}
    assert "resumed" not in swept(made, OVER)


def test_a_swept_end_is_no_time_to_contain(
    made: Deployment, document: dict[str, Any], cluster: SimulatedCluster
) -> None:
    """Where the node told the end, it counts from there, not from the sweep; where nobody did, there is none."""
    ends(cluster)
    swept(made, timedelta(hours=1))
    line = next(line for line in made.lines if line.get("by") == "sweep")
    assert 0 <= line["contained_seconds"] < 600
    said = {name: line[name] for name in ("containment", "contained_seconds")}
    assert said["containment"] == "processes_ended"
    assert {name: made.published.messages[-1][name] for name in said} == said


class WrongClock:
    """`ports.KubernetesApi` of a cluster whose node tells another end of its containers."""

    def __init__(self, api: KubernetesApi, end: str) -> None:
        self._api, self._end = api, end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def get(self, path: str) -> dict[str, Any]:
        read = self._api.get(path)
        for status in read.get("status", {}).get("containerStatuses", ()):
            status["state"].get("terminated", {})["finishedAt"] = self._end
        return read


@pytest.mark.parametrize("end", ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_a_wrong_clock_is_no_time_to_contain(
    made: Deployment, document: dict[str, Any], cluster: SimulatedCluster, end: str
) -> None:
    """An end before the delivery's last read, or after the sweep's, is the mistake of a clock: nobody knows when."""
    ends(cluster)
    made.clusters.api = WrongClock(made.clusters.api, end)
    swept(made, OVER)
    assert deletion(made, document) == ("done", "done", "processes_ended")
    assert [line["containment"] for line in made.lines if line.get("by") == "sweep"] == ["processes_ended"]
    assert not any("contained_seconds" in line for line in made.lines)


def test_a_forced_end_is_no_time_to_contain(
    made: Deployment, document: dict[str, Any], cluster: SimulatedCluster
) -> None:
    """The object is gone: that does not tell when the processes ended."""
    forced(cluster)
    swept(made, OVER)
    assert not any("contained_seconds" in line for line in made.lines)


def test_a_copy_does_not_end_it_early(made: Deployment, document: dict[str, Any], cluster: SimulatedCluster) -> None:
    """A second delivery reads once, and leaves the case as open as it was."""
    deletes = [event for event in cluster.audit if event.verb == "delete"]
    due = [step.due_at for step in made.case(document).steps if step.due_at]
    assert made.deliver(document).reason == "deletion_awaited"
    assert [event for event in cluster.audit if event.verb == "delete"] == deletes
    assert [step.due_at for step in made.case(document).steps if step.due_at] == due


@pytest.mark.parametrize(("wait", "state"), [(NOT_YET, "open"), (OVER, "superseded")])
def test_a_finding_that_is_over_is_seen_to_its_end(
    made: Deployment, document: dict[str, Any], cluster: SimulatedCluster, wait: timedelta, state: str
) -> None:
    """That somebody closed the finding does not say that the pod's processes have ended."""
    over = {**document, "finding": {**document["finding"], "state": "INACTIVE"}}
    at = utc_now() + wait
    made.set_clock(lambda: at)
    made.list_finding(over)
    made.deliver(over)
    reason = "deletion_awaited" if state == "open" else "terminating"
    assert deletion(made, document) == (state, "terminating", reason)


LOWERED: list[Any] = [
    pytest.param((stays, NOT_YET, ("open", "terminating", "deletion_awaited")), id="not due yet"),
    pytest.param((stays, OVER, ("partial", "terminating", "terminating")), id="it does not end"),
    pytest.param((ends, OVER, ("done", "done", "processes_ended")), id="it has ended"),
]


@pytest.mark.parametrize("later", LOWERED)
def test_a_lowered_switch_makes_no_rehearsal_of_it(
    made: Deployment, document: dict[str, Any], cluster: SimulatedCluster, later: tuple[Any, timedelta, Any]
) -> None:
    """The deletion was sent, whatever the mode is by now: its end is awaited and told."""
    event, wait, told = later
    made.turn("dry_run")
    event(cluster)
    at = utc_now() + wait
    made.set_clock(lambda: at)
    made.deliver(document)
    assert deletion(made, document) == told


ASK = policy("cordon_node", name="ask", mode="approve")
RULES = RAILS + "approval: {approvers: [local], expires: 1h}\n"


@pytest.fixture
def asked(tmp_path: Path, cluster: SimulatedCluster) -> tuple[Deployment, dict[str, Any]]:
    """A case whose pod was deleted and runs on, and whose plan about the node waits for a person."""
    made = deployed(tmp_path, cluster, policy(DELETE, "notify"), ASK, guardrails=RULES)
    notified = finding_about(cluster.objects("Pod", "shop")[0])
    made.respond_to(notified)
    assert deletion(made, notified) == ("waiting", "terminating", "deletion_awaited")
    return made, notified


def cordons(cluster: SimulatedCluster) -> int:
    return len([event for event in cluster.audit if (event.verb, event.rbac_resource) == ("patch", "nodes")])


@pytest.mark.parametrize(("event", "told"), LATER)
def test_a_plan_waits_on_while_the_end_is_told(
    asked: tuple[Deployment, dict[str, Any]],
    cluster: SimulatedCluster,
    event: Callable[[SimulatedCluster], None],
    told: tuple[str, str, str],
) -> None:
    """The sweep tells what came of the deletion. The same plan waits on, can be approved, and nothing is done twice."""
    made, document = asked
    digest = made.case(document).plan
    event(cluster)
    assert swept(made, NOT_YET) == {"at_rest": 1}
    assert swept(made, OVER) == {"resumed": 1}
    assert deletion(made, document) == ("waiting", *told[1:])
    assert (made.case(document).plan, cordons(cluster)) == (digest, 0)
    assert swept(made, OVER) == {"at_rest": 1}
    assert answered(made, document).reason == (told[2] if told[0] == "partial" else "done")
    assert deletion(made, document) == told
    assert cordons(cluster) == 1


@pytest.mark.parametrize("verb", ["approve", "reject"])
@pytest.mark.parametrize(("event", "told"), LATER)
def test_an_answer_does_not_end_it(
    asked: tuple[Deployment, dict[str, Any]],
    cluster: SimulatedCluster,
    verb: str,
    event: Callable[[SimulatedCluster], None],
    told: tuple[str, str, str],
) -> None:
    """A person who answers meanwhile leaves the case open: the sweep after the grace period tells the end."""
    made, document = asked
    assert answered(made, document, verb).status == 204
    assert deletion(made, document) == ("open", "terminating", "deletion_awaited")
    assert (made.case(document).closed_at, made.case(document).owner) == (None, "")
    event(cluster)
    assert swept(made, NOT_YET) == {"at_rest": 1}
    assert swept(made, OVER) == {"resumed": 1}
    state = "partial" if verb == "reject" else told[0]
    assert deletion(made, document) == (state, *told[1:])
    assert cordons(cluster) == (1 if verb == "approve" else 0)


def test_an_unanswered_plan_expires_after_the_end(
    asked: tuple[Deployment, dict[str, Any]], cluster: SimulatedCluster
) -> None:
    """The end is told first; then nobody has answered in time, and the case comes to its own end."""
    made, document = asked
    ends(cluster)
    assert swept(made, timedelta(hours=2)) == {"resumed": 1}
    swept(made, timedelta(hours=2))
    assert deletion(made, document) == ("partial", "done", "processes_ended")
    assert [step.reason for step in made.case(document).steps if step.action == "cordon_node"] == ["approval_expired"]


def test_a_stored_zero_is_carried_out_as_one(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A step that an earlier version intended with a grace period of 0 gets 1, and the case says so."""
    made = deployed(tmp_path, cluster, policy("delete_pod {grace_period_seconds: 1}"))
    api, notified = made.clusters.api, finding_about(cluster.objects("Pod", "shop")[0])
    made.clusters.api = crashing(api, "delete", sent=False)
    assert made.respond_to(notified).status == 503
    made.clusters.api = api
    store, key = made.services.store, f"case/{parse_notification(notified).key}"
    entry = store.get(key)
    assert entry is not None
    older = entry.value.replace(b'"grace_period_seconds":1', b'"grace_period_seconds":0')
    assert older != entry.value
    store.replace(key, older, entry.version, unfinished=True)
    made.deliver(notified)
    (sent,) = (event.request for event in cluster.audit if event.verb == "delete")
    assert sent["gracePeriodSeconds"] == 1
    (step,) = (step for step in made.case(notified).steps if step.change.get("change") == "delete_pod")
    assert "carried out with grace_period_seconds 1" in step.detail
