"""What is read of a service or job, by the real client from a local Cloud Run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from google.cloud.run_v2.types import Revision

from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.collect import run_facts as module
from scc_responder.collect.target import Collected, collect
from scc_responder.domain.cloud_run.running_executions import MOST_EXECUTIONS
from scc_responder.domain.context import IdentityLevel
from scc_responder.domain.finding import CloudRunTarget, Finding, FindingContainer
from tests.kits.google.cloud_run.samples import CHECKOUT, add_job, deploy, image, let_anyone_invoke, start_execution
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import World, condition, now
from tests.kits.journal_worlds import finding

PLACE: dict[str, str] = {"project": "example-project", "location": "europe-west1"}


class Nothing:
    """No cluster, and no related finding."""

    def related(self, _finding: Finding) -> tuple[()]:
        return ()


@pytest.fixture
def server() -> Iterator[CloudRunServer]:
    """A service with an older and a newer revision, open to the internet."""
    world = World()
    deploy(world, image("a"))
    deploy(world, image("b"))
    let_anyone_invoke(world)
    with CloudRunServer(world) as started:
        yield started


def read(
    server: CloudRunServer,
    target: CloudRunTarget | None,
    seconds: float = 20.0,
    revision: str = "",
    settled: str = "",
    *,
    containers: tuple[FindingContainer, ...] = (),
) -> Collected:
    """What is known of a finding about this, now."""
    about = finding(cluster=None, pods=(), node="", containers=containers, cloud_run=target, event_time=now())
    admin: Any = CloudRunAdmin(endpoint=server.endpoint, timeout_seconds=10.0)
    nothing: Any = Nothing()
    try:
        with ThreadPoolExecutor(8) as pool:
            return collect(about, nothing, nothing, pool, seconds, run=admin, revision=revision, settled=settled)
    finally:
        admin.close()


def service(name: str = "checkout", **more: str) -> CloudRunTarget:
    """A service of Cloud Run."""
    return CloudRunTarget(kind="service", name=name, **PLACE, **more)


def test_what_a_case_acted_upon_stays_meant(server: CloudRunServer) -> None:
    """As sure as the finding alone makes it, whatever the traffic is by now; a person's choice goes before."""
    older, newer = "checkout-00001-abc", "checkout-00002-abc"
    names: list[str] = []
    for settled, chosen in ((older, ""), (older, newer), ("checkout-00009-abc", "")):
        context = read(server, service(), revision=chosen, settled=settled).context
        names.append(context.revision.name if context.revision else "")
        assert context.identity.level is IdentityLevel.LIKELY
    assert names == [older, newer, newer]
    job = add_job(server.world)
    for short in ("nightly-one", "nightly-two"):
        start_execution(server.world, job, short)
    about = CloudRunTarget(kind="job", name="nightly", **PLACE)
    assert read(server, about).context.missing["execution"] == "several_executions"
    execution = read(server, about, settled="nightly-one").context.execution
    assert execution is not None
    assert execution.name == "nightly-one"


def test_a_record_turns_no_finding_to_another_revision(server: CloudRunServer) -> None:
    """The revision that a finding names is meant, whatever the case's record says it acted upon."""
    older, newer = "checkout-00001-abc", "checkout-00002-abc"
    revision = read(server, service(revision=newer), settled=older).context.revision
    assert revision is not None
    assert revision.name == newer


def test_a_record_turns_no_finding_to_what_it_cannot_mean(server: CloudRunServer) -> None:
    """That is a revision that runs another image than the finding names, or was made after the event."""
    older, newer = "checkout-00001-abc", "checkout-00002-abc"
    names: list[str] = []
    for letter in "ab":
        named = (FindingContainer(name="main", image=image(letter)),)
        revision = read(server, service(), settled=older, containers=named).context.revision
        names.append(revision.name if revision else "")
    made = next(each for each in server.world.revisions.values() if each.name.endswith(older))
    made.create_time = now() + timedelta(hours=1)
    revision = read(server, service(), settled=older).context.revision
    assert [*names, revision.name if revision else ""] == [older, newer, newer]


def test_a_service_is_read_with_three_requests(server: CloudRunServer) -> None:
    """Which revision is meant follows from the traffic, and its documents are kept whole."""
    context = read(server, service()).context

    assert context.service is not None
    assert context.service.last_modifier == "ci@example-project.iam.gserviceaccount.com"
    assert context.revisions is not None
    assert [item.name for item in context.revisions] == ["checkout-00002-abc", "checkout-00001-abc"]
    assert context.revision == context.revisions[0]
    assert context.iam_policy is not None
    assert "allUsers" in context.iam_policy.bindings[0].members
    assert context.identity.level is IdentityLevel.LIKELY
    assert {"service", "revisions", "iam_policy"} <= context.objects.keys()
    assert context.objects["revisions"]["items"][0]["name"].endswith("/checkout-00002-abc")
    assert not {"service", "revisions", "revision", "iam_policy"} & context.missing.keys()
    assert sorted(method for method, _ in server.requests) == [
        "Revisions/ListRevisions",
        "Services/GetIamPolicy",
        "Services/GetService",
    ]


