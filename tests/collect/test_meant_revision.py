"""Which revision, or execution, a finding means, and when nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.collect.meant_revision import (
    MAX_CANDIDATES,
    carry_traffic,
    meant_execution,
    meant_revision,
    was_there,
)
from scc_responder.domain.cloud_run.run_objects import RunRevision, RunTraffic
from scc_responder.domain.reasons import Reason
from tests.kits.run_values import (
    BAD,
    GOOD,
    before,
    job_target,
    run_execution,
    run_finding,
    run_revision,
    run_service,
    service_target,
)

ONE, TWO, THREE = run_revision(1), run_revision(2, BAD), run_revision(3, BAD)
SIDECAR = run_revision(4, GOOD, BAD)
UNKNOWN = run_revision(5, "")
LATER = run_revision(6, BAD, create_time=before(seconds=-30))
DELETED = run_revision(7, BAD, delete_time=before(hours=1))
OTHER = run_revision(8, BAD, service="checkout-api")
SPLIT = {"checkout-1": 50, "checkout-2": 50}


@pytest.mark.parametrize(
    ("digests", "named", "revisions", "traffic", "told"),
    [
        # The finding's own.
        ([BAD], "checkout-1", [ONE, TWO], {}, ("checkout-1", Reason.REVISION_NAMED)),
        ([], "checkout-6", [ONE, LATER], {}, ("checkout-6", Reason.REVISION_NAMED)),
        ([], "checkout-9", [ONE, TWO], {}, (None, Reason.REVISION_GONE)),
        ([], "checkout-7", [ONE, DELETED], {}, (None, Reason.REVISION_GONE)),
        ([], "checkout-8", [ONE, OTHER], {}, (None, Reason.REVISION_GONE)),
        # The one of the finding's image.
        ([BAD], "", [ONE, TWO], {"checkout-1": 100}, ("checkout-2", Reason.REVISION_BY_DIGEST)),
        ([BAD], "", [ONE, SIDECAR], {"checkout-1": 100}, ("checkout-4", Reason.REVISION_BY_DIGEST)),
        ([GOOD, BAD], "", [ONE, TWO, SIDECAR], {}, ("checkout-4", Reason.REVISION_BY_DIGEST)),
        ([BAD], "", [ONE, TWO, UNKNOWN], {"checkout-5": 100}, ("checkout-2", Reason.REVISION_BY_DIGEST)),
        ([BAD], "", [TWO, LATER], {"checkout-6": 100}, ("checkout-2", Reason.REVISION_BY_DIGEST)),
        ([BAD], "", [TWO, THREE], {"checkout-3": 100}, ("checkout-3", Reason.REVISION_BY_DIGEST)),
        ([BAD], "", [TWO, THREE], {"checkout-2": 1, "checkout-3": 99}, (None, Reason.SEVERAL_REVISIONS)),
        ([BAD], "", [ONE, TWO, THREE], {"checkout-1": 100}, (None, Reason.SEVERAL_REVISIONS)),
        ([BAD], "", [ONE, DELETED, OTHER], {"checkout-1": 100}, (None, Reason.REVISION_GONE)),
        ([BAD], "", [LATER], {"checkout-6": 100}, (None, Reason.REVISION_GONE)),
        # Those that carry traffic.
        ([], "", [ONE, TWO], {"checkout-2": 100}, ("checkout-2", Reason.REVISION_BY_TRAFFIC)),
        ([BAD], "", [ONE, UNKNOWN], {"checkout-5": 100}, ("checkout-5", Reason.REVISION_BY_TRAFFIC)),
        ([BAD], "", [ONE, UNKNOWN], {"checkout-1": 100}, (None, Reason.REVISION_NOT_KNOWN)),
        ([], "", [ONE, TWO], SPLIT, (None, Reason.SEVERAL_REVISIONS)),
        ([], "", [ONE, LATER], {"checkout-1": 50, "checkout-6": 50}, ("checkout-1", Reason.REVISION_BY_TRAFFIC)),
        ([], "", [ONE, TWO], {}, (None, Reason.REVISION_NOT_KNOWN)),
        ([], "", [], {}, (None, Reason.REVISION_NOT_KNOWN)),
    ],
)
def test_the_revision_is_the_findings_the_digests_or_the_one_with_traffic(
    digests: list[str], named: str, revisions: list[RunRevision], traffic: dict[str, int], told: tuple[Any, Reason]
) -> None:
    """In this order; what cannot be told apart is a person's choice."""
    meant = meant_revision(run_finding(*digests), service_target(named), run_service(traffic), revisions)
    assert (meant.child.name if meant.child else None, meant.reason) == told


LATE = [
    ([], "", {"seconds": 1}, ("checkout-1", Reason.REVISION_BY_TRAFFIC)),
    ([], "", {"seconds": -1}, (None, Reason.SEVERAL_REVISIONS)),
    ([BAD], "", {"seconds": -1}, ("checkout-2", Reason.REVISION_BY_DIGEST)),
    ([], "checkout-1", {"seconds": -1}, ("checkout-1", Reason.REVISION_NAMED)),
    ([], "run.services.replace", {"seconds": -20}, ("checkout-1", Reason.REVISION_BY_TRAFFIC)),
    ([], "run.services.replace", {"seconds": -40}, (None, Reason.SEVERAL_REVISIONS)),
]


