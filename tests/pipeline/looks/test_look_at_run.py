"""What was done on Cloud Run is looked at when that is due, against a local one: put back, told, or left to people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.run_v2.types import IngressTraffic as Ingress

from scc_responder.adapters.google.cloud_monitoring import CloudMonitoring
from scc_responder.cli.case import case_text
from scc_responder.domain.clock import utc_now
from scc_responder.domain.mode import Mode
from scc_responder.journal.account.account import account_of
from scc_responder.journal.watch.looks_due import due_at
from scc_responder.pipeline.looks.look_sweep import LANES_OF_A_CLUSTER
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import (
    BAD,
    GOOD,
    RunDeployment,
    aged_world,
    escape,
    job_escape,
    run_deployed,
    run_policy,
    split,
)
from tests.kits.google.cloud_run.samples import CHECKOUT, NIGHTLY, deploy, image, let_anyone_invoke, start_execution
from tests.kits.google.monitoring_server import INSTANCES, MonitoringServer
from tests.pipeline.looks.test_look_sweep import copies, later, looked, looks

CUTS = ("roll_back_service", "cut_ingress", "remove_invokers")
MINUTE = timedelta(minutes=1, seconds=1)
MOST_REQUESTS = 4


@pytest.fixture
def running(tmp_path: Path, cluster: SimulatedCluster) -> Iterator[RunDeployment]:
    """A responder that rolls back and cuts off at once."""
    with run_deployed(tmp_path, cluster, run_policy("capture_evidence", *CUTS, "notify", mode="enforce")) as made:
        yield made


@pytest.fixture
def contained(running: RunDeployment) -> dict[str, Any]:
    """The notification of a finding whose revision is retired, and whose service is cut off."""
    document = running.escaped()
    assert running.case(document).state == "done"
    return document


def told(running: RunDeployment, since: int = 0) -> list[str]:
    """The reasons of the messages since then."""
    return [message["attributes"].get("reason", "") for message in running.published.messages[since:]]


def serve_bad(running: RunDeployment) -> None:
    """Somebody gives the requests back to the compromised revision."""
    split(running.world, {BAD: 100})


def tag_bad(running: RunDeployment) -> None:
    """Somebody gives it an address of its own."""
    split(running.world, {GOOD: 100}, tagged=BAD)


def deploy_same(running: RunDeployment) -> None:
    """Somebody deploys the compromised image once more, and lets it serve."""
    split(running.world, {deploy(running.world, image("b")): 100})


def open_ingress(running: RunDeployment) -> None:
    running.world.services[CHECKOUT].ingress = Ingress.INGRESS_TRAFFIC_ALL


def let_in(running: RunDeployment) -> None:
    let_anyone_invoke(running.world)


def open_all(running: RunDeployment) -> None:
    for act in (serve_bad, open_ingress, let_in):
        act(running)


UNDONE: dict[str, tuple[Callable[[RunDeployment], None], set[str]]] = {
    "its requests": (serve_bad, {"roll_back_service: served_again"}),
    "a tag of it": (tag_bad, {"roll_back_service: served_again"}),
    "its image in another revision": (deploy_same, {"roll_back_service: served_again"}),
    "ingress": (open_ingress, {"cut_ingress: access_opened"}),
    "the binding of anyone": (let_in, {"remove_invokers: access_opened"}),
    "all of it": (
        open_all,
        {"roll_back_service: served_again", "cut_ingress: access_opened", "remove_invokers: access_opened"},
    ),
}


@pytest.mark.parametrize(("act", "gone"), UNDONE.values(), ids=UNDONE)
def test_what_others_took_away_is_put_back(
    running: RunDeployment, contained: dict[str, Any], act: Callable[[RunDeployment], None], gone: set[str]
) -> None:
    """The finding is read again, the policies decide, all of it stands again, and people are told once."""
    act(running)
    later(running, MINUTE)
    before = len(running.published.messages)
    assert looked(running) == {"undone_by_others": 1, "resumed": 1}
    service, policy = running.world.services[CHECKOUT], running.world.policies[CHECKOUT]
    assert (running.served(), service.ingress) == ({GOOD: 100}, Ingress.INGRESS_TRAFFIC_INTERNAL_ONLY)
    assert not any("allUsers" in binding.members for binding in policy.bindings)
    assert {*looks(running, contained)[-1].gone} == gone
    assert (running.case(contained).state, told(running, before).count("undone_by_others")) == ("done", 1)
    later(running, 2 * MINUTE)
    assert looked(running) == {"still_contained": 1}


def test_what_is_fought_over_is_left_to_people(running: RunDeployment, contained: dict[str, Any]) -> None:
    """Somebody who sets it back each time wins after two rounds in a day, and people are told that."""
    wait = timedelta(0)
    for state in ("done", "done", "held"):
        serve_bad(running)
        wait += MINUTE
        later(running, wait)
        assert looked(running) == {"undone_by_others": 1, "resumed": 1}
        assert running.case(contained).state == state
    assert (running.case(contained).reason, told(running)[-1]) == ("fought_over", "fought_over")
    assert running.served() == {BAD: 100}
    written = len(running.writes())
    for hours in (1, 2, 30):
        later(running, timedelta(hours=hours))
        looked(running)
    assert len(running.writes()) == written


def test_it_is_not_put_back_unasked(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A policy that asks a person asks anew: the approval was for the first time."""
    with run_deployed(tmp_path, cluster, run_policy(*CUTS)) as running:
        document = running.escaped()
        assert running.answer(document).reason == "done"
        serve_bad(running)
        later(running, MINUTE)
        assert looked(running) == {"undone_by_others": 1, "resumed": 1}
        plan = running.case(document).plan
        assert (running.case(document).state, plan and [step.action for step in plan.steps]) == (
            "waiting",
            ["roll_back_service"],
        )
        assert running.served() == {BAD: 100}


