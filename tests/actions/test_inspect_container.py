"""What `inspect_container` plans: one look, for what the finding names, into the finding's container."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.context import ContainerStatus, Context
from scc_responder.domain.finding import FindingContainer, FindingFile, Process
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import context

INSPECT = actions()["inspect_container"]


def plan(given: Context) -> Any:
    """What is planned in this context."""
    return INSPECT.plan(given, INSPECT.params())


def request(given: Context) -> Any:
    """What the collector is asked for."""
    text = plan(given)[0].request
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_it_is_a_change_that_guards_hold() -> None:
    """It changes the pod, so that it is no observation; and nobody has to undo it."""
    assert (INSPECT.observes, INSPECT.reversible, INSPECT.keeps_files, INSPECT.needs_identity) == (
        False,
        True,
        True,
        True,
    )


def test_every_file_of_the_finding_is_asked_for() -> None:
    """Each once, with what is known of its hash; the script and the libraries too."""
    process = Process(
        binary="/usr/bin/python3",
        sha256="b" * 64,
        script="/tmp/x.py",
        libraries=("/tmp/l.so", "/lib/other.so"),
        library_files=(FindingFile(path="/tmp/l.so", sha256="c" * 64, size=9, hashed_size=4),),
        args=("python3", "/tmp/x.py"),
        pid=43,
    )
    asked = request(context(finding={"processes": (process,), "files": (FindingFile(path="/tmp/drop", size=3),)}))
    assert [item["path"] for item in asked["binaries"]] == ["/usr/bin/python3", "/tmp/drop"]
    assert asked["binaries"][0]["sha256"] == "b" * 64
    assert [item["path"] for item in asked["scripts"]] == ["/tmp/x.py"]
    assert asked["libraries"] == [
        {"path": "/tmp/l.so", "sha256": "c" * 64, "hashed_size": 4, "size": 9},
        {"path": "/lib/other.so", "sha256": "", "hashed_size": 0, "size": 0},
    ]
    assert (asked["args"], asked["pids"]) == (["python3", "/tmp/x.py"], [43])


STARTED = datetime(2026, 3, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("in_finding", "in_pod", "expected"),
    [
        (("app",), ("app", "sidecar"), "app"),
        (("sidecar",), ("app", "sidecar"), "sidecar"),
        ((), ("only",), "only"),
        (("gone",), ("app", "sidecar"), Reason.CONTAINER_ABSENT),
        ((), ("app", "sidecar"), Reason.CONTAINER_ABSENT),
    ],
)
def test_the_findings_container_is_looked_into(in_finding: Any, in_pod: Any, expected: str) -> None:
    """Where nobody can tell which of several it is, none is."""
    given = context(
        finding={"containers": tuple(FindingContainer(name=name) for name in in_finding)},
        pod={"containers": tuple(ContainerStatus(name=name, started_at=STARTED) for name in in_pod)},
    )
    planned = plan(given)
    found = planned.reason if isinstance(planned, Skip) else planned[0].container
    assert found == expected
    assert isinstance(planned, Skip) or request(given)["started_at"] == "2026-03-01T11:00:00+00:00"


def test_without_a_pod_nothing_is_looked_into() -> None:
    """A pod that is gone is nothing to do; one that was not read is held."""
    assert plan(context(pod=False)) == Skip(reason=Reason.TARGET_ABSENT)
    assert isinstance(plan(context(pod=False, missing={"pod": Reason.POD_UNREADABLE})), Hold)