@pytest.mark.parametrize(("digests", "said", "changed", "told"), LATE)
def test_traffic_that_was_moved_since_the_event_tells_nothing(
    digests: list[str], said: str, changed: dict[str, float], told: tuple[Any, Reason]
) -> None:
    """A rollback for another finding moved it, perhaps; the event of an audit log may be the change itself."""
    method, named = (said, "") if "." in said else ("", said)
    service = run_service({"checkout-1": 100}, update_time=before(**changed))
    meant = meant_revision(run_finding(*digests, method_name=method), service_target(named), service, [ONE, TWO])
    assert (meant.child.name if meant.child else None, meant.reason) == told


def test_a_person_chooses_one_of_several() -> None:
    """The choice wins over all that the finding says, and has to be a revision of the service."""
    given_ = run_finding(BAD), service_target(), run_service({"checkout-1": 100}), [ONE, TWO, THREE]
    assert meant_revision(*given_).candidates == ("checkout-3", "checkout-2")
    chosen = meant_revision(*given_, "checkout-3")
    assert (chosen.child, chosen.reason, chosen.candidates) == (THREE, Reason.REVISION_CHOSEN, ())
    assert meant_revision(*given_, "checkout-9").reason == Reason.REVISION_GONE


def test_a_long_list_of_candidates_is_cut() -> None:
    """Of thousands of revisions with one image, people are offered the newest ones."""
    many = [run_revision(2, BAD, name=f"checkout-{n:05}", create_time=before(minutes=n)) for n in range(10_000)]
    meant = meant_revision(run_finding(BAD), service_target(), run_service({}), many)
    assert meant.candidates == tuple(f"checkout-{n:05}" for n in range(MAX_CANDIDATES))


@pytest.mark.parametrize(
    ("statuses", "wanted", "expected"),
    [
        ([{"revision": "checkout-1", "percent": 100}], [], {"checkout-1"}),
        ([{"latest": True, "revision": "checkout-2", "percent": 100}], [], {"checkout-2"}),
        ([{"revision": "checkout-1", "percent": 0, "tag": "canary"}], [], set()),
        ([], [{"latest": True, "percent": 100}], {"checkout-2"}),
        ([], [], set()),
    ],
)
def test_traffic_is_what_is_served(statuses: list[Any], wanted: list[Any], expected: set[str]) -> None:
    """What is wanted counts where nothing says what is served; a tag alone is no traffic."""
    served, asked = (tuple(RunTraffic(**item) for item in items) for items in (statuses, wanted))
    assert carry_traffic(replace(run_service(), traffic_statuses=served, traffic=asked)) == expected


@given(
    st.lists(st.sampled_from([ONE, TWO, THREE, SIDECAR, UNKNOWN, LATER, DELETED, OTHER]), unique_by=lambda r: r.name),
    st.dictionaries(st.sampled_from([f"checkout-{n}" for n in range(1, 10)]), st.integers(0, 100)),
    st.lists(st.sampled_from([GOOD, BAD, ""]), max_size=3),
    st.sampled_from(["", "checkout-1", "checkout-9"]),
)
def test_what_is_meant_is_a_revision_of_the_service_that_may_be(
    revisions: list[RunRevision], traffic: dict[str, int], digests: list[str], named: str
) -> None:
    """It exists, belongs to the service, and was there at the event unless the finding itself names it."""
    finding = run_finding(*filter(None, digests))
    meant = meant_revision(finding, service_target(named), run_service(traffic), revisions)
    assert meant == meant_revision(finding, service_target(named), run_service(traffic), revisions[::-1])
    if meant.child:
        assert meant.child in revisions
        assert (meant.child.service, meant.child.delete_time) == ("checkout", None)
        assert named or was_there(finding, meant.child.create_time)
    assert (len(meant.candidates) > 1) == (meant.reason == Reason.SEVERAL_REVISIONS)


ENDED = run_execution("ended", completion_time=before(minutes=5))
RUNNING, RUNNING_BAD = run_execution("running"), run_execution("bad", BAD)
STARTED_LATER = run_execution("later", create_time=before(minutes=-1))


@pytest.mark.parametrize(
    ("digests", "named", "executions", "expected", "reason"),
    [
        ([], "nightly-ended", [ENDED, RUNNING], "nightly-ended", Reason.EXECUTION_NAMED),
        ([], "nightly-gone", [ENDED, RUNNING], None, Reason.EXECUTION_GONE),
        ([], "", [ENDED, RUNNING, STARTED_LATER], "nightly-running", Reason.EXECUTION_BY_TIME),
        ([BAD], "", [RUNNING, RUNNING_BAD], "nightly-bad", Reason.EXECUTION_BY_TIME),
        ([], "", [RUNNING, RUNNING_BAD], None, Reason.SEVERAL_EXECUTIONS),
        ([BAD], "", [RUNNING], None, Reason.EXECUTION_NOT_KNOWN),
        ([], "", [ENDED], None, Reason.EXECUTION_NOT_KNOWN),
    ],
)
def test_the_execution_is_the_findings_or_the_one_that_ran(
    digests: list[str], named: str, executions: list[Any], expected: str | None, reason: Reason
) -> None:
    """An execution that had ended, or began later, cannot have been it."""
    meant = meant_execution(run_finding(*digests), job_target(named), executions)
    assert (meant.child.name if meant.child else None, meant.reason) == (expected, reason)


@pytest.mark.parametrize(
    ("method", "seconds", "there"), [("", 4, True), ("", 6, False), ("Services.CreateService", 20, True)]
)
def test_a_request_comes_before_what_it_makes(method: str, seconds: float, there: bool) -> None:
    """The event of an audit log is the request: Cloud Run makes the revision after it."""
    assert was_there(run_finding(method_name=method), before(seconds=-seconds)) == there
    assert was_there(run_finding(method_name=method), None)
