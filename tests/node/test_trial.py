"""A word is false where it was said before it was true."""

from __future__ import annotations

from typing import Any

import pytest

from tests.node.trial import Said, Trial, Truth

ENDED: dict[str, Any] = {"dead": 500, "terminated": 600, "gone": 700, "last_beat": 490}
ALIVE: dict[str, Any] = {"last_new": 90, "last_beat": 6000}


def trial(reason: str, contained: float | None = None, **true: Any) -> Trial:
    """What was said 1000 ms after the push, and what was true."""
    facts = {"last_new": None, "last_beat": None, "dead": None, "terminated": None, "gone": None, "until": 6000, **true}
    return Trial(
        said=Said(at=1000, state="done", reasons=("captured", reason), contained_seconds=contained),
        true=Truth(**facts),
    )


@pytest.mark.parametrize(
    ("made", "false"),
    [
        (trial("deleted", 1.0, **ENDED), []),
        (trial("deleted", **{**ENDED, "dead": 1500}), ["`deleted`, yet the process lives"]),
        (trial("deleted", **{**ENDED, "dead": None}), ["`deleted`, yet the process lives"]),
        (trial("deleted", **{**ENDED, "gone": None}), ["`deleted`, yet the object is there"]),
        (trial("processes_ended", **{**ENDED, "gone": None}), []),
        (trial("processes_ended", **{**ENDED, "dead": 1500}), ["`processes_ended`, yet the process lives"]),
        (trial("isolated", **ALIVE), []),
        (trial("isolated", **{**ALIVE, "last_new": 1900}), []),
        (trial("isolated", **{**ALIVE, "last_new": 5900}), ["`isolated`, yet new connections come"]),
        (trial("isolated", 1.0, **ALIVE), ["`contained_seconds`, yet the process is connected"]),
        (trial("severed", 1.0, **{**ALIVE, "last_beat": 900}), []),
        (
            trial("severed", 1.0, **ALIVE),
            ["`severed`, yet heartbeats come", "`contained_seconds`, yet the process is connected"],
        ),
        (trial("severed", **{**ALIVE, "last_new": 1100, "last_beat": 900}), ["`severed`, yet new connections come"]),
        (trial("inspected", **ALIVE), ["`inspected`, yet the program is not kept"]),
        (trial("detached", **ALIVE), []),
        (trial("detached", **{**ALIVE, "owned": True}), ["`detached`, yet a controller has the pod"]),
        (trial("detached", **{**ALIVE, "sent_to": True}), ["`detached`, yet a Service sends to it"]),
        (trial("frozen", **{**ALIVE, "frozen": 800}), []),
        (trial("frozen", **{**ALIVE, "frozen": 1100}), ["`frozen`, yet the process runs"]),
        (trial("frozen", **ALIVE), ["`frozen`, yet the process runs"]),
        (trial("captured", **{**ALIVE, "restarts": 1}), ["a container of the workload was restarted"]),
        (trial("terminating", **ENDED), []),
    ],
)
def test_false_words_are_found(made: Trial, false: list[str]) -> None:
    """Each word of the record is held against the process table, the outside server and the watch."""
    assert sorted(made.false_words) == sorted(false)


@pytest.mark.parametrize(
    ("contained", "false"), [(500, []), (-600, ["`contained_seconds` ends before the threat did"])]
)
def test_a_threat_that_ended_later_than_said_is_found(contained: int, false: list[str]) -> None:
    """What is counted goes to the end of the threat, but for the second that the API rounds away."""
    said = Said(at=1000, state="done", reasons=("deleted",), contained_seconds=1.0, contained=contained)
    facts = Truth(last_new=None, until=6000, **ENDED)
    assert Trial(said=said, true=facts).false_words == false


def test_a_word_of_a_field_is_held_too() -> None:
    """What a step's `containment` says is held like its reason."""
    said = Said(at=1000, state="done", reasons=("already",), contained_seconds=None, containments=("severed",))
    assert Trial(said=said, true=Truth(dead=None, terminated=None, gone=None, until=6000, **ALIVE)).false_words
