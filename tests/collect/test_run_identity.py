"""How certain it is that the service, or the job, that was read is the finding's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.collect.meant_revision import Meant
from scc_responder.collect.run_identity import identify_job, identify_service
from scc_responder.domain.context import IdentityLevel
from scc_responder.domain.reasons import Reason
from tests.kits.run_values import BAD, GOOD, before, run_execution, run_finding, run_job, run_revision, run_service

PROVED, LIKELY, REFUTED, UNKNOWN = IdentityLevel
LATER = before(minutes=-1)


def meant(reason: Reason = Reason.REVISION_NAMED, *digests: str, **changes: Any) -> Meant[Any]:
    return Meant(child=run_revision(1, *digests or (BAD,), **changes), reason=reason)


@pytest.mark.parametrize(
    ("service", "revision", "level", "reason"),
    [
        ({}, meant(), PROVED, Reason.ALL_CHECKS_HELD),
        ({}, meant(Reason.REVISION_BY_DIGEST), PROVED, Reason.ALL_CHECKS_HELD),
        ({}, meant(Reason.REVISION_CHOSEN), PROVED, Reason.ALL_CHECKS_HELD),
        ({}, meant(Reason.REVISION_BY_TRAFFIC), LIKELY, Reason.REVISION_BY_TRAFFIC),
        ({}, meant(Reason.REVISION_NAMED, ""), LIKELY, Reason.IMAGE_ABSENT),
        ({}, meant(create_time=None), LIKELY, Reason.CREATED_ABSENT),
        ({"create_time": None}, meant(), LIKELY, Reason.CREATED_ABSENT),
        ({}, Meant(reason=Reason.SEVERAL_REVISIONS), LIKELY, Reason.SEVERAL_REVISIONS),
        ({}, Meant(reason=Reason.REVISION_GONE), LIKELY, Reason.REVISION_GONE),
        ({"create_time": LATER}, meant(), REFUTED, Reason.SERVICE_REPLACED),
        ({"create_time": LATER}, Meant(reason=Reason.REVISION_GONE), REFUTED, Reason.SERVICE_REPLACED),
        ({}, meant(create_time=LATER), REFUTED, Reason.REVISION_REPLACED),
        ({}, meant(Reason.REVISION_NAMED, GOOD), REFUTED, Reason.IMAGE_DIFFERS),
        ({}, meant(Reason.REVISION_CHOSEN, GOOD), REFUTED, Reason.IMAGE_DIFFERS),
    ],
)
def test_a_service_is_as_sure_as_its_checks(
    service: dict[str, Any], revision: Meant[Any], level: IdentityLevel, reason: Reason
) -> None:
    """A service that was deployed anew under its old name is another one, and so is a revision."""
    identity = identify_service(run_finding(BAD), run_service(**service), revision)
    assert (identity.level, identity.reason) == (level, reason)


def test_checks_say_what_contradicts() -> None:
    """A person sees both times, and both images."""
    told = identify_service(run_finding(BAD), run_service(create_time=LATER), meant(Reason.REVISION_NAMED, GOOD)).checks
    assert told["service"] == f"service created {LATER.isoformat()}, after the event"
    assert told["image"] == f"it runs {GOOD}"
    assert told["revision"] == "held"


def test_what_was_not_read_is_not_known() -> None:
    """Nothing is done to a service that could not be read."""
    nothing = Meant[Any](reason=Reason.REVISION_NOT_KNOWN)
    for identity in (identify_service(run_finding(), None, nothing), identify_job(run_finding(), None, nothing)):
        assert (identity.level, identity.reason) == (UNKNOWN, Reason.SERVICE_UNREADABLE)


@pytest.mark.parametrize(
    ("job", "execution", "level", "reason"),
    [
        ({}, Meant(child=run_execution("x", BAD), reason=Reason.EXECUTION_NAMED), PROVED, Reason.ALL_CHECKS_HELD),
        ({}, Meant(child=run_execution("x", BAD), reason=Reason.EXECUTION_BY_TIME), LIKELY, Reason.EXECUTION_BY_TIME),
        ({}, Meant(child=run_execution("x", GOOD), reason=Reason.EXECUTION_NAMED), REFUTED, Reason.IMAGE_DIFFERS),
        (
            {},
            Meant(child=run_execution("x", BAD, create_time=LATER), reason=Reason.EXECUTION_NAMED),
            REFUTED,
            Reason.EXECUTION_REPLACED,
        ),
        ({"create_time": LATER}, Meant(reason=Reason.EXECUTION_NOT_KNOWN), REFUTED, Reason.JOB_REPLACED),
    ],
)
def test_a_job_is_as_sure_as_its_checks(
    job: dict[str, Any], execution: Meant[Any], level: IdentityLevel, reason: Reason
) -> None:
    """The same holds for a job and its execution."""
    identity = identify_job(run_finding(BAD), run_job(**job), execution)
    assert (identity.level, identity.reason) == (level, reason)


TIMES = st.none() | st.integers(-600, 600).map(lambda seconds: before(seconds=seconds))


@given(
    TIMES, TIMES, st.lists(st.sampled_from([GOOD, BAD, ""]), min_size=1, max_size=3), st.sampled_from(["", GOOD, BAD])
)
def test_nothing_younger_or_of_another_image_is_proved(
    service: datetime | None, revision: datetime | None, digests: list[str], wanted: str
) -> None:
    """Proved says: both are known to be older than the event, and to run the finding's image."""
    found = meant(Reason.REVISION_NAMED, *digests, create_time=revision)
    identity = identify_service(run_finding(*filter(None, [wanted])), run_service(create_time=service), found)
    is_older = all(moment is not None and moment <= before(seconds=-5) for moment in (service, revision))
    assert (identity.level == PROVED) == (is_older and wanted != "" and wanted in digests)
    younger = any(moment is not None and moment > before(seconds=-5) for moment in (service, revision))
    other = wanted not in {"", *digests} and "" not in digests
    assert (identity.level == REFUTED) == (younger or other)
