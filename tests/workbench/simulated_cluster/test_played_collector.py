"""The played collector answers in the real one's form, and seals its answers to the case's key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.domain.kubernetes.collector_stream import new_private_key, public_text, read_frames
from scc_responder.domain.kubernetes.ephemeral_containers import (
    LookRequest,
    WantedFile,
    cut_arguments,
    look_arguments,
    request_argument,
    thaw_arguments,
)
from scc_responder.workbench.simulated_cluster.played_collector import play

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = new_private_key()
PUBLIC = public_text(KEY)
REQUEST = request_argument(LookRequest(binaries=(WantedFile(path="/tmp/x", sha256="a" * 64),)))
NOTHING = request_argument(LookRequest())


def documents(*arguments: str) -> dict[str, Any]:
    """What a container with these arguments tells, by the names of the documents."""
    log = play({"args": [*arguments]}, NOW)
    told = [frame.json() for frame in read_frames([log], KEY) if frame.kind.value == "J"]
    return {item["name"]: item for item in told}


def test_a_look_tells_of_the_findings_file() -> None:
    """Its file is there, and is another one than the finding's."""
    told = documents(*look_arguments(PUBLIC, REQUEST))
    assert (told["files"]["files"][0]["hash"], told["matches"]["matches"][0]["by"]) == ("differs", ["exe"])
    assert "freeze" not in told


@pytest.mark.parametrize(("request_text", "frozen"), [(REQUEST, 1), (NOTHING, 0)])
def test_a_freeze_is_told_early(request_text: str, frozen: int) -> None:
    """Right after the matches; where nothing matches, nothing is frozen, and it is not called complete."""
    told = documents(*look_arguments(PUBLIC, request_text, freeze=True))
    assert [*told][:3] == ["run", "matches", "freeze"]
    assert (told["freeze"]["frozen"], told["freeze"]["complete"]) == (frozen, frozen == 1)


def test_a_cut_leaves_nothing() -> None:
    """No connection is left, as of this moment."""
    told = documents(*cut_arguments(PUBLIC))
    assert (told["cut"]["complete"], told["cut"]["left"], told["cut"]["severed_at"]) == (
        True,
        [],
        "2026-03-01T12:00:00Z",
    )


def test_a_thaw_tells_what_goes_on() -> None:
    """Nothing was frozen here."""
    assert documents(*thaw_arguments(PUBLIC, NOTHING))["thaw"]["thawed"] == 0


@pytest.mark.parametrize("arguments", [[], ["sh"], ["look"], ["other", "-key=K"]])
def test_other_containers_write_nothing(arguments: list[str]) -> None:
    """What is no collector of ours is not played."""
    assert play({"args": arguments}, NOW) == b""