def test_a_job_is_read_with_its_executions(server: CloudRunServer) -> None:
    """The one that runs is meant."""
    start_execution(server.world, add_job(server.world))
    context = read(server, CloudRunTarget(kind="job", name="nightly", **PLACE)).context
    assert context.job is not None
    assert context.execution is not None
    assert (context.execution.name, context.service) == ("nightly-x7k2p", None)
    assert {"job", "executions", "iam_policy"} <= context.objects.keys()


def test_a_finding_without_cloud_run_asks_nothing(server: CloudRunServer) -> None:
    """Pods cost no request more."""
    context = read(server, None).context
    assert (server.requests, context.service, context.revisions) == ([], None, None)
    assert not {"service", "revision"} & context.missing.keys()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        pytest.param(service("gone"), "target_absent", id="a service that is gone"),
        pytest.param(
            CloudRunTarget(kind="service", name="checkout", project="example-project", location="europe-nowhere9"),
            "target_absent",
            id="no such region",
        ),
        pytest.param(CloudRunTarget(kind="worker_pool", name="pool", **PLACE), "worker_pool", id="a worker pool"),
    ],
)
def test_a_service_that_is_not_there_says_why(server: CloudRunServer, target: CloudRunTarget, reason: str) -> None:
    """With one word, and nothing else is lost."""
    context = read(server, target).context
    assert (context.service, context.missing["service"]) == (None, reason)
    assert context.related == ()


def test_a_revision_that_is_gone_is_named(server: CloudRunServer) -> None:
    """The service is known all the same."""
    context = read(server, service(revision="checkout-00099-xyz")).context
    assert (context.revision, context.missing["revision"]) == (None, "revision_gone")
    assert context.service is not None


def test_a_chosen_revision_is_the_one_that_is_meant(server: CloudRunServer) -> None:
    """Whatever gets the requests."""
    context = read(server, service(), revision="checkout-00001-abc").context
    assert context.revision is not None
    assert (context.revision.name, context.identity.checks["revision"]) == ("checkout-00001-abc", "held")


def test_ten_thousand_revisions_are_a_named_reason(server: CloudRunServer) -> None:
    """What was read is evidence; it is not taken for all there is."""
    for number in range(3, 10_001):
        name = f"{CHECKOUT}/revisions/checkout-{number:05d}-abc"
        server.world.revisions[name] = Revision(name=name, service="checkout", create_time=now())
    context = read(server, service()).context
    assert (context.revisions, context.missing["revisions"]) == (None, "partial_list")
    assert (context.revision, context.missing["revision"]) == (None, "partial_list")
    kept = context.objects["revisions"]
    assert (kept["read"], kept["complete"], len(kept["items"])) == (1000, False, 50)


