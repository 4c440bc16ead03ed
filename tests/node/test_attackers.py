"""However an attacker on the real node defends himself, his connections are cut, and nothing is said that is not so."""

from __future__ import annotations

import pytest

from tests.counts import Cases
from tests.node.attackers import ATTACKERS, Looked, look_at_all
from tests.node.looks import Told
from tests.node.real_node import Node

pytestmark = pytest.mark.timeout(900)
FEW = ["unlinks, has a child", "kills what appears", "stops what appears", "kills and forges, as the collector's user"]
PLAYED = Cases("attackers on the real node", few=FEW, full=list(ATTACKERS))


@pytest.fixture(scope="module")
def looks(real_node: Node, collector: str) -> dict[str, Looked]:
    """Each attacker, looked at by the collector that is shipped, under the admission policy that is shipped."""
    return look_at_all(real_node, collector, {name: ATTACKERS[name] for name in PLAYED.chosen})


@pytest.mark.parametrize("name", PLAYED.chosen)
def test_no_document_says_what_is_not_so(looks: dict[str, Looked], name: str) -> None:
    """Connections and processes are as they are told, and the workload goes on."""
    assert looks[name].false_words == [], looks[name]


@pytest.mark.parametrize("name", PLAYED.chosen)
def test_no_attacker_keeps_his_connections(looks: dict[str, Looked], name: str) -> None:
    """They are cut; only what a namespace admits may keep us from it, and that is said."""
    if ATTACKERS[name].level == "baseline":
        assert looks[name].cut.reason == "collector_refused"
    else:
        assert looks[name].is_silent, looks[name].cut
        assert looks[name].severed_at is not None, looks[name].cut


@pytest.mark.parametrize("name", [name for name in PLAYED.chosen if not ATTACKERS[name].spec])
def test_the_cut_is_told_before_what_root_may_stop(looks: dict[str, Looked], name: str) -> None:
    """The node says that the cut has begun before it starts what looks: root can stop that, and only that."""
    assert looks[name].cut_first


@pytest.mark.parametrize("name", PLAYED.chosen)
def test_a_look_that_was_hindered_says_so(looks: dict[str, Looked], name: str) -> None:
    """Whoever neither kills nor stops is looked at and stopped; of others it is said that they keep us from it."""
    look = looks[name].look
    if look.whole:
        assert looks[name].frozen_at is not None, look
    else:
        assert look.reason
        assert {"kill", "stop"} & {*ATTACKERS[name].threat}, look


def looked(**fields: object) -> Looked:
    """A cut at 1 s after 1970 and a whole look, in which all is as it was said."""
    cut = Told(documents={"cut": {"complete": True, "severed_at": "1970-01-01T00:00:01.000Z"}}, whole=True)
    freeze = {"freeze": {"complete": True, "frozen_at": "1970-01-01T00:00:02.000Z"}}
    look = Told(documents=freeze, artefacts=("ab",), whole=True)
    facts = {
        "cut": cut,
        "look": look,
        "sha256": "ab",
        "last_new": 900,
        "last_beat": 990,
        "still": 1990,
        "restarts": 0,
        "until": 5000,
    }
    return Looked(began=0, **{**facts, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "false"),
    [
        ({}, []),
        ({"last_beat": 1200}, ["severed, yet heartbeats come"]),
        ({"last_beat": 1200, "cut": Told()}, []),
        ({"still": None}, ["frozen, yet a process runs"]),
        ({"still": 2200}, ["frozen, yet a process runs"]),
        ({"still": None, "look": Told(reason="defends_itself")}, []),
        ({"sha256": "cd"}, ["whole, yet without the program"]),
        ({"restarts": 1}, ["a container of the workload was restarted"]),
    ],
)
def test_what_is_not_so_is_found(fields: dict[str, object], false: list[str]) -> None:
    """Each claim is held against what was seen outside the product."""
    assert looked(**fields).false_words == false
