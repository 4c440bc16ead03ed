"""The sweep: what no message brings back is brought to its end, once, and within bounds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError, StoreUnavailable
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.domain.store import Entry, Page
from scc_responder.guard.resumed_case import resume
from scc_responder.journal.again.unfinished import is_unfinished
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.journal import LEASE, Journal
from scc_responder.journal.messages import Ending
from scc_responder.pipeline import sweep as sweeping
from scc_responder.pipeline.again.sweep_work import MAX_BEGUN
from scc_responder.pipeline.again.unfinished_cases import QUIET
from scc_responder.pipeline.sweep import MAX_REVIEWED, sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.findings import data
from tests.kits.answers import HERE, answered, plan_of
from tests.kits.responder import (
    ALL,
    CLUSTER,
    CONTAINED,
    Deployment,
    Interposed,
    deployed,
    finding_about,
    mutations,
    policy,
)
from tests.pipeline.test_heartbeat import MESSAGE


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    return deployed(tmp_path, cluster, policy(*ALL))


def swept(deployment: Deployment, **headers: str) -> dict[str, int]:
    """Sweep, and return what it met."""
    ending = sweep({**HERE, **headers}, "127.0.0.1", deployment.services)
    assert (ending.status, ending.reason) == (204, "swept"), deployment.line
    return dict(deployment.line["swept"])


def later(deployment: Deployment, wait: timedelta) -> None:
    """Let it be later, for the store too."""
    now = utc_now() + wait
    deployment.set_clock(lambda: now)


def crashed(deployment: Deployment, document: dict[str, Any], write: int) -> None:
    """Let the process of a delivery end right after its write of this number, and its message be lost."""
    api, count = deployment.clusters.api, {"writes": 0}

    def kill(_number: int, verb: str, _path: str) -> None:
        count["writes"] += verb in {"patch", "create", "delete"}
        if count["writes"] == write:
            raise Killed

    deployment.clusters.api = Interposed(api, after=kill)
    deployment.list_finding(document)
    with pytest.raises(Killed):
        deployment.deliver(document)
    deployment.clusters.api = api
    hold_again(deployment)


def hold_again(deployment: Deployment) -> None:
    """A process that has ended gives nothing up: let its lease have to run out."""
    store = SqliteStore(deployment.folder / "journal.db")
    for entry in store.scan("case/").entries:
        fields = json.loads(entry.value) | {"owner": "0123456789abcdef"}
        store.replace(entry.key, json.dumps(fields).encode(), entry.version, unfinished=entry.unfinished)
    store.close()


def unfinished(deployment: Deployment) -> int:
    """How many cases the store knows as unfinished."""
    return len(deployment.services.store.scan("case/", unfinished=True).entries)


@pytest.mark.parametrize("write", range(1, 8))
def test_a_crashed_case(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any], write: int) -> None:
    """Its message lost, it is gone on with once its lease has run out: every write is made once."""
    document = finding_about(pod)
    crashed(deployment, document, write)

    held = swept(deployment)
    later(deployment, LEASE + timedelta(seconds=1))
    resumed = swept(deployment)

    assert (held, resumed) == ({"in_progress": 1}, {"resumed": 1})
    record = deployment.case(document)
    assert record.state == "done"
    assert sorted(step.action for step in record.steps) == sorted(line.split(":")[0] for line in CONTAINED)
    assert len(mutations(cluster.audit)) == 7
    assert swept(deployment) == {"at_rest": 1}
    assert len(mutations(cluster.audit)) == 7


def test_each_resumed_case_is_logged(deployment: Deployment, pod: dict[str, Any]) -> None:
    """What a sweep goes on with has a line of its own, like a delivery."""
    document = finding_about(pod)
    crashed(deployment, document, 2)
    later(deployment, LEASE + timedelta(seconds=1))
    swept(deployment)
    one, whole = deployment.lines[-2:]
    assert (one["by"], one["state"], one["logging.googleapis.com/labels"]["reason"]) == ("sweep", "done", "done")
    assert (whole["severity"], whole["logging.googleapis.com/labels"]["reason"]) == ("NOTICE", "swept")


def given_back(deployment: Deployment, document: dict[str, Any]) -> None:
    """A delivery that ends because the API server does not answer."""
    api = deployment.clusters.api

    def fail(_number: int, _verb: str, _path: str) -> None:
        raise ApiError(Reason.SERVER_ERROR, status=503)

    deployment.clusters.api = Interposed(api, before=fail)
    assert deployment.respond_to(document).status == 503
    deployment.clusters.api = api


def test_a_case_that_was_given_back(deployment: Deployment, pod: dict[str, Any]) -> None:
    """Its message comes again by itself; only if it has not for long does the sweep go on with it."""
    document = finding_about(pod)
    given_back(deployment, document)

    at_once = swept(deployment)
    later(deployment, QUIET + timedelta(seconds=1))

    assert (at_once, swept(deployment)) == ({"at_rest": 1}, {"resumed": 1})
    assert deployment.case(document).state == "done"


def test_it_fails_again(deployment: Deployment, pod: dict[str, Any]) -> None:
    """What cannot be done yet stays open, and waits as long again."""
    document = finding_about(pod)
    given_back(deployment, document)
    later(deployment, QUIET + timedelta(seconds=1))
    (deployment.findings / "finding.json").unlink()

    assert swept(deployment) == {"resumed": 1}
    assert deployment.case(document).state in {"open", "rejected"}
    assert swept(deployment) == {"at_rest": 1}


def test_a_finding_that_is_over(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """The finding is read again by its name: one that was muted meanwhile is not acted on."""
    document = finding_about(pod)
    crashed(deployment, document, 1)
    later(deployment, LEASE + timedelta(seconds=1))
    deployment.list_finding(finding_about(pod, finding={"mute": "MUTED"}))

    assert swept(deployment) == {"resumed": 1}
    assert deployment.case(document).state == "superseded"
    assert len(mutations(cluster.audit)) == 1


WAITING_POLICY = policy("label_pod", "delete_pod {allow_standalone: true}", mode="approve")


def test_an_expired_plan(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A plan that nobody answered is closed, and somebody is told, once."""
    deployment = deployed(tmp_path, cluster, WAITING_POLICY)
    document = finding_about(pod)
    deployment.respond_to(document)
    told = len(deployment.published.messages)
    in_time = swept(deployment)
    later(deployment, plan_of(deployment, document).expires_at - utc_now() + timedelta(seconds=1))

    assert (in_time, swept(deployment), swept(deployment)) == (
        {"at_rest": 1},
        {"approval_expired": 1},
        {"at_rest": 1},
    )
    record = deployment.case(document)
    assert (record.state, record.reason, plan_of(deployment, document).state) == ("held", "approval_expired", "expired")
    assert {step.reason for step in record.steps if step.status == "held"} == {"approval_expired"}
    assert [item["attributes"]["reason"] for item in deployment.published.messages[told:]] == ["approval_expired"]
    assert answered(deployment, document).reason == "approval_expired"
    assert mutations(cluster.audit) == []