def test_what_serves_is_kept_whole(server: CloudRunServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where newer revisions are many."""
    monkeypatch.setattr(module, "KEPT_WHOLE", 0)
    kept = read(server, service()).context.objects["revisions"]
    assert [item["name"].rpartition("/")[2] for item in kept["items"]] == ["checkout-00002-abc"]
    assert kept["names"] == ["checkout-00002-abc", "checkout-00001-abc"]


@pytest.mark.parametrize(
    ("taken", "fact"),
    [
        ("run.services.get", "service"),
        ("run.revisions.list", "revisions"),
        ("run.services.getIamPolicy", "iam_policy"),
    ],
)
def test_a_missing_permission_hides_its_fact_alone(server: CloudRunServer, taken: str, fact: str) -> None:
    """And is named."""
    everything = {"run.services.get", "run.revisions.list", "run.services.getIamPolicy"}
    server.granted = everything - {taken}
    collected = read(server, service())
    context = collected.context
    assert context.missing[fact] == f"cloud_run_permission_denied: missing permission: {taken}"
    assert fact in context.refused
    assert context.objects.keys() == {"service", "revisions", "iam_policy"} - {fact}


def test_a_server_that_stalls_costs_the_deadline_alone(server: CloudRunServer) -> None:
    """A fact that does not come in time is missing."""
    server.stall_next(3.0, count=3)
    context = read(server, service(), seconds=0.5).context
    assert context.missing["service"] == "deadline"


def test_many_executions_are_a_named_reason(server: CloudRunServer) -> None:
    """Which of them is meant is not known from a part."""
    job = add_job(server.world)
    for number in range(MOST_EXECUTIONS + 1):
        start_execution(server.world, job, f"nightly-x{number:04d}")
    context = read(server, CloudRunTarget(kind="job", name="nightly", **PLACE)).context
    assert (context.job is not None, context.executions, context.execution) == (True, None, None)
    assert (context.missing["executions"], context.missing["execution"]) == ("partial_list", "partial_list")
    assert context.objects["executions"]["read"] == MOST_EXECUTIONS


@pytest.mark.parametrize(
    ("named", "missing"),
    [(f"nightly-x{MOST_EXECUTIONS:04d}", None), ("nightly-x0000", None), ("nightly-x", "execution_gone")],
)
def test_an_execution_that_is_named_is_known_among_many(
    server: CloudRunServer, named: str, missing: str | None
) -> None:
    """Where it is not among those that were read, it is asked for; evidence has it whole."""
    job = add_job(server.world)
    for each in range(MOST_EXECUTIONS + 1):
        start_execution(server.world, job, f"nightly-x{each:04d}")
    context = read(server, CloudRunTarget(kind="job", name="nightly", execution=named, **PLACE)).context
    assert (context.execution.name if context.execution else None) == (None if missing else named)
    assert context.missing.get("execution") == missing
    assert (context.executions, context.missing["executions"]) == (None, "partial_list")
    whole = [item["name"].rpartition("/")[2] for item in context.objects["executions"]["items"]]
    assert whole.count(named) == (missing is None)


@pytest.mark.parametrize(("ended_days_ago", "meant"), [(2, "nightly-runs"), (None, None), (-2, None)])
def test_a_long_list_is_read_until_what_ended_before(
    server: CloudRunServer, ended_days_ago: int | None, meant: str | None
) -> None:
    """Which of many executions runs is known once the list, the newest first, comes to one that is over."""
    job = add_job(server.world)
    started = now() - timedelta(days=800)
    state: dict[str, Any] = {"create_time": started}
    if ended_days_ago is not None:
        state |= {"running_count": 0, "completion_time": now() - timedelta(days=ended_days_ago)}
    for each in range(MOST_EXECUTIONS + 1):
        start_execution(server.world, job, f"nightly-x{each:04d}", **state)
    start_execution(server.world, job, "nightly-runs", create_time=started + timedelta(days=1))
    context = read(server, CloudRunTarget(kind="job", name="nightly", **PLACE)).context
    assert (context.execution.name if context.execution else None) == meant
    assert context.missing.get("executions") == (None if meant else "partial_list")
    assert context.objects["executions"]["complete"] is False


def test_a_list_that_lacks_the_latest_execution_is_partial(server: CloudRunServer) -> None:
    """It may not begin with the newest: what runs may be in the part that was not read."""
    job = add_job(server.world)
    over = {"create_time": now() - timedelta(days=3), "completion_time": now() - timedelta(days=2), "running_count": 0}
    start_execution(server.world, job, "nightly-runs", create_time=now() - timedelta(hours=1))
    latest = job.latest_created_execution.name
    for each in range(MOST_EXECUTIONS + 1):
        start_execution(server.world, job, f"nightly-x{each:04d}", **over)
    job.latest_created_execution.name = latest
    context = read(server, CloudRunTarget(kind="job", name="nightly", **PLACE)).context
    assert (context.execution, context.missing["executions"]) == (None, "partial_list")


@pytest.mark.parametrize(("named", "reason"), [("", "execution_not_known"), ("nightly-gone", "execution_gone")])
def test_a_job_without_executions_says_so(server: CloudRunServer, named: str, reason: str) -> None:
    """An empty list is whole."""
    add_job(server.world)
    context = read(server, CloudRunTarget(kind="job", name="nightly", execution=named, **PLACE)).context
    assert (context.executions, context.execution, context.missing["execution"]) == ((), None, reason)


def test_the_number_of_a_project_becomes_its_id(server: CloudRunServer) -> None:
    """Lists, limits and the kill switch know the id, which Cloud Run tells; where it tells none, the number stays."""
    server.project_numbers["100000000001"] = "example-project"
    numbered = {**PLACE, "project": "100000000001"}
    found = read(server, CloudRunTarget(kind="service", name="checkout", **numbered)).context
    assert found.service is not None
    assert found.finding.place == "projects/example-project"
    gone = read(server, CloudRunTarget(kind="service", name="gone", **numbered)).context
    assert (gone.missing["service"], gone.finding.place) == ("target_absent", "projects/100000000001")


def test_a_service_that_is_being_deleted_is_read(server: CloudRunServer) -> None:
    """With the time, so that guards hold every change of it; so is one whose last change failed, with the reason."""
    held = server.world.services[CHECKOUT]
    held.delete_time = now()
    held.terminal_condition = condition("Ready", succeeded=False, message="port 8080 is closed")
    context = read(server, service()).context
    assert context.service is not None
    assert context.service.delete_time is not None
    assert context.service.ready is not None
    assert (context.service.ready.state, context.service.ready.message) == ("CONDITION_FAILED", "port 8080 is closed")
    assert context.revision is not None
