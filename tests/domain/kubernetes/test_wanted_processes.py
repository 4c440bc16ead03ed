"""What a collector is asked for follows from the finding, and from nothing that could match too much."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.context import ContainerStatus
from scc_responder.domain.finding import FindingContainer, FindingFile, Process
from scc_responder.domain.kubernetes.wanted_processes import look_request, named_container
from tests.kits.decision_contexts import FINDING, POD

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def asked(*processes: Process) -> dict[str, Any]:
    """What is asked for, decoded."""
    pod = replace(POD, containers=(ContainerStatus(name="web", started_at=START),))
    text = look_request(replace(FINDING, processes=processes), pod, "web")
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded


def test_processes_are_known_by_what_the_finding_says() -> None:
    """By the whole file's hash, by path, by words and pid, and by when it was seen."""
    whole = FindingFile(path="/tmp/x", sha256="b" * 64, whole_file=True, size=9, hashed_size=9)
    request = asked(Process(binary="/tmp/x", binary_file=whole, script="/tmp/x.py", args=("/tmp/x", "-q"), pid=43))
    assert request["binaries"] == [{"path": "/tmp/x", "sha256": "b" * 64, "hashed_size": 9, "size": 9}]
    assert (request["scripts"][0]["path"], request["args"], request["pids"]) == ("/tmp/x.py", ["/tmp/x", "-q"], [43])
    assert (request["event_time"], request["started_at"]) == (FINDING.event_time.isoformat(), START.isoformat())


@pytest.mark.parametrize(
    ("sizes", "is_asked"),
    [
        pytest.param({"size": 9, "hashed_size": 4}, True, id="the-first-bytes"),
        pytest.param({"size": 9, "hashed_size": 9, "whole_file": True}, True, id="whole"),
        pytest.param({}, True, id="nothing-said"),
        pytest.param({"size": 9}, False, id="how-many-is-not-said"),
        pytest.param({"hashed_size": 4}, False, id="of-how-many-is-not-said"),
        pytest.param({"size": 9, "hashed_size": 9}, False, id="contradiction"),
    ],
)
def test_a_hash_is_asked_for_where_it_can_be_compared(sizes: dict[str, Any], is_asked: bool) -> None:
    """Else the path is left: a file that cannot match would be told as another one."""
    file = FindingFile(path="/tmp/x", sha256="c" * 64, **sizes)
    request = asked(Process(binary="/tmp/x", binary_file=file, sha256="c" * 64, library_files=(file,)))
    wanted = [*request["binaries"], *request["libraries"]]
    assert [item["sha256"] for item in wanted] == ["c" * 64 if is_asked else ""] * 2


def test_a_file_is_asked_for_with_its_hash() -> None:
    """Also where another process, or another list, names it without."""
    drop = FindingFile(path="/tmp/x", sha256="d" * 64, whole_file=True, size=9)
    request = asked(Process(binary="/tmp/x"), Process(binary="/tmp/y"), Process(binary="/tmp/x", binary_file=drop))
    assert [(item["path"], item["sha256"]) for item in request["binaries"]] == [("/tmp/x", "d" * 64), ("/tmp/y", "")]


def test_as_much_is_asked_for_as_is_read() -> None:
    """The rest is left out."""
    request = asked(*(Process(binary=f"/tmp/{number}", pid=number) for number in range(40)))
    assert (len(request["binaries"]), len(request["pids"])) == (16, 16)


@pytest.mark.parametrize(
    ("named", "containers", "expected"),
    [
        (["web"], ["web", "proxy"], "web"),
        (["other"], ["web", "proxy"], ""),
        ([], ["web", "proxy"], ""),
        ([], ["web"], "web"),
        ([], [], ""),
    ],
)
def test_the_container_is_the_finding_s_or_the_only_one(named: list[str], containers: list[str], expected: str) -> None:
    """Nobody guesses among several."""
    finding = replace(FINDING, containers=tuple(FindingContainer(name=name) for name in named))
    pod = replace(POD, containers=tuple(ContainerStatus(name=name) for name in containers))
    assert named_container(finding, pod) == expected
