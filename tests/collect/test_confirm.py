"""A notification is a hint: the finding is read as its source knows it, and only that one is acted on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.collect.confirm import Settled, confirm, covers, finding_named, out_of_reach, read_by_name
from scc_responder.domain.errors import ApiError, RejectedMessage, RetryableError
from scc_responder.domain.finding import ClusterRef, Finding
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.intake.notification import parse_notification
from scc_responder.settings import Settings
from tests.findings import data, notification

DOCUMENT = notification("reverse_shell")
FINDING = parse_notification(data(DOCUMENT))
NOW = FINDING.event_time + timedelta(minutes=1)
SETTINGS = Settings(
    policies=Path("policies"),
    clusters=("projects/example-project/locations/*/clusters/*",),
    sources=(FINDING.source_id,),
    store="sqlite:///x.db",
)


class Source:
    """`ports.Findings` that answers as told; an error is raised."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def read(self, finding: Finding) -> Mapping[str, Any] | None:
        """The answer."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]

    def related(self, finding: Finding) -> tuple[()]:
        """None."""
        return ()


def confirmed(answer: Any, settings: Settings = SETTINGS, opened_at: datetime | None = None) -> Finding:
    return confirm(FINDING, opened_at, Source(answer), settings, lambda: NOW)


def test_a_confirmed_finding_is_the_stored_one() -> None:
    """What its source knows by now counts, and not what the notification said."""
    stored = notification("reverse_shell", finding={"severity": "LOW"})
    assert confirmed(stored).severity == "LOW"


OTHER = notification("reverse_shell", finding_id="other")
OLDER = notification("reverse_shell", event_time=(FINDING.event_time - timedelta(days=1)).isoformat())
MUTED = notification("reverse_shell", finding={"mute": "MUTED"})
NO_CLUSTERS = replace(SETTINGS, clusters=())
LONG_AGO = NOW - timedelta(hours=1)

SETTLED: list[Any] = [
    pytest.param(None, SETTINGS, LONG_AGO, "unknown_finding", CaseState.REJECTED, id="unknown"),
    pytest.param(OTHER, SETTINGS, None, "finding_name_differs", CaseState.REJECTED, id="another"),
    pytest.param(RejectedMessage("invalid_parent"), SETTINGS, None, "invalid_parent", CaseState.REJECTED, id="no-name"),
    pytest.param(
        DOCUMENT, replace(SETTINGS, sources=("9",)), None, "source_not_allowed", CaseState.REJECTED, id="source"
    ),
    pytest.param(
        DOCUMENT, replace(SETTINGS, clusters=()), None, "cluster_not_listed", CaseState.REJECTED, id="cluster"
    ),
    pytest.param(
        notification("reverse_shell", finding={"mute": "MUTED"}),
        SETTINGS,
        None,
        "muted",
        CaseState.SUPERSEDED,
        id="muted",
    ),
    pytest.param(
        notification("reverse_shell", finding={"state": "INACTIVE"}),
        SETTINGS,
        None,
        "inactive",
        CaseState.SUPERSEDED,
        id="inactive",
    ),
    pytest.param(
        notification("reverse_shell", finding={"findingClass": "MISCONFIGURATION"}),
        SETTINGS,
        None,
        "not_a_threat",
        CaseState.HELD,
        id="no-threat",
    ),
]


@pytest.mark.parametrize(("answer", "settings", "opened_at", "reason", "state"), SETTLED)
def test_a_finding_comes_to_its_end_by_name(
    answer: Any, settings: Settings, opened_at: datetime | None, reason: str, state: CaseState
) -> None:
    """Before anything is decided; what was read is kept where it is the finding."""
    with pytest.raises(Settled) as caught:
        confirmed(answer, settings, opened_at)
    assert (caught.value.reason, caught.value.state) == (reason, state)


RETRIED: list[Any] = [
    (None, "finding_not_listed_yet", FINDING.name),
    (OLDER, "finding_not_listed_yet", FINDING.name),
    ({"finding": {}}, "finding_unreadable", FINDING.name),
    (ApiError(Reason.SCC.of("permission_denied"), permission="x"), "scc_permission_denied", "missing permission"),
    (ApiError(Reason.TIMEOUT, "no answer"), "timeout", "no answer"),
]


@pytest.mark.parametrize(("answer", "reason", "told"), RETRIED)
def test_an_unread_finding_comes_again(answer: Any, reason: str, told: str) -> None:
    """Security Command Center may lag behind its own notifications."""
    with pytest.raises(RetryableError, match=told) as caught:
        confirmed(answer)
    assert caught.value.reason == reason


def test_an_oversize_finding_is_read_by_name() -> None:
    """The name alone says source and id; what is no name, or not listed yet, comes again."""
    assert read_by_name(FINDING.name, Source(DOCUMENT), SETTINGS).key == FINDING.key == finding_named(FINDING.name).key
    with pytest.raises(RetryableError, match=FINDING.name):
        read_by_name(FINDING.name, Source(None), SETTINGS)
    with pytest.raises(RetryableError) as caught:
        read_by_name("no name", Source(DOCUMENT), SETTINGS)
    assert caught.value.reason == "malformed_finding_name"
    with pytest.raises(Settled):
        read_by_name(FINDING.name, Source(DOCUMENT), replace(SETTINGS, sources=()))


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("a/*/c", "a/b/c", True),
        ("a/b", "a/b", True),
        ("a/*", "a/b/c", False),
        ("a/b*", "a/bc", False),
        ("", "a", False),
    ],
)
def test_a_star_is_one_whole_segment(pattern: str, path: str, covered: bool) -> None:
    """Nothing is covered by resemblance."""
    assert covers(pattern, path) is covered


NUMBERED = "projects/100000000001/locations/europe-west1/clusters/prod-1"


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("projects/*/locations/*/clusters/*", Reason.CLUSTER_NOT_LISTED),
        ("projects/example-project/locations/*/clusters/*", Reason.CLUSTER_NOT_LISTED),
        ("projects/100000000001/locations/*/clusters/*", None),
        (NUMBERED, None),
    ],
)
def test_a_star_stands_for_no_projects_number(pattern: str, reason: Reason | None) -> None:
    """A switch, a limit or a protection that names the cluster by its project's id would miss it."""
    numbered = replace(FINDING, cluster=ClusterRef.parse(f"//container.googleapis.com/{NUMBERED}"))
    assert out_of_reach(numbered, replace(SETTINGS, clusters=(pattern,))) is reason
