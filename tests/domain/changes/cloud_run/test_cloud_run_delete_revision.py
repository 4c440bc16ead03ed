"""A revision is deleted once, only where nothing reaches it, and called deleted only where it is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud.run_v2.types import TrafficTarget
from google.cloud.run_v2.types import TrafficTargetAllocationType as Allocation

from scc_responder.domain.changes import Change
from scc_responder.domain.changes.cloud_run.delete_revision import DELETES_REVISION
from scc_responder.domain.errors import RetryableError
from scc_responder.domain.permissions import Permission
from scc_responder.domain.status import Containment
from tests.kits.google.cloud_run.samples import CHECKOUT, deploy, image
from tests.kits.google.cloud_run.world import LATEST, now
from tests.kits.one_run_change import BAD_REVISION, OneCloudRun, one_cloud_run, planned_on_run

BAD_PATH = f"{CHECKOUT}/revisions/{BAD_REVISION}"
BY_NAME = Allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


def deletion(run: OneCloudRun) -> Change:
    """The change that deletes the bad revision, which a later deploy has retired."""
    deploy(run.world, image("c"))
    (change,) = planned_on_run(run, "delete_revision")
    return change


def test_a_retired_revision_is_deleted_and_gone() -> None:
    """The case says how a person deletes the service."""
    with one_cloud_run() as run:
        result = run.carried_out(deletion(run))
        assert (result.status, result.reason) == ("done", "revision_deleted")
        assert result.containment is Containment.RETIRED
        assert result.contained_at is not None
        assert BAD_PATH not in run.world.revisions
        assert "gcloud run services delete checkout --region europe-west1 --project example-project" in result.detail
        assert run.server.writes_of("DeleteRevision") == [BAD_PATH]


def test_a_deletion_is_sent_once_whatever_befalls_its_answer() -> None:
    """A lost answer is read back, and so is a deletion that a crash left behind."""
    with one_cloud_run(reconcile_seconds=0.3) as run:
        change = deletion(run)
        run.server.lost_answers = 1
        assert run.carried_out(change).reason == "revision_deleted"
        assert run.carried_out(change, intended=True).reason == "revision_deleted"
        assert len(run.server.writes_of("DeleteRevision")) == run.intents == 1


def test_what_others_deleted_is_not_called_ours() -> None:
    """It is gone, and nothing is contained by us; one that is being deleted is awaited."""
    with one_cloud_run(reconcile_seconds=0.3) as run:
        change = deletion(run)
        run.world.delete_revision(BAD_PATH, "", False)
        result = run.carried_out(change)
        assert (result.status, result.reason, result.containment) == ("target_gone", "gone_by_other", None)
        assert (len(run.server.writes_of("DeleteRevision")), run.intents) == (1, 0)


def test_a_rehearsal_deletes_nothing() -> None:
    """The API itself checks the request."""
    with one_cloud_run() as run:
        result = run.carried_out(deletion(run), dry_run=True)
        assert (result.status, result.reason, result.containment) == ("dry_run", "would_delete_revision", None)
        assert run.server.writes_of("DeleteRevision") == []


def test_a_revision_that_changes_between_look_and_deletion_is_looked_at_again() -> None:
    """Its etag is the condition."""
    with one_cloud_run() as run:
        change = deletion(run)
        read = run.api.get_revision

        def changed_after(*asked: Any) -> Any:
            seen = read(*asked)
            run.api.__dict__.pop("get_revision")
            run.world.revisions[BAD_PATH].etag = '"changed"'
            return seen

        vars(run.api)["get_revision"] = changed_after
        assert run.carried_out(change).reason == "revision_deleted"
        assert run.intents == 2


def served_by_share(run: OneCloudRun) -> None:
    service = run.world.services[CHECKOUT]
    service.traffic = [TrafficTarget(type_=BY_NAME, revision=BAD_REVISION, percent=100)]
    run.world.serve(service)


def served_by_tag(run: OneCloudRun) -> None:
    service = run.world.services[CHECKOUT]
    tagged = TrafficTarget(type_=BY_NAME, revision=BAD_REVISION, tag="canary")
    service.traffic = [TrafficTarget(type_=LATEST, percent=100), tagged]
    run.world.serve(service)


def still_served(run: OneCloudRun) -> None:
    """Traffic is moved, and that has not come about."""
    served_by_share(run)
    run.world.services[CHECKOUT].traffic = [TrafficTarget(type_=LATEST, percent=100)]


def served_soon(run: OneCloudRun) -> None:
    """A tag is asked for, and is not served yet."""
    service = run.world.services[CHECKOUT]
    service.traffic = [*service.traffic, TrafficTarget(type_=BY_NAME, revision=BAD_REVISION, tag="canary")]


def latest_again(run: OneCloudRun) -> None:
    run.world.services[CHECKOUT].latest_ready_revision = BAD_PATH


def another(run: OneCloudRun) -> None:
    run.world.revisions[BAD_PATH].uid = "00000000-0000-4000-8000-00000000000f"


def gone(run: OneCloudRun) -> None:
    del run.world.revisions[BAD_PATH]


def other_service(run: OneCloudRun) -> None:
    run.world.services[CHECKOUT].uid = "00000000-0000-4000-a000-00000000000f"


def deleting(run: OneCloudRun) -> None:
    run.world.services[CHECKOUT].delete_time = now()


@pytest.mark.parametrize("intended", [False, True])
@pytest.mark.parametrize(
    ("befall", "status", "reason"),
    [
        (served_by_share, "held", "revision_served"),
        (served_by_tag, "held", "revision_served"),
        (still_served, "held", "revision_served"),
        (served_soon, "held", "revision_served"),
        (latest_again, "held", "revision_latest"),
        (another, "target_replaced", "target_replaced"),
        (other_service, "target_replaced", "target_replaced"),
        (deleting, "target_gone", "service_deleting"),
    ],
)
def test_what_is_not_deleted_says_why(
    befall: Callable[[OneCloudRun], None], status: str, reason: str, intended: bool
) -> None:
    """A revision that requests reach again is kept, and so is one of the same name that somebody made anew."""
    with one_cloud_run() as run:
        change = deletion(run)
        befall(run)
        result = run.carried_out(change, intended=intended)
        assert (result.status, result.reason, result.containment) == (status, reason, None)
        assert (run.server.writes_of("DeleteRevision"), run.intents) == ([], 0)


def test_a_revision_that_is_gone_before_the_step_is_told() -> None:
    """Nothing is sent."""
    with one_cloud_run() as run:
        change = deletion(run)
        gone(run)
        assert run.carried_out(change).status == "target_gone"
        assert run.intents == 0


def test_traffic_that_comes_back_at_the_last_moment_holds_it() -> None:
    """Cloud Run refuses it then, and the step says what reaches the revision."""
    with one_cloud_run() as run:
        change = deletion(run)
        begin = run.api.delete_revision

        def served_before(*asked: object, **more: object) -> object:
            served_by_tag(run)
            return begin(*asked, **more)  # type: ignore[arg-type] # as it was called

        vars(run.api)["delete_revision"] = served_before
        result = run.carried_out(change)
        assert (result.status, result.reason) == ("held", "revision_served")
        assert run.server.writes_of("DeleteRevision") == []


@pytest.mark.parametrize("left_out", [None, *DELETES_REVISION.permissions], ids=str)
def test_each_declared_permission_is_needed_to_delete(left_out: Permission | None) -> None:
    """With all of them, and no others, it is carried out; without any one it is not."""
    with one_cloud_run() as run:
        change = deletion(run)
        run.server.granted = {item.name for item in DELETES_REVISION.permissions if item != left_out}
        try:
            status = str(run.carried_out(change).status)
        except RetryableError:
            status = "again"
        assert (status == "done") is (left_out is None)
