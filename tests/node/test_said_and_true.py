"""What the product says of pods on a real node, beside what the outside and the process table saw."""

from __future__ import annotations

import pytest

from tests.node.real_node import Node
from tests.node.situations import SITUATIONS, Trial, play_all

ENDED = {"deleted", "processes_ended"}
NOT_YET = {
    "deleted without grace": "the object goes at once and the record says `deleted`, while the process runs on",
}
"""Words that are false today."""
UNTOLD = {
    "kept by a finalizer": "`terminating` is said of a pod whose processes have all ended",
}
"""Ends that are not told today."""


@pytest.fixture(scope="module")
def trials(real_node: Node, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trial]:
    """Every situation, played once, side by side."""
    return play_all(real_node, tmp_path_factory.mktemp("trials"))


def _expected(reasons: dict[str, str], names: list[str]) -> list[object]:
    marks = {name: [pytest.mark.xfail(reason=reason, strict=True)] for name, reason in reasons.items()}
    return [pytest.param(name, marks=marks.get(name, [])) for name in names]


@pytest.mark.parametrize("name", _expected(NOT_YET, list(SITUATIONS)))
def test_no_word_is_false(trials: dict[str, Trial], name: str) -> None:
    """What the record says at its end is what the outside server and the process table saw."""
    assert trials[name].false_words == [], trials[name]


def test_isolation_stops_new_connections_alone(trials: dict[str, Trial]) -> None:
    """An isolated pod makes no new connection; what was established goes on, so nothing counts as contained."""
    said, true = trials["isolated"].said, trials["isolated"].true
    assert (said.state, said.reasons[-1], said.contained_seconds) == ("done", "isolated", None)
    assert true.dead is None
    assert (true.last_beat or 0) > true.until - 1000


@pytest.mark.parametrize("name", _expected(UNTOLD, ["kept by a finalizer"]))
def test_the_end_of_processes_is_told(trials: dict[str, Trial], name: str) -> None:
    """A deletion whose processes ended within seconds says so in the end."""
    assert trials[name].true.dead is not None
    assert ENDED & set(trials[name].said.reasons), trials[name]


def test_a_detached_pod_runs_on_for_people(trials: dict[str, Trial]) -> None:
    """No Service sends to it, its replacement is named, and its process lives."""
    said, true = trials["detached"].said, trials["detached"].true
    assert (said.state, said.reasons[-1], said.contained_seconds) == ("done", "detached", None)
    assert (true.dead, true.gone, true.sent_to) == (None, None, False)


def test_a_deletion_really_ends_the_process(trials: dict[str, Trial]) -> None:
    """The process, its connections and its object go; the API says so after the process has ended."""
    true = trials["deleted"].true
    assert true.dead is not None
    assert true.gone is not None
    assert true.dead <= (true.terminated or 0) <= true.gone
    assert (true.last_beat or 0) <= true.dead


def test_a_finalizer_keeps_the_object_and_not_the_process(trials: dict[str, Trial]) -> None:
    """The process of a pod with a finalizer ends like any other; its object stays, and `deleted` is never said."""
    said, true = trials["kept by a finalizer"].said, trials["kept by a finalizer"].true
    assert true.dead is not None
    assert true.gone is None
    assert "deleted" not in said.reasons
