"""What one look sees of a service or a job, by each kind of change that was made on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from google.cloud.run_v2.types import IngressTraffic as Ingress
from google.cloud.run_v2.types import TrafficTarget

from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.domain.changes import Change
from scc_responder.domain.changes.cloud_run.cancel_execution import CancelExecution
from scc_responder.domain.changes.cloud_run.delete_revision import DeleteRevision
from scc_responder.domain.changes.cloud_run.restart_service import RestartService, own_revision
from scc_responder.domain.changes.cloud_run.restrict_access import AccessSettings, RestrictAccess
from scc_responder.domain.changes.cloud_run.scale_service import ScaleService
from scc_responder.domain.changes.cloud_run.set_invokers import SetInvokers
from scc_responder.domain.changes.cloud_run.shift_traffic import ShiftTraffic
from scc_responder.domain.clock import utc_now
from scc_responder.domain.cloud_run.run_objects import RunIamBinding, RunScaling, RunTraffic
from scc_responder.pipeline.looks.run_look import MadeOnRun, RunLook, RunSeen
from tests.kits.checkout_deployment import BAD, GOOD, aged_world, split
from tests.kits.google.cloud_run.samples import CHECKOUT, INVOKER, NIGHTLY, add_job, deploy, image, start_execution
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import World

BAD_IMAGE = f"sha256:{'b' * 64}"
ACTION_ID = "0123456789abcdef"
OWN = own_revision("checkout", ACTION_ID)
TO_BAD = (RunTraffic(revision=BAD, percent=100),)


@pytest.fixture
def server() -> Iterator[CloudRunServer]:
    """The service serves its good revision."""
    with CloudRunServer(aged_world()) as made:
        split(made.world, {GOOD: 100})
        yield made


def of_checkout(world: World) -> dict[str, Any]:
    return {"path": CHECKOUT, "uid": world.services[CHECKOUT].uid}


def shift(world: World, **fields: Any) -> Change:
    more = {"to": GOOD, "prior": TO_BAD, "retired": (BAD,), "deployed": BAD, "ready": BAD, **fields}
    return ShiftTraffic(**of_checkout(world), **more)


def deletion(world: World) -> Change:
    return DeleteRevision(**of_checkout(world), revision=BAD, revision_uid="u")


def restart(world: World) -> Change:
    return RestartService(**of_checkout(world), revision=BAD, revision_uid="u", prior=TO_BAD)


def scaling(world: World) -> Change:
    return ScaleService(**of_checkout(world), prior=RunScaling(), deployed=BAD, ready=BAD)


def ingress(world: World) -> Change:
    wanted = AccessSettings(ingress="INGRESS_TRAFFIC_INTERNAL_ONLY")
    return RestrictAccess(**of_checkout(world), wanted=wanted, prior=AccessSettings(ingress="INGRESS_TRAFFIC_ALL"))


def invokers(world: World) -> Change:
    return SetInvokers(**of_checkout(world), members=(RunIamBinding(role=INVOKER, members=("allUsers",)),))


def cancellation(_world: World) -> Change:
    return CancelExecution(path=NIGHTLY, uid="j", execution="nightly-x7k2p", execution_uid="e")


def seen(server: CloudRunServer, *changes: Change, images: tuple[str, ...] = (BAD_IMAGE,), meant: str = BAD) -> RunSeen:
    """What a look sees of these changes, made an hour ago."""
    then = utc_now() - timedelta(hours=1)
    made = [
        MadeOnRun(action=change.__struct_config__.tag, action_id=ACTION_ID, change=change, begun=then, ended=then)  # type: ignore[arg-type]
        for change in changes
    ]
    decision = {"images": images, "cloud_run": {"meant": meant}}
    api = CloudRunAdmin(endpoint=server.endpoint, timeout_seconds=5.0)
    try:
        return RunLook(api, None, decision, utc_now()).seen(made)
    finally:
        api.close()


def set_scaling(world: World, instances: int) -> None:
    world.services[CHECKOUT].scaling = {"scaling_mode": "MANUAL", "manual_instance_count": instances}


def serve_own(world: World) -> None:
    """The revision that the restart made serves."""
    world.add_revision(world.services[CHECKOUT], OWN)
    split(world, {OWN: 100})


def set_ingress(world: World, value: Ingress) -> None:
    world.services[CHECKOUT].ingress = value


def serves(world: World, letter: str) -> None:
    split(world, {deploy(world, image(letter)): 100})


def nothing(_world: World) -> None:
    """Nobody does anything."""


STANDS: dict[str, tuple[Callable[[World], Change], Callable[[World], object]]] = {
    "shift_traffic": (shift, nothing),
    "delete_revision": (deletion, nothing),
    "restart_service": (restart, serve_own),
    "scale_service": (scaling, lambda world: set_scaling(world, 0)),
    "restrict_access": (ingress, lambda world: set_ingress(world, Ingress.INGRESS_TRAFFIC_INTERNAL_ONLY)),
    "set_invokers": (invokers, lambda world: world.policies.clear()),
    "cancel_execution": (cancellation, lambda world: world.executions.clear()),
}


@pytest.mark.parametrize(("change", "act"), STANDS.values(), ids=STANDS)
def test_what_stands_is_not_gone(
    server: CloudRunServer, change: Callable[[World], Change], act: Callable[[World], object]
) -> None:
    """Nothing is noted of it either."""
    act(server.world)
    found = seen(server, change(server.world))
    assert (found.gone, found.noted) == ([], [])


LOST: dict[str, tuple[Callable[[World], Change], Callable[[World], object], str]] = {
    "shift_traffic": (shift, lambda world: split(world, {BAD: 100}), "served_again"),
    "shift_traffic, in part": (shift, lambda world: split(world, {GOOD: 99, BAD: 1}), "served_again"),
    "shift_traffic, to the latest": (shift, lambda world: world.services[CHECKOUT].traffic.clear(), "served_again"),
    "shift_traffic, by the image": (shift, lambda world: serves(world, "b"), "served_again"),
    "delete_revision": (deletion, lambda world: serves(world, "b"), "served_again"),
    "restart_service": (restart, lambda world: split(world, {BAD: 100}), "served_again"),
    "scale_service": (scaling, lambda world: set_scaling(world, 1), "scaled_up"),
    "restrict_access": (ingress, nothing, "access_opened"),
    "set_invokers": (invokers, nothing, "access_opened"),
}


@pytest.mark.parametrize(("change", "act", "reason"), LOST.values(), ids=LOST)
def test_what_others_took_away_is_gone(
    server: CloudRunServer, change: Callable[[World], Change], act: Callable[[World], object], reason: str
) -> None:
    """By the action, and the reason; it stands no more."""
    act(server.world)
    made = change(server.world)
    found = seen(server, made)
    assert (found.gone, found.standing) == ([f"{made.__struct_config__.tag}: {reason}"], [])


def test_a_restart_leaves_the_image_as_it_is(server: CloudRunServer) -> None:
    """Its new revision runs the same image, and so may what is deployed later: that takes nothing away."""
    serve_own(server.world)
    serves(server.world, "b")
    assert seen(server, restart(server.world)).gone == []


def test_without_a_named_image_all_of_them_count(server: CloudRunServer) -> None:
    """The finding names none: a revision is compromised that runs all images of the one that is meant."""
    serves(server.world, "b")
    assert seen(server, shift(server.world), images=()).gone == ["shift_traffic: served_again"]
    serves(server.world, "c")
    assert [note.reason for note in seen(server, shift(server.world), images=()).noted] == ["deployed_since"]
    server.world.revisions.pop(f"{CHECKOUT}/revisions/{BAD}")
    found = seen(server, shift(server.world), images=())
    assert ([note.detail for note in found.noted], [note.reason for note in found.unseen]) == (
        ["gets 100 %; images not known"],
        ["digest_unknown", "no_cloud_monitoring"],
    )


def test_a_tag_that_the_rollback_kept_is_no_news(server: CloudRunServer) -> None:
    """It was there before: it is told of nothing. One that was given since is."""
    other = deploy(server.world, image("c"))
    server.world.revisions[f"{CHECKOUT}/revisions/{other}"].create_time = utc_now() - timedelta(days=1)
    split(server.world, {GOOD: 100}, tagged=other)
    kept = shift(server.world, prior=(*TO_BAD, RunTraffic(revision=other, tag="canary")), deployed=other)
    assert seen(server, kept).noted == []
    (note,) = seen(server, shift(server.world, deployed=other)).noted
    assert (note.about, note.reason, note.detail) == (other, "traffic_moved", "gets requests by a tag; other images")


def test_a_tag_is_no_mend(server: CloudRunServer) -> None:
    """A deploy that has an address and no share leaves the service to its pinned revision: what is gone is gone."""
    other = deploy(server.world, image("c"))
    split(server.world, {GOOD: 100}, tagged=other)
    assert seen(server, shift(server.world), ingress(server.world)).gone == ["restrict_access: access_opened"]


def test_a_service_without_a_list_gives_all_to_the_latest(server: CloudRunServer) -> None:
    """Whoever removes the list of traffic has let the compromised revision serve again."""
    service = server.world.services[CHECKOUT]
    service.traffic, service.traffic_statuses = [], []
    assert seen(server, shift(server.world)).gone == ["shift_traffic: served_again"]
    service.traffic = [TrafficTarget(type_="TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent=100)]
    assert seen(server, shift(server.world)).gone == ["shift_traffic: served_again"]


def test_a_long_list_of_revisions_is_read_once(server: CloudRunServer) -> None:
    """One page: a revision beyond it has images that nobody knows, and is left to people."""
    revision = deploy(server.world, image("b"))
    deploy(server.world, image("e"))
    split(server.world, {revision: 100})
    server.page_limit = 1
    found = seen(server, shift(server.world))
    asked = [method for method, _ in server.requests]
    assert (asked, found.gone) == (["Services/GetService", "Revisions/ListRevisions"], [])
    assert {note.reason for note in found.unseen} == {"digest_unknown", "no_cloud_monitoring"}


def test_a_long_list_of_executions_is_read_in_part(server: CloudRunServer) -> None:
    """Three pages at most, and the look says that there are more."""
    job = server.world.jobs.get(NIGHTLY) or add_job(server.world)
    for number in range(6):
        start_execution(server.world, job, f"nightly-{number}")
    server.page_limit = 1
    found = seen(server, cancellation(server.world), images=(f"sha256:{'d' * 64}",))
    assert [method for method, _ in server.requests] == ["Executions/ListExecutions"] * 3
    assert [(note.about, note.reason) for note in found.unseen] == [("executions", "partial_list")]
    assert [note.reason for note in found.noted] == ["started_again"]


@pytest.mark.parametrize("path", ["", "projects/p", "projects/p/locations/l/services/../x"])
def test_a_path_that_is_none_asks_nothing(server: CloudRunServer, path: str) -> None:
    """Whoever may write the store chooses no request by it."""
    damaged = ShiftTraffic(path=path, uid="u", to=GOOD, prior=TO_BAD)
    assert (seen(server, damaged), server.requests) == (RunSeen(), [])
