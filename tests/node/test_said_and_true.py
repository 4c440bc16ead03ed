"""What the product says of pods on a real node, beside what the outside and the process table saw."""

from __future__ import annotations

import pytest

from tests.counts import Cases
from tests.node.play import play_all
from tests.node.real_node import Node
from tests.node.situations import SITUATIONS
from tests.node.trial import Trial

pytestmark = pytest.mark.timeout(900)
PLAYED = Cases(
    "situations on the real node",
    few=[
        "isolated",
        "severed, frozen, inspected",
        "detached",
        "deleted",
        "deleted with the least grace, deaf",
        "kept by a finalizer",
        "the last replica",
        "restarted before the push",
    ],
    full=list(SITUATIONS),
)


@pytest.fixture(scope="module")
def trials(real_node: Node, collector: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trial]:
    """Each situation, played once, side by side; the settings name the collector."""
    assert real_node.collector == collector
    chosen = {name: SITUATIONS[name] for name in PLAYED.chosen}
    return play_all(real_node, tmp_path_factory.mktemp("trials"), chosen)


@pytest.mark.parametrize("name", PLAYED.chosen)
def test_no_word_is_false(trials: dict[str, Trial], name: str) -> None:
    """What the record says at its end is what the outside server and the process table saw."""
    assert trials[name].false_words == [], trials[name]


@pytest.mark.parametrize("name", PLAYED.chosen)
def test_each_case_ends_as_it_should(trials: dict[str, Trial], name: str) -> None:
    """Whatever could be done was done, and what could not is named."""
    assert trials[name].end in SITUATIONS[name].said, trials[name]


def test_isolation_stops_new_connections_alone(trials: dict[str, Trial]) -> None:
    """An isolated pod makes no new connection; what was established goes on, so nothing counts as contained."""
    said, true = trials["isolated"].said, trials["isolated"].true
    assert said.contained_seconds is None
    assert true.dead is None
    assert (true.last_beat or 0) > true.until - 1000


def test_a_threat_is_severed_and_frozen(trials: dict[str, Trial]) -> None:
    """Its connections are dead and its processes stopped, and its program is kept.

    Both are said, but where the isolation was so late that connections might have come back.
    """
    trial = trials["severed, frozen, inspected"]
    assert {"frozen", "inspected"} <= trial.said.words
    assert {"severed", "connections_may_return"} & trial.said.words
    assert (trial.said.contained_seconds is not None) is ("severed" in trial.said.words)
    assert (trial.true.silent is not None, trial.true.frozen is not None, trial.kept) == (True, True, True)


def test_a_detached_pod_runs_on_for_people(trials: dict[str, Trial]) -> None:
    """No Service sends to it, no controller has it, and its process lives."""
    true = trials["detached"].true
    assert (true.dead, true.gone, true.sent_to, true.owned) == (None, None, False, False)


def test_a_deletion_really_ends_the_process(trials: dict[str, Trial]) -> None:
    """The process, its connections and its object go; the API says so after the process has ended."""
    true = trials["deleted"].true
    assert true.dead is not None
    assert true.gone is not None
    assert true.dead <= (true.terminated or 0) <= true.gone
    assert (true.last_beat or 0) <= true.dead


def test_a_finalizer_keeps_the_object_and_not_the_process(trials: dict[str, Trial]) -> None:
    """The process of a pod with a finalizer ends like any other, and that is said; its object stays."""
    true = trials["kept by a finalizer"].true
    assert true.dead is not None
    assert true.gone is None