def held_by_control(deployment: Deployment, document: dict[str, Any], cluster: str = "") -> None:
    deployment.turn("disabled", cluster)
    assert deployment.respond_to(document).reason == "control_disabled"


def test_a_held_case_resumes_when_enabled(
    deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """What the kill switch held goes on by itself, once it may be done again and not before."""
    document = finding_about(pod)
    held_by_control(deployment, document)
    disabled = swept(deployment)
    deployment.turn("dry_run")
    rehearsed = swept(deployment)
    deployment.turn("enforce")

    assert (disabled, rehearsed, swept(deployment)) == ({"at_rest": 1}, {"at_rest": 1}, {"resumed": 1})
    assert (deployment.case(document).state, deployment.outcomes(document)) == ("done", CONTAINED)


def test_stopped_in_the_middle(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A response that the switch stopped goes on where it was: nothing is done twice."""
    document = finding_about(pod)
    count = {"writes": 0}

    def turn(_number: int, verb: str, _path: str) -> None:
        count["writes"] += verb in {"patch", "create", "delete"}
        if count["writes"] == 3 and verb != "get":
            deployment.turn("disabled")

    api = deployment.clusters.api
    deployment.clusters.api = Interposed(api, after=turn)
    deployment.respond_to(document)
    deployment.clusters.api = api
    stopped = len(mutations(cluster.audit))
    deployment.turn("enforce")

    assert (stopped, swept(deployment)) == (3, {"resumed": 1})
    assert deployment.case(document).state == "done"
    assert len(mutations(cluster.audit)) == 7


def test_another_cluster_is_still_off(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A case of a cluster that is still off is left alone, and nobody is asked about its finding."""
    document = finding_about(pod)
    held_by_control(deployment, document, CLUSTER)
    before = deployment.case(document)
    (deployment.findings / "finding.json").unlink()
    assert swept(deployment) == {"at_rest": 1}
    assert deployment.case(document) == before
    deployment.list_finding(document)
    deployment.turn("enforce", CLUSTER)
    assert swept(deployment) == {"resumed": 1}


def test_an_old_case_is_not_resumed(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """What has grown too old while the switch was off is not done any more, and not asked about either."""
    document = finding_about(pod)
    held_by_control(deployment, document)
    deployment.turn("enforce")
    later(deployment, timedelta(days=30))
    known = [unfinished(deployment)]
    assert swept(deployment) == {"at_rest": 1}
    assert deployment.case(document).state == "held"
    assert mutations(cluster.audit) == []
    assert [*known, unfinished(deployment)] == [1, 0]


def test_too_old_goes_on_if_a_person_says_so(deployment: Deployment, pod: dict[str, Any]) -> None:
    """The sweeps had forgotten it, and are told of it again."""
    document = finding_about(pod)
    held_by_control(deployment, document)
    deployment.turn("enforce")
    later(deployment, timedelta(days=30))
    swept(deployment)
    resumed_by_person(deployment, document)
    assert unfinished(deployment) == 1
    assert swept(deployment) == {"resumed": 1}
    record = deployment.case(document)
    assert (record.state, "finding_too_old" in {step.reason for step in record.steps}) == ("held", True)
    assert unfinished(deployment) == 0


def resumed_by_person(deployment: Deployment, document: dict[str, Any]) -> str:
    rule = partial(resume, now=deployment.services.clock())
    return deployment.services.journal.apply(deployment.case(document).finding_key, rule)[0].reason


def test_resumed_by_a_person(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A person may let one case go on: then with the switch as it is, and with the age limits as they are."""
    document = finding_about(pod)
    held_by_control(deployment, document)
    deployment.turn("dry_run")

    assert resumed_by_person(deployment, document) == Reason.RESUMED_BY_PERSON
    assert (deployment.case(document).state, deployment.case(document).owner) == (CaseState.OPEN, "")
    assert swept(deployment) == {"resumed": 1}
    assert deployment.case(document).state == "rehearsed"
    assert [event for event in cluster.audit if event.verb in {"patch", "create"} and not event.dry_run] == []
    assert resumed_by_person(deployment, document) == Reason.RESUMED_BY_PERSON
    assert resumed_by_person(deployment, document) == "still_open"


def test_resumed_while_off(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """While the switch is off it is held again."""
    document = finding_about(pod)
    held_by_control(deployment, document)
    resumed_by_person(deployment, document)
    assert swept(deployment) == {"resumed": 1}
    assert (deployment.case(document).state, deployment.case(document).reason) == ("held", "control_disabled")
    assert list(cluster.audit) == []


def test_resumed_by_a_copy(deployment: Deployment, pod: dict[str, Any]) -> None:
    """A redelivery does as well as a sweep."""
    document = finding_about(pod)
    held_by_control(deployment, document)
    deployment.turn("enforce")
    resumed_by_person(deployment, document)
    assert deployment.deliver(document).reason == "done"
    assert swept(deployment) == {"at_rest": 1}


def many(deployment: Deployment, pod: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Findings about one pod, all held by the kill switch."""
    deployment.turn("disabled")
    made = [finding_about(pod, finding_id=f"f{number}") for number in range(count)]
    for number, document in enumerate(made):
        (deployment.findings / f"{number}.json").write_bytes(data(document))
        assert deployment.deliver(document).reason == "control_disabled"
    deployment.turn("enforce")
    return made


def test_each_sweep_begins_few_cases(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """One sweep begins so many cases; the next goes on behind them."""
    deployment = deployed(tmp_path, cluster, policy("capture_evidence"))
    many(deployment, pod, MAX_BEGUN + 5)
    assert swept(deployment) == {"resumed": MAX_BEGUN}
    assert swept(deployment) == {"resumed": 5, "at_rest": MAX_BEGUN}
    assert swept(deployment) == {"at_rest": MAX_BEGUN + 5}


def closed_before(deployment: Deployment, document: dict[str, Any], count: int) -> None:
    """So many closed cases, as large as a real one, whose keys come before every other."""
    record = msgspec.structs.replace(deployment.case(document), state=CaseState.DONE, reason="done", owner="")
    stored_before(deployment, record, count)


def given_back_before(deployment: Deployment, document: dict[str, Any], count: int) -> None:
    """The same of cases that were just given back: unfinished, and not to be gone on with yet."""
    record = msgspec.structs.replace(deployment.case(document), state=CaseState.OPEN, reason="unread", owner="")
    stored_before(deployment, record, count)


def stored_before(deployment: Deployment, record: CaseRecord, count: int) -> None:
    for number in range(count):
        copy = msgspec.structs.replace(record, finding_key=f"{number:064x}")
        key = f"case/{copy.finding_key}"
        deployment.services.store.create(key, encode(copy), unfinished=is_unfinished(copy))


@pytest.mark.parametrize(("before", "looked_at"), [(closed_before, MAX_REVIEWED), (given_back_before, 5000)])
def test_a_waiting_case_is_reached_behind_thousands(
    deployment: Deployment, pod: dict[str, Any], before: Any, looked_at: int
) -> None:
    """What waits is reached by one sweep also behind 5,000 cases, of which closed ones are hardly read."""
    document = finding_about(pod)
    crashed(deployment, document, 5)
    before(deployment, document, 5000)
    services, now = deployment.services, utc_now()
    deployment.set_clock(lambda: now)  # how busy this machine is ends no sweep: its CPU time is asserted on below
    services.store = store = Pages(deployment.folder / "journal.db", clock=lambda: now + LEASE)
    services.journal = Journal(store, services.clock)

    began = time.process_time()
    assert swept(deployment) == {"at_rest": looked_at, "resumed": 1}
    assert time.process_time() - began < 10
    assert deployment.case(document).state == "done"
    assert store.read == MAX_REVIEWED + 1 + (looked_at if before is given_back_before else 0)


class Pages(SqliteStore):
    """A store that counts the entries it reads, and tells, or refuses, each page of unfinished ones."""

    on_page: Callable[[], None] = staticmethod(lambda: None)
    read = 0

    def scan(self, prefix: str, cursor: str | None = None, limit: int = 100, *, unfinished: bool = False) -> Page:
        if unfinished:
            self.on_page()
        page = super().scan(prefix, cursor, limit, unfinished=unfinished)
        self.read += len(page.entries)
        return page


def behind(deployment: Deployment, pod: dict[str, Any], count: int) -> Pages:
    """The store of a deployment in which a case that is due stands behind so many that are not due yet."""
    document = finding_about(pod)
    held_by_control(deployment, document)
    given_back_before(deployment, document, count)
    deployment.turn("enforce")
    deployment.services.store = store = Pages(deployment.folder / "journal.db")
    return store


def test_looking_ends_with_the_time(deployment: Deployment, pod: dict[str, Any]) -> None:
    """Where the store is slow a sweep looks at fewer, and the next one goes on where it stopped."""
    store, now = behind(deployment, pod, 1000), utc_now()

    def slow() -> None:
        nonlocal now
        now += timedelta(seconds=3)

    store.on_page, deployment.services.clock = slow, lambda: now
    first, second = swept(deployment), swept(deployment)
    assert (first, second) == ({"at_rest": 600}, {"at_rest": 400, "resumed": 1})


def test_the_store_fails_in_the_middle(deployment: Deployment, pod: dict[str, Any]) -> None:
    """What was looked at before the store failed is not looked at first again."""
    store, pages = behind(deployment, pod, 500), 0

    def fail() -> None:
        nonlocal pages
        pages += 1
        if pages == 4:
            raise StoreUnavailable(Reason.STORE_UNAVAILABLE, "case/")

    store.on_page = fail
    assert sweep(HERE, "127.0.0.1", deployment.services).reason == "store_unavailable"
    assert swept(deployment) == {"at_rest": 200, "resumed": 1}


def slow_clock(deployment: Deployment, seconds: float) -> list[datetime]:
    """Let each look at the clock take so long; the moments that it told."""
    told = [utc_now()]

    def slow() -> datetime:
        told.append(told[-1] + timedelta(seconds=seconds))
        return told[-1]

    deployment.services.clock = slow
    return told


@pytest.mark.parametrize(("timeout", "seconds"), [(60, 1.0), (119, 2.0)])
def test_out_of_time(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], timeout: int, seconds: float
) -> None:
    """After a third of the function's timeout no case is begun, and the place is kept before the timeout.

    The next sweep begins where this one stopped.
    """
    deployment = deployed(tmp_path, cluster, policy("capture_evidence"))
    deployment.services.settings = replace(deployment.services.settings, timeout_seconds=timeout)
    many(deployment, pod, 6)
    told = slow_clock(deployment, seconds)
    first = swept(deployment)
    assert told[-1] - told[0] < timedelta(seconds=timeout)
    deployment.services.clock = lambda: told[-1]
    rest = swept(deployment)
    assert 0 < first.get("resumed", 0) < 6
    assert first.get("resumed", 0) + rest["resumed"] == 6


def test_a_case_has_what_is_left_of_the_sweep(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A case that a sweep begins has no time of its own: the timeout is the sweep's."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", "annotate_pod"))
    deployment.services.settings = replace(deployment.services.settings, timeout_seconds=60)
    document = finding_about(pod)
    crashed(deployment, document, 1)
    before = len(mutations(cluster.audit))
    times = [utc_now() + LEASE + timedelta(seconds=1)]
    services = deployment.services
    services.clock = lambda: times[-1]
    services.store = store = Pages(deployment.folder / "journal.db", clock=services.clock)
    services.journal = Journal(store, services.clock)
    store.on_page = lambda: times.append(times[0] + timedelta(seconds=15))

    def slow(_number: int, verb: str, _path: str) -> None:
        times.append(times[0] + timedelta(seconds=50))

    deployment.clusters.api = Interposed(deployment.clusters.api, after=slow)
    assert swept(deployment) == {"resumed": 1}
    assert (deployment.case(document).state, deployment.case(document).reason) == ("open", "out_of_time")
    assert len(mutations(cluster.audit)) == before


def test_stored_by_another_version(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A case that should be known as unfinished and is not is found by a review, a page of all cases in each sweep."""
    document = finding_about(pod)
    crashed(deployment, document, 2)
    forget_unfinished(deployment)
    closed_before(deployment, document, 2 * MAX_REVIEWED)
    later(deployment, LEASE + timedelta(seconds=1))

    found = [swept(deployment) for _ in range(3)]
    assert found == [{"at_rest": MAX_REVIEWED}, {"at_rest": MAX_REVIEWED}, {"resumed": 1}]
    assert deployment.case(document).state == "done"
    assert len(mutations(cluster.audit)) == 7


def test_not_due_when_it_is_reviewed(deployment: Deployment, pod: dict[str, Any]) -> None:
    """It is known as unfinished from then on, and not a byte of it changes."""
    document = finding_about(pod)
    held_by_control(deployment, document)
    forget_unfinished(deployment)
    before = deployment.case(document)
    assert (unfinished(deployment), swept(deployment), unfinished(deployment)) == (0, {"at_rest": 2}, 1)
    assert deployment.case(document) == before


def forget_unfinished(deployment: Deployment) -> None:
    """The store as a version leaves it that knows of no unfinished entries."""
    for entry in deployment.services.store.scan("case/").entries:
        deployment.services.store.replace(entry.key, entry.value, entry.version)


def test_junk_in_the_store(deployment: Deployment, pod: dict[str, Any]) -> None:
    """A case that cannot be read, and a place that makes no sense, keep nobody from the others."""
    document = finding_about(pod)
    crashed(deployment, document, 1)
    later(deployment, LEASE + timedelta(seconds=1))
    store = deployment.services.store
    store.create("case/" + "0" * 64, b"junk")
    store.create("case/" + "f" * 64, b'{"schema": 99}')
    store.create(sweeping.CURSOR_KEY, b"\xff")

    assert swept(deployment) == {"record_unreadable": 1, "resumed": 1, "record_newer": 1}


def test_a_case_that_kills(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A case at which the process ends each time is not the first of every sweep."""
    deployment = deployed(tmp_path, cluster, policy("capture_evidence"))
    many(deployment, pod, 3)
    findings, asked, fatal = deployment.services.findings, [], []

    class Fatal:
        related = findings.related

        def read(self, finding: Any) -> Any:
            asked.append(finding.name)
            if len(asked) == 1:
                fatal.append(finding.name)
            if finding.name in fatal:
                raise Killed
            return findings.read(finding)

    deployment.services.findings = Fatal()  # type: ignore[assignment]
    with pytest.raises(Killed):
        swept(deployment)
    assert swept(deployment)["resumed"] == 2


def test_a_fault_of_ours(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Nor is one at which the sweep itself fails."""
    deployment = deployed(tmp_path, cluster, policy("capture_evidence"))
    many(deployment, pod, 3)
    store = deployment.services.store

    class Faulty(SqliteStore):
        def get_many(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
            if any(key.startswith("control/") for key in keys):
                raise RuntimeError
            return super().get_many(keys)

    deployment.services.store = Faulty(deployment.folder / "journal.db")
    assert sweep(HERE, "127.0.0.1", deployment.services).reason == "internal_error"
    deployment.services.store = store
    assert swept(deployment) == {"resumed": 2}


def test_the_heartbeats_case(deployment: Deployment) -> None:
    """A heartbeat that ended in the middle is not made up for: the next one is the proof."""
    deployment.deliver(MESSAGE)
    store = deployment.services.store
    (entry,) = store.scan("case/").entries
    fields = json.loads(entry.value) | {"state": "open", "owner": ""}
    store.replace(entry.key, json.dumps(fields).encode(), entry.version, unfinished=True)
    later(deployment, QUIET * 2)
    assert swept(deployment) == {"at_rest": 1}


def test_a_store_down_asks_for_the_sweep_again(deployment: Deployment) -> None:
    """While the store does not answer the sweep is asked for again."""

    class Down(SqliteStore):
        def get_many(self, keys: Sequence[str]) -> Any:
            raise StoreUnavailable(Reason.STORE_UNAVAILABLE, keys[0])

    deployment.services.store = Down(deployment.folder / "journal.db")
    ending = sweep(HERE, "127.0.0.1", deployment.services)
    assert (ending.status, ending.reason) == (503, "store_unavailable")


def test_two_sweeps_at_once(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """While one goes on with a case another leaves it alone."""
    document = finding_about(pod)
    crashed(deployment, document, 2)
    later(deployment, LEASE + timedelta(seconds=1))
    inner: list[dict[str, int]] = []
    api = deployment.clusters.api

    def other(number: int, _verb: str, _path: str) -> None:
        if number == 3:
            forget_place(deployment)
            inner.append(swept(deployment))

    deployment.clusters.api = Interposed(api, before=other)
    outer = swept(deployment)

    assert (inner, outer) == ([{"in_progress": 1}], {"resumed": 1})
    assert len(mutations(cluster.audit)) == 7


def forget_place(deployment: Deployment) -> None:
    """Let the next sweep begin at the first case."""
    store = SqliteStore(deployment.folder / "journal.db")
    entry = store.get(sweeping.CURSOR_KEY)
    assert entry is not None
    store.delete(entry.key, entry.version)
    store.close()


def test_cases_are_as_they_were(deployment: Deployment, pod: dict[str, Any]) -> None:
    """What is at rest is only looked at: not a byte of it changes."""
    deployment.respond_to(finding_about(pod))
    before = [entry.value for entry in deployment.services.store.scan("case/").entries]
    assert swept(deployment) == {"at_rest": 1}
    assert [entry.value for entry in deployment.services.store.scan("case/").entries] == before
    assert decode(before[0]).state == "done"


NOT_FROM_HERE = [
    pytest.param(HERE, "192.0.2.1", id="another-machine"),
    pytest.param({**HERE, "origin": "http://evil.example"}, "127.0.0.1", id="a-web-page"),
    pytest.param({**HERE, "host": "evil.example"}, "127.0.0.1", id="another-host"),
    pytest.param({**HERE, "content-type": "text/plain"}, "127.0.0.1", id="a-form"),
]


@pytest.mark.parametrize(("headers", "peer"), NOT_FROM_HERE)
def test_locally_only_from_this_machine(deployment: Deployment, headers: dict[str, str], peer: str) -> None:
    """Without an identity to ask for, nobody but this machine may sweep."""
    ending: Ending = sweep(headers, peer, deployment.services)
    assert (ending.status, ending.reason) == (403, "not_from_this_machine")