def test_the_kill_switch_lets_it_be_told_alone(running: RunDeployment, contained: dict[str, Any]) -> None:
    """Nothing is written; the case says what is gone."""
    serve_bad(running)
    running.turn(Mode.DRY_RUN)
    later(running, MINUTE)
    written, before = len(running.writes()), len(running.published.messages)
    assert looked(running) == {"undone_by_others": 1}
    assert (len(running.writes()), told(running, before)) == (written, ["undone_by_others"])
    assert looks(running, contained)[-1].gone == ("roll_back_service: served_again",)


def mend(running: RunDeployment) -> str:
    """Somebody deploys another image, and lets it serve whoever calls."""
    revision = deploy(running.world, image("c"))
    split(running.world, {revision: 100})
    open_ingress(running)
    let_in(running)
    return revision


def test_a_deploy_that_may_be_the_mend_is_told_and_not_fought(
    running: RunDeployment, contained: dict[str, Any]
) -> None:
    """Another image serves: neither requests nor what was opened for them is taken away from it. It is told once."""
    revision = mend(running)
    written, before = len(running.writes()), len(running.published.messages)
    for minutes in (1, 5, 60):
        later(running, timedelta(minutes=minutes, seconds=1))
        assert looked(running) == {"deployed_since": 1}
    assert (len(running.writes()), running.served(), told(running, before)) == (
        written,
        {revision: 100},
        ["deployed_since"],
    )
    noted = looks(running, contained)[-1].noted
    assert [(note.about, note.reason) for note in noted] == [
        (revision, "deployed_since"),
        ("cut_ingress", "access_opened"),
        ("remove_invokers", "access_opened"),
    ]
    assert noted[0].detail == "gets 100 %; other images"
    assert f"{revision}: deployed_since, gets 100 %; other images" in running.published.messages[-1]["error"]
    assert (
        f"scc-responder case undo {running.case(contained).finding_key[:12]}"
        in (running.published.messages[-1]["error"])
    )


def test_a_mend_beside_the_compromised_revision_is_none(running: RunDeployment, contained: dict[str, Any]) -> None:
    """While requests reach what was compromised, all that was taken away is put back, and the deploy is left alone."""
    revision = mend(running)
    split(running.world, {revision: 90, BAD: 10})
    later(running, MINUTE)
    assert looked(running) == {"undone_by_others": 1, "resumed": 1}
    assert running.served() == {GOOD: 100}
    assert running.world.services[CHECKOUT].ingress == Ingress.INGRESS_TRAFFIC_INTERNAL_ONLY


def test_a_deploy_that_gets_no_request_is_told(running: RunDeployment, contained: dict[str, Any]) -> None:
    """The requests are pinned to the safe revision: whoever deployed the mend wonders why nobody sees it."""
    served = dict(running.served())
    revision = deploy(running.world, image("c"))
    split(running.world, served)
    later(running, MINUTE)
    assert looked(running) == {"deployed_since": 1}
    (note,) = looks(running, contained)[-1].noted
    assert (note.about, note.detail) == (revision, "gets no request while this stands")


def test_a_deploy_of_unknown_images_is_left_alone(running: RunDeployment, contained: dict[str, Any]) -> None:
    """Nothing is done on what is not known: it is told, and the look says what it could not see."""
    revision = deploy(running.world, image("c"))
    running.world.revisions[f"{CHECKOUT}/revisions/{revision}"].containers[0].image = "example.com/shop/checkout:c"
    split(running.world, {revision: 100})
    later(running, MINUTE)
    assert looked(running) == {"deployed_since": 1}
    look = looks(running, contained)[-1]
    assert look.noted[0].detail == "gets 100 %; images not known"
    assert (revision, "digest_unknown") in {(note.about, note.reason) for note in look.unseen}


@pytest.mark.parametrize(("letter", "counted"), [("b", "undone_by_others"), ("c", "deployed_since")])
def test_what_a_tag_stood_for_is_asked(
    running: RunDeployment, contained: dict[str, Any], letter: str, counted: str
) -> None:
    """A deploy by a tag is the rule: whether it is the compromised image again, the first API tells."""
    revision = deploy(running.world, image(letter))
    running.world.revisions[f"{CHECKOUT}/revisions/{revision}"].containers[0].image = "example.com/shop/checkout:new"
    running.digests.add(revision, f"example.com/shop/checkout@sha256:{letter * 64}")
    split(running.world, {revision: 100})
    later(running, MINUTE)
    assert counted in looked(running)


def test_requests_that_are_moved_to_an_older_revision_are_left_alone(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Somebody chose another one of before: it does not run what was compromised."""
    world = aged_world()
    older = deploy(world, image("e"))
    world.revisions[f"{CHECKOUT}/revisions/{older}"].create_time = utc_now() - timedelta(days=30)
    split(world, {BAD: 100})
    with run_deployed(tmp_path, cluster, run_policy(*CUTS, mode="enforce"), world=world) as running:
        document = running.escaped()
        split(running.world, {older: 100})
        later(running, MINUTE)
        assert looked(running) == {"traffic_moved": 1}
        assert (running.served(), looks(running, document)[-1].gone) == ({older: 100}, ())


def test_a_service_that_was_scaled_to_zero_is_looked_at(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Who lets it have instances again, with the compromised revision, is answered by a plan that asks a person."""
    with run_deployed(tmp_path, cluster, run_policy("scale_to_zero")) as running:
        document = running.escaped()
        running.answer(document)
        later(running, MINUTE)
        assert looked(running) == {"still_contained": 1}
        running.world.services[CHECKOUT].scaling.manual_instance_count = 2
        later(running, timedelta(minutes=6))
        assert looked(running) == {"undone_by_others": 1, "resumed": 1}
        assert looks(running, document)[-1].gone == ("scale_to_zero: scaled_up",)
        assert running.case(document).state == "waiting"


def test_a_service_that_is_gone_lost_nothing(running: RunDeployment, contained: dict[str, Any]) -> None:
    """Nor one of the same name, which is another."""
    held = running.world.services.pop(CHECKOUT)
    later(running, MINUTE)
    assert looked(running) == {"still_contained": 1}
    held.uid = "00000000-0000-4000-a000-00000000ffff"
    running.world.services[CHECKOUT] = held
    serve_bad(running)
    later(running, timedelta(minutes=6))
    assert looked(running) == {"still_contained": 1}


@pytest.mark.parametrize("code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAVAILABLE])
def test_what_cannot_be_read_is_asked_again(
    running: RunDeployment, contained: dict[str, Any], code: grpc.StatusCode
) -> None:
    """It says nothing about what stands: the case keeps why, and is looked at five minutes later."""
    running.server.fail_next(code)
    later(running, MINUTE)
    assert looked(running) == {"not_looked": 1}
    assert looks(running, contained)[-1].unread == f"cloud_run_{code.name.lower()}"
    due = due_at(running.case(contained))
    assert due is not None


def test_an_api_that_does_not_answer_is_asked_once_in_a_sweep(
    running: RunDeployment, contained: dict[str, Any]
) -> None:
    """Its other cases of the project wait for the next look: no sweep goes by in waiting."""
    copies(running, contained, 12)
    running.server.fail_next(grpc.StatusCode.UNAVAILABLE, count=99)
    later(running, MINUTE)
    running.server.requests.clear()
    assert looked(running) == {"not_looked": 13}
    assert len(running.server.requests) <= LANES_OF_A_CLUSTER


@pytest.fixture
def monitoring(running: RunDeployment) -> Iterator[MonitoringServer]:
    """Cloud Monitoring, which the responder asks."""
    with MonitoringServer(lambda: running.services.clock()) as server:  # noqa: PLW0108 - the clock is set anew
        metrics = CloudMonitoring(endpoint=server.endpoint)
        running.services.metrics = metrics
        yield server
        metrics.close()


@pytest.mark.parametrize(("left", "counted"), [(0, "still_contained"), (2, "instances_run")])
def test_instances_are_counted(
    running: RunDeployment, contained: dict[str, Any], monitoring: MonitoringServer, left: int, counted: str
) -> None:
    """A minute after the change no count is new enough, and the look says so; then it says how many run."""
    monitoring.count(INSTANCES, 3, utc_now() - timedelta(minutes=1), revision=BAD)
    later(running, MINUTE)
    assert looked(running) == {"still_contained": 1}
    first = looks(running, contained)[-1]
    assert (first.instances, [(note.about, note.reason) for note in first.unseen]) == (
        None,
        [("instances", "metrics_before_change")],
    )
    monitoring.count(INSTANCES, left, utc_now() + timedelta(minutes=4), revision=BAD)
    later(running, timedelta(minutes=5, seconds=1))
    assert looked(running) == {counted: 1}
    assert looks(running, contained)[-1].instances == left
    assert ("instances_run" in told(running)) == bool(left)


def test_what_a_look_cannot_see_is_shown_from_the_record(running: RunDeployment, contained: dict[str, Any]) -> None:
    """`case show` and `case report` say it, with the reason that the record has."""
    later(running, MINUTE)
    looked(running)
    record = running.case(contained)
    assert [(note.about, note.reason) for note in record.watch.unseen] == [  # type: ignore[union-attr]
        ("instances", "no_cloud_monitoring")
    ]
    shown = "\n".join(case_text.case(record, utc_now()))
    assert "unseen    instances: no_cloud_monitoring (this deployment asks no Cloud Monitoring)" in shown
    lines = [line for answer in account_of(record).answers for line in answer.lines]
    assert "instances: no_cloud_monitoring" in next(line.text for line in lines if line.name == "no look sees")


def most_asked(running: RunDeployment) -> None:
    """What makes a look ask the most: another revision serves, whose images a tag names."""
    revision = deploy(running.world, image("c"))
    running.world.revisions[f"{CHECKOUT}/revisions/{revision}"].containers[0].image = "example.com/shop/checkout:c"
    running.digests.add(revision, f"example.com/shop/checkout@sha256:{'c' * 64}")
    split(running.world, {revision: 100})


def leave_alone(_running: RunDeployment) -> None:
    """Nobody does anything."""


@pytest.mark.parametrize(("act", "asked"), [(leave_alone, 3), (mend, 4), (most_asked, 4)])
def test_a_look_makes_four_requests_at_most(
    running: RunDeployment,
    contained: dict[str, Any],
    monitoring: MonitoringServer,
    act: Callable[[RunDeployment], object],
    asked: int,
) -> None:
    """The service, its IAM policy, and what there is to know of revisions or of instances; nothing is written."""
    act(running)
    later(running, MINUTE)
    for each in (running.server.requests, running.digests.asked, monitoring.requests):
        each.clear()  # type: ignore[attr-defined]
    written = len(running.writes())
    looked(running)
    counts = len(running.server.requests), len(running.digests.asked), len(monitoring.requests)
    assert (sum(counts), len(running.writes())) == (asked, written)
    assert asked <= MOST_REQUESTS


def test_an_execution_that_is_started_again_is_told(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A schedule starts the job anew with the same image: to stop it for good is a person's."""
    with run_deployed(tmp_path, cluster, run_policy("cancel_execution", mode="enforce")) as running:
        document = job_escape()
        running.respond_to(document)
        assert running.outcomes(document) == ["cancel_execution: execution_cancelled"]
        later(running, MINUTE)
        assert looked(running) == {"still_contained": 1}
        start_execution(running.world, running.world.jobs[NIGHTLY], "nightly-again")
        later(running, timedelta(minutes=6))
        before = len(running.published.messages)
        running.server.requests.clear()
        assert looked(running) == {"started_again": 1}
        assert (told(running, before), len(running.server.requests)) == (["started_again"], 1)
        (note,) = looks(running, document)[-1].noted
        assert (note.about, note.detail) == (NIGHTLY, "nightly-again")


def test_what_stands_is_told_after_the_last_look(running: RunDeployment, contained: dict[str, Any]) -> None:
    """With what is felt of it, and the command that takes it back; there is no pod to delete."""
    for hours in (0.02, 0.1, 2, 25):
        later(running, timedelta(hours=hours))
        assert looked(running) == {"still_contained": 1}
    (reminder,) = (message for message in running.published.messages if message.get("reason") == "still_contained")
    assert "roll_back_service: requests go to checkout-00001-abc 100 %" in reminder["error"]
    assert "delete the pod" not in reminder["error"]
    assert due_at(running.case(contained)) is None


def test_the_same_threat_beside_it_is_named(running: RunDeployment, contained: dict[str, Any]) -> None:
    """By our own records alone: two cases of one threat about one service, of which one had nothing left to do."""
    sibling = escape("5" * 32)
    running.list_finding(sibling, "5" * 32)
    serve_bad(running)
    running.deliver(sibling)
    later(running, MINUTE)
    assert looked(running) == {"still_contained": 2}
    keys = [running.case(document).finding_key[:12] for document in (sibling, contained)]
    assert [looks(running, document)[-1].same_threat for document in (contained, sibling)] == [(key,) for key in keys]
